"""The log port: partitioned, ordered, re-readable streams, on Kafka or in Postgres."""
