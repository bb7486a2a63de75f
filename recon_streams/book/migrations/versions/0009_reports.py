"""Run 0009_reports.sql."""

from recon_streams.book.migrations.sql_file import run_beside

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create what the file beside this one says."""
    run_beside(__file__)
