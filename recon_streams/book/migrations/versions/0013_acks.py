"""Run 0013_acks.sql."""

from recon_streams.book.migrations.sql_file import run_beside

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create what the file beside this one says."""
    run_beside(__file__)
