"""Run 0008_closing.sql."""

from recon_streams.book.migrations.sql_file import run_beside

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create what the file beside this one says."""
    run_beside(__file__)
