"""Brings the book's schema to the version this program was written for.

Loading Alembic takes longer than starting everything else, so whoever starts often asks
`revision` first and imports this only if there is something to do.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config


def migrate(dsn: str) -> None:
    """Run all migrations that `dsn` lacks. Blocking; has an event loop of its own.

    Run by the owner of the schema, never by the application's role.
    """
    config = _config()
    config.attributes["dsn"] = dsn
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config
