"""The book of record: Postgres pool, unit of work, inputs, stream positions, outbox, migrations."""
