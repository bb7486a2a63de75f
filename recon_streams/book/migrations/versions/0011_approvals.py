"""Run 0011_approvals.sql."""

from recon_streams.book.migrations.sql_file import run_beside

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create what the file beside this one says."""
    run_beside(__file__)
