"""A program and a book that were not made for each other say so before anything is touched."""

import asyncio

import asyncpg
import pytest
from alembic.script import ScriptDirectory

from recon_streams.book.connection import DatabaseUnreachable
from recon_streams.book.migrate import _config, migrate
from recon_streams.book.revision import WrongRevision, check_revision, newest_revision


def test_the_newest_revision_is_the_one_the_migrations_end_at() -> None:
    assert newest_revision() == ScriptDirectory.from_config(_config()).get_current_head()


@pytest.mark.postgres
async def test_a_book_without_tables_is_told_apart_from_an_old_and_a_new_one(
    database: str,
) -> None:
    with pytest.raises(WrongRevision, match=r"has no tables yet: run `recon-streams migrate`"):
        await check_revision(database)
    await asyncio.to_thread(migrate, database)
    await check_revision(database)
    connection = await asyncpg.connect(database)
    await connection.execute("UPDATE recon_migration SET version_num = '0001'")
    with pytest.raises(WrongRevision, match=r"is at revision 0001 and this program needs"):
        await check_revision(database)
    await connection.execute("UPDATE recon_migration SET version_num = '9999'")
    with pytest.raises(WrongRevision, match=r"9999, which this program does not know"):
        await check_revision(database)
    await connection.close()


async def test_an_absent_server_is_named_without_its_password() -> None:
    with pytest.raises(DatabaseUnreachable, match=r"no book at postgresql://me@127.0.0.1:1/x"):
        await check_revision("postgresql://me:secret@127.0.0.1:1/x")
