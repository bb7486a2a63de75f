"""Alembic's entry: the migrations are plain SQL files, run by the one database driver."""

import asyncio

from alembic import context
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from recon_streams.book.connection import connect


def _run(connection: Connection) -> None:
    context.configure(connection=connection, version_table="recon_migration")
    with context.begin_transaction():
        context.run_migrations()


async def _migrate(dsn: str) -> None:
    # The address goes to asyncpg as it is: SQLAlchemy would parse a socket directory differently.
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: connect(dsn), poolclass=NullPool
    )
    async with engine.connect() as connection:
        await connection.run_sync(_run)
        await connection.commit()
    await engine.dispose()


asyncio.run(_migrate(context.config.attributes["dsn"]))
