"""Run 0003_grants.sql."""

from recon_streams.book.migrations.sql_file import run_beside

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create what the file beside this one says."""
    run_beside(__file__)
