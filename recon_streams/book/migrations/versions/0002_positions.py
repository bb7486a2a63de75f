"""Run 0002_positions.sql."""

from recon_streams.book.migrations.sql_file import run_beside

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create what the file beside this one says."""
    run_beside(__file__)
