"""Runs a whole SQL file inside a migration's transaction."""

from pathlib import Path

from alembic import op


def run_beside(module_file: str) -> None:
    """Run the `.sql` file that has the same stem as `module_file`."""
    run_sql(Path(module_file).with_suffix(".sql").read_text("utf-8"))


def run_sql(text: str) -> None:
    """Run every statement of `text`.

    Through the driver's own `execute`: SQLAlchemy prepares what it sends, and PostgreSQL prepares
    one statement at a time.
    """
    adapted = op.get_bind().connection.dbapi_connection
    assert adapted is not None, "a migration runs on an open connection"
    adapted.run_async(lambda connection: connection.execute(text))
