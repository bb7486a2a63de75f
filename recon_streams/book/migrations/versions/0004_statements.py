"""Run 0004_statements.sql."""

from recon_streams.book.migrations.sql_file import run_beside

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create what the file beside this one says."""
    run_beside(__file__)
