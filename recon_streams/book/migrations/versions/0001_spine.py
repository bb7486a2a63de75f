"""The log of the embedded default, then 0001_spine.sql."""

from importlib.resources import files

from recon_streams.book.migrations.sql_file import run_beside, run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the log's own tables, which its adapter defines, and what the file beside says."""
    run_sql(files("recon_streams.log").joinpath("postgres_schema.sql").read_text("utf-8"))
    run_beside(__file__)
