"""Run 0005_discrepancies.sql."""

from recon_streams.book.migrations.sql_file import run_beside

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create what the file beside this one says."""
    run_beside(__file__)
