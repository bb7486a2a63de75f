"""Run 0007_schedule.sql."""

from recon_streams.book.migrations.sql_file import run_beside

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create what the file beside this one says."""
    run_beside(__file__)
