"""Run 0010_breaker.sql."""

from recon_streams.book.migrations.sql_file import run_beside

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create what the file beside this one says."""
    run_beside(__file__)
