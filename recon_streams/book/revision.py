"""Which version the book's tables have, and whether this program can work with them."""

from functools import lru_cache
from pathlib import Path

from recon_streams.book.connection import address_of, connect, reaching


class WrongRevision(Exception):
    """The book's tables are not those this program was written for."""

    def __init__(self, address: str, found: str | None, needed: str) -> None:
        if found is None:
            text = f"the book at {address} has no tables yet: run `recon-streams migrate` first"
        elif found < needed:
            text = (
                f"the book at {address} is at revision {found} and this program needs {needed}: "
                "run `recon-streams migrate` first"
            )
        else:
            text = (
                f"the book at {address} is at revision {found}, which this program does not know "
                f"(it was written for {needed}): install the newer recon-streams"
            )
        super().__init__(text)


@lru_cache(maxsize=1)
def newest_revision() -> str:
    """Return the revision this program needs."""
    versions = Path(__file__).with_name("migrations") / "versions"
    return max(path.name.partition("_")[0] for path in versions.glob("[0-9]*_*.py"))


async def revision_of(dsn: str) -> str | None:
    """Return the revision the book at `dsn` has; None if it was never migrated.

    Raises:
        DatabaseUnreachable: No server answered, or it refused us.
    """
    with reaching(dsn):
        connection = await connect(dsn)
    try:
        if await connection.fetchval("SELECT to_regclass('recon_migration')") is None:
            return None
        revision: str | None = await connection.fetchval("SELECT version_num FROM recon_migration")
        return revision
    finally:
        await connection.close()


async def check_revision(dsn: str) -> None:
    """Make sure that this program was written for the book at `dsn`.

    Raises:
        WrongRevision: It was not; says what to do.
        DatabaseUnreachable: No server answered, or it refused us.
    """
    found, needed = await revision_of(dsn), newest_revision()
    if found != needed:
        raise WrongRevision(address_of(dsn), found, needed)
