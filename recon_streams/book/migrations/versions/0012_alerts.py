"""Run 0012_alerts.sql."""

from recon_streams.book.migrations.sql_file import run_beside

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create what the file beside this one says."""
    run_beside(__file__)
