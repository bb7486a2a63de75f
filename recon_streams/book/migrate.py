"""Brings the book's schema to the version this program was written for."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from recon_streams.book.connection import connect


def migrate(dsn: str) -> None:
    """Run all migrations that `dsn` lacks. Blocking; has an event loop of its own.

    Run by the owner of the schema, never by the application's role.
    """
    config = _config()
    config.attributes["dsn"] = dsn
    command.upgrade(config, "head")


def newest_revision() -> str:
    """Return the revision this program needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "the migrations are shipped with the package"
    return head


async def revision_of(dsn: str) -> str | None:
    """Return the revision the book at `dsn` has; None if it was never migrated."""
    connection = await connect(dsn)
    try:
        if await connection.fetchval("SELECT to_regclass('recon_migration')") is None:
            return None
        revision: str | None = await connection.fetchval("SELECT version_num FROM recon_migration")
        return revision
    finally:
        await connection.close()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config
