"""The embedded server lets in its owner, and payout services through a door of their own."""

import asyncio
import multiprocessing
import os
import pwd
import shutil
import stat
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.embedded.access import DoorNotOurs, confine_payout_services, socket_directory
from recon_streams.embedded.postgres import EmbeddedPostgres

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]

# Some account of the system's that neither runs the server nor these tests.
SOMEBODY_ELSE = pwd.getpwnam("daemon").pw_uid
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")


class Site:
    """A server in a directory, and the door in front of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.door = directory / "payouts"
        self.server = EmbeddedPostgres(directory / "postgres", door=self.door)


@pytest.fixture
async def site(make_directory: Callable[[], Path]) -> AsyncIterator[Site]:
    made = Site(make_directory())
    await made.server.start()
    yield made
    await made.server.stop()


async def who(dsn: str) -> str:
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        name: str = await connection.fetchval("SELECT session_user::text")
    finally:
        await connection.close()
    return name


def who_as(uid: int, dsn: str) -> str:
    """Return who `dsn` makes of the user `uid`, or the name of the error."""
    os.setuid(uid)
    try:
        return asyncio.run(who(dsn))
    except (OSError, asyncpg.PostgresError) as error:
        return type(error).__name__


async def somebody_else(dsn: str) -> str:
    fork: Any = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, mp_context=fork) as other:
        return await asyncio.wrap_future(other.submit(who_as, SOMEBODY_ELSE, dsn))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_payout_service_of_the_same_user_comes_in_as_no_more_than_that(site: Site) -> None:
    assert f"host={site.door}" in site.server.payouts_dsn
    assert await who(site.server.payouts_dsn) == "recon_payouts"
    assert await who(site.server.dsn) == "recon"
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await who(site.server.payouts_dsn.replace("/recon?", "/postgres?"))


@as_root
async def test_another_user_comes_in_only_where_the_door_was_opened(site: Site) -> None:
    assert mode(site.door) == 0o700
    assert await somebody_else(site.server.payouts_dsn) == "PermissionError"
    site.door.chmod(0o711)
    assert await somebody_else(site.server.payouts_dsn) == "recon_payouts"
    as_owner = site.server.payouts_dsn.replace("recon_payouts@", "recon@")
    assert await somebody_else(as_owner) == "InvalidAuthorizationSpecificationError"
    assert await somebody_else(site.server.dsn) == "PermissionError"


async def test_what_the_operator_made_of_the_door_is_kept(site: Site) -> None:
    site.door.chmod(0o710)
    await site.server.stop()
    await site.server.start()
    assert mode(site.door) == 0o710
    assert await who(site.server.payouts_dsn) == "recon_payouts"


async def test_a_server_from_before_there_was_a_door_gets_one(site: Site) -> None:
    await site.server.stop()
    rules = site.directory / "postgres/cluster/pg_hba.conf"
    rules.write_text("local all recon peer map=owners\n")
    await site.server.start()
    assert await who(site.server.payouts_dsn) == "recon_payouts"


@pytest.mark.parametrize("kind", ["file", "link", "foreign"])
async def test_a_door_that_is_not_ours_is_left_alone_and_named(
    make_directory: Callable[[], Path], kind: str
) -> None:
    site = Site(make_directory())
    if kind == "file":
        site.door.write_text("")
    elif kind == "link":
        site.door.symlink_to(make_directory())
    elif os.geteuid() == 0:
        site.door.mkdir()
        os.chown(site.door, SOMEBODY_ELSE, -1)
    else:
        pytest.skip("only root can make a directory of somebody else's")
    with pytest.raises(DoorNotOurs, match=r"must be a directory of the user .*chmod 710"):
        await site.server.start()


async def test_what_a_server_lets_everybody_is_for_the_daemon_only(site: Site) -> None:
    await asyncio.to_thread(migrate, site.server.dsn)
    for _ in range(2):  # at every start
        await confine_payout_services(site.server.dsn)
    tries = (
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_xact_lock(1)",
        "SELECT pg_advisory_lock_shared(1, 2)",
        "CREATE TEMP TABLE mine (a int)",
        "SELECT lo_from_bytea(0, 'x')",
        "SELECT lo_creat(-1)",
    )
    service = await asyncpg.connect(site.server.payouts_dsn)
    for each in tries:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service.execute(each)
    await service.close()
    daemon = await open_pool(site.server.dsn)
    for each in tries[:4]:
        await daemon.execute(each)
    limit = await daemon.fetchval(
        "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'recon_payouts'"
    )
    assert 0 < limit < 60
    await daemon.close()


async def test_a_directory_with_any_name_has_a_server_and_a_door(
    make_directory: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    directory = make_directory() / 'a + b, "c" & 100%'
    directory.mkdir(mode=0o711)
    site = Site(directory)
    await site.server.start()
    try:
        assert await who(site.server.dsn) == "recon"
        assert await who(site.server.payouts_dsn) == "recon_payouts"
    finally:
        await site.server.stop()
        for each in (site.door, directory / "postgres/run"):  # in the directory of temporary files
            shutil.rmtree(socket_directory(each), ignore_errors=True)


def test_a_path_that_is_too_long_for_a_socket_is_replaced_by_a_short_one(tmp_path: Path) -> None:
    short, long = tmp_path / "payouts", tmp_path / ("x" * 100)
    if len(str(short)) < 80:
        assert socket_directory(short) == short
    assert len(str(socket_directory(long))) < 80
    assert socket_directory(long) != socket_directory(long / "payouts")
