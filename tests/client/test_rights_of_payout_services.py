"""What the role of payout services may on the log in PostgreSQL, and all that it is refused."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from agents.logs import topic_plans
from recon_streams.book.migrate import migrate
from recon_streams.log.postgres_admin import PostgresAdmin
from recon_streams.testing.logs import until

pytestmark = pytest.mark.postgres

GUIDE = Path(__file__).parents[2] / "docs/how-to/guard-a-payout-service.md"
ROLE = "recon_payouts"
_APPEND = (
    "SELECT log.append(ARRAY[topic_id], ARRAY[0], ARRAY[1], ARRAY[1], ARRAY[0], ARRAY['k'::bytea], "
    "ARRAY[NULL::jsonb], ARRAY['v'::bytea]) FROM (VALUES (1), (2), (3), (4)) AS t (topic_id)"
)
# As the role would try it, in the order of what it would gain.
TRIES = [
    _APPEND,
    "SELECT log.append_text('recon.breaker', 0, 'all', '{}')",
    "SELECT log.append_text('recon.commands', 0, 'all', '{}')",
    "SELECT log.append_text('recon.breaker.acks', 0, 'p1', '{}')",
    "SELECT log.advance(ARRAY[1], ARRAY[0], ARRAY[1000000])",
    "INSERT INTO log.record VALUES (1, 0, 0, 'k', NULL, 'v', now())",
    "UPDATE log.partition SET next_off = next_off + 1",
    "DELETE FROM log.record",
    "TRUNCATE log.record",
    "UPDATE log.topic SET name = 'recon.breaker.acks' WHERE name = 'recon.commands'",
    "SELECT * FROM log.topic",
    "SELECT * FROM log.partition",
    "SELECT * FROM log.record",
    "SELECT * FROM log.identity",
    "LOCK TABLE log.partition IN ACCESS SHARE MODE",
    "SELECT * FROM positions.account",
    "SELECT * FROM book.input",
    "SELECT * FROM book.outbox",
    "INSERT INTO book.outbox (topic, payload) VALUES ('recon.breaker', '{}')",
    "SELECT * FROM breaker.scope",
    "SELECT * FROM approvals.request",
    "SELECT * FROM acks.client",
    "SELECT book.end_silent_holders(0)",
    "SELECT book.end_stuck_sessions(0)",
    "CREATE TABLE public.mine (a int)",
    "CREATE TABLE payouts.mine (a int)",
    "CREATE SCHEMA mine",
    "CREATE OR REPLACE FUNCTION payouts.look(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "DROP FUNCTION payouts.acknowledge",
    "ALTER FUNCTION payouts.acknowledge SET search_path = public",
    "GRANT recon_app TO recon_payouts",
    "SET ROLE recon_app",
    "SET ROLE recon",
    "ALTER ROLE recon_payouts SUPERUSER",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "COPY (SELECT 1) TO '/tmp/recon-payouts'",
    "SELECT pg_read_file('pg_hba.conf')",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()",
]


@pytest.fixture
async def owner(database: str) -> AsyncIterator[asyncpg.Pool]:
    await asyncio.to_thread(migrate, database)
    async with asyncpg.create_pool(database, min_size=1, max_size=3) as pool:
        await PostgresAdmin(pool).apply(topic_plans(partitions=2))
        yield pool


@pytest.fixture
async def service(owner: asyncpg.Pool, database: str) -> AsyncIterator[asyncpg.Connection]:
    """A session of the role's own, which may not go back to be the owner by SET ROLE."""
    assert await owner.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", ROLE)
    connection = await asyncpg.connect(database)
    await connection.execute(f"SET SESSION AUTHORIZATION {ROLE}")
    yield connection
    await connection.close()


async def append(owner: asyncpg.Pool, topic: str, value: str) -> None:
    await owner.execute("SELECT log.append_text($1, 0, 'all', $2)", topic, value)


async def ends(owner: asyncpg.Pool) -> dict[str, int]:
    rows = await owner.fetch(
        "SELECT name, sum(next_off)::bigint FROM log.topic JOIN log.partition USING (topic_id) "
        "GROUP BY name"
    )
    return {row["name"]: row["sum"] for row in rows}


async def test_what_a_payout_service_has_no_business_with_is_refused(
    service: asyncpg.Connection, owner: asyncpg.Pool
) -> None:
    before = await ends(owner)
    allowed = []
    for statement in TRIES:
        try:
            async with service.transaction():
                await service.execute(statement)
            allowed.append(statement)
        except asyncpg.InsufficientPrivilegeError:
            pass
    assert allowed == []
    assert await ends(owner) == before


