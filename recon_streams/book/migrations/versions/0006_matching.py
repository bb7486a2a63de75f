"""Run 0006_matching.sql."""

from recon_streams.book.migrations.sql_file import run_beside

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create what the file beside this one says."""
    run_beside(__file__)