async def test_the_role_may_run_two_functions_and_touch_no_table(owner: asyncpg.Pool) -> None:
    ours = "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
    tables = await owner.fetch(
        "SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n "
        f"ON n.oid = c.relnamespace WHERE {ours} AND c.relkind IN ('r', 'p', 'v', 'm', 'f') "
        "AND (has_any_column_privilege($1, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES') "
        "OR has_table_privilege($1, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER'))",
        ROLE,
    )
    assert [table for (table,) in tables] == []
    functions = await owner.fetch(
        "SELECT n.nspname || '.' || p.proname FROM pg_proc AS p JOIN pg_namespace AS n "
        f"ON n.oid = p.pronamespace WHERE {ours} AND has_schema_privilege($1, n.oid, 'USAGE') "
        "AND has_function_privilege($1, p.oid, 'EXECUTE') ORDER BY 1",
        ROLE,
    )
    assert [name for (name,) in functions] == ["payouts.acknowledge", "payouts.look"]
    assert await owner.fetchval("SELECT count(*) FROM pg_class WHERE relkind = 'r'") > 50


async def test_it_sees_the_breaker_and_no_other_topic(
    service: asyncpg.Connection, owner: asyncpg.Pool
) -> None:
    for topic in sorted(await ends(owner)):
        await append(owner, topic, f"in {topic}")
    rows = await service.fetch("SELECT * FROM payouts.look(0, 100, 1000)")
    assert [(row["next_off"], row["off"], row["payload"]) for row in rows] == [
        (1, 0, b"in recon.breaker")
    ]
    (cut,) = await service.fetch("SELECT * FROM payouts.look(0, 100, 2)")
    assert cut["payload"] == b"in"
    (end,) = await service.fetch("SELECT * FROM payouts.look(1, 100, 1000)")
    assert (end["next_off"], end["off"]) == (1, None)


async def test_it_appends_to_the_acknowledgements_only(
    service: asyncpg.Connection, owner: asyncpg.Pool
) -> None:
    before = await ends(owner)
    assert await service.fetchval("SELECT payouts.acknowledge('p1', '{}')") == 0
    assert await service.fetchval("SELECT payouts.acknowledge('p1', '{}')") == 1
    after = await ends(owner)
    assert {name for name in after if after[name] != before[name]} == {"recon.breaker.acks"}
    (row, _) = await owner.fetch("SELECT * FROM log.record ORDER BY off")
    assert (row["key"], row["payload"], row["headers"]) == (b"p1", b"{}", None)


async def test_names_of_its_own_lead_no_append_elsewhere(
    service: asyncpg.Connection, owner: asyncpg.Pool
) -> None:
    """A function with its owner's rights must not look names up where the caller put them."""
    before = await ends(owner)
    await service.execute(
        "CREATE TEMP TABLE topic (topic_id int, name text);"
        "INSERT INTO topic SELECT n, 'recon.breaker.acks' FROM generate_series(1, 40) AS n;"
        "CREATE FUNCTION pg_temp.octet_length(text) RETURNS int LANGUAGE sql AS 'SELECT 0';"
        "CREATE FUNCTION pg_temp.octet_length(bytea) RETURNS int LANGUAGE sql AS 'SELECT 0';"
        "SET search_path = pg_temp, pg_catalog"
    )
    await service.execute("SELECT payouts.acknowledge('p1', '{}')")
    after = await ends(owner)
    assert {name for name in after if after[name] != before[name]} == {"recon.breaker.acks"}
    with pytest.raises(asyncpg.ProgramLimitExceededError):
        await service.execute("SELECT payouts.acknowledge('p1', $1)", b" " * 65_537)


async def test_an_acknowledgement_has_an_end(
    service: asyncpg.Connection, owner: asyncpg.Pool
) -> None:
    long = ("p1", b" " * 65_537), ("p" * 1001, b"{}")
    for client_id, said in (*long, (None, b"{}"), ("p1", None)):
        with pytest.raises(asyncpg.ProgramLimitExceededError):
            await service.execute("SELECT payouts.acknowledge($1, $2)", client_id, said)
    assert set((await ends(owner)).values()) == {0}


async def test_an_acknowledgement_that_has_nowhere_to_go_is_told(
    service: asyncpg.Connection, owner: asyncpg.Pool
) -> None:
    await owner.execute("UPDATE log.topic SET name = 'gone' WHERE name = 'recon.breaker.acks'")
    with pytest.raises(asyncpg.UndefinedObjectError, match=r"no topic recon\.breaker\.acks"):
        await service.execute("SELECT payouts.acknowledge('p1', '{}')")


async def test_locks_are_for_the_daemon_where_the_guide_was_followed(
    service: asyncpg.Connection, owner: asyncpg.Pool
) -> None:
    (block,) = re.findall(r"```sql\n(SELECT .*?)\\gexec\n```", GUIDE.read_text(), re.DOTALL)
    for row in await owner.fetch(block):
        for statement in row:
            await owner.execute(statement)
    for lock in ("pg_advisory_lock(1)", "pg_try_advisory_xact_lock_shared(1, 2)"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service.execute(f"SELECT {lock}")
    async with owner.acquire() as daemon:
        await daemon.execute("SET ROLE recon_app; SELECT pg_try_advisory_lock(1); RESET ROLE")


async def test_it_may_listen_to_the_log(service: asyncpg.Connection, owner: asyncpg.Pool) -> None:
    heard: list[object] = []
    await service.add_listener("recon_log", lambda *_: heard.append(_))
    await append(owner, "recon.breaker", "{}")
    await until(lambda: bool(heard))
