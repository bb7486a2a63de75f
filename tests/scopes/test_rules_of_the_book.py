"""What the database itself does not let happen to a breaker, whoever writes: asked of it in SQL.

All statements run with the rights of the program.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from recon_streams.book.migrate import migrate
from recon_streams.testing.postgres import TestPostgres

pytestmark = pytest.mark.postgres

TRANSITION = (
    "INSERT INTO breaker.transition (scope, epoch, seq, from_state, to_state, reason, evidence, "
    "evidence_hash, decided_at, parents, actor, words, approval_id, maker, checker, "
    "override_until) SELECT scope, epoch + $2, seq + $2, coalesce($3, state), $4, $5, '', '', "
    "statement_timestamp(), CASE WHEN kind IN ('account', 'corridor') THEN '{all}' ELSE '{}' "
    "END::text[], 'test', $6, $7, $8, $9, "
    "statement_timestamp() + $10::int * interval '1 minute' FROM breaker.scope WHERE scope = $1"
)
TWO = {"words": "seen at the bank, case 4711", "approval_id": 7}
TWO |= {"maker": "amal", "checker": "bashir"}


class Book:
    """A book with `all`, an account that has no evidence yet, and a drill; undone afterwards."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def make(self) -> None:
        await self.make_account("AE-1")
        await self.do("INSERT INTO breaker.scope (scope, kind) VALUES ('drill:1', 'drill')")
        await self.move(ACCOUNT, "SUSPENDED", reason="NO_EVIDENCE")
        await self.move("drill:1", "CLOSED", reason="INSTALLED")

    async def make_account(self, account_id: str) -> None:
        number = await self.do(
            "INSERT INTO positions.account (account_id, currency) VALUES ($1, 'AED') "
            "RETURNING number",
            account_id,
        )
        await self.do(
            "INSERT INTO breaker.scope (scope, kind, number) VALUES ($1, 'account', $2)",
            f"account:{account_id}:AED",
            number,
        )

    async def do(self, statement: str, *arguments: Any) -> Any:
        async with self.connection.transaction():
            return await self.connection.fetchval(statement, *arguments)

    async def move(self, scope: str, to_state: str, **said: Any) -> None:
        await self.do(TRANSITION, *moved(scope, to_state, **said))

    async def newest(self, scope: str) -> tuple[str, int]:
        return (
            await self.do("SELECT state FROM breaker.scope WHERE scope = $1", scope),
            await self.do("SELECT epoch FROM breaker.scope WHERE scope = $1", scope),
        )


def moved(scope: str, to_state: str, **said: Any) -> tuple[Any, ...]:
    names = ("approval_id", "maker", "checker", "minutes")
    said = {"step": 1, "from_state": None, "reason": "R", "words": ""} | said
    return (
        scope,
        said["step"],
        said["from_state"],
        to_state,
        said["reason"],
        said["words"],
        *(said.get(name) for name in names),
    )


@pytest.fixture(scope="module")
def dsn(postgres: TestPostgres) -> str:
    name = f"t_{secrets.token_hex(6)}"

    async def run(dsn: str, statement: str) -> None:
        connection = await asyncpg.connect(dsn)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run(postgres.dsn, f"CREATE DATABASE {name}"))
    migrate(postgres.dsn_of(name))
    # Whether two people really agreed is the business of the approvals and asked there.
    guard = (
        "DROP TRIGGER IF EXISTS two_people ON breaker.transition;"
        "ALTER TABLE breaker.transition DROP CONSTRAINT IF EXISTS transition_approval"
    )
    asyncio.run(run(postgres.dsn_of(name), guard))
    return postgres.dsn_of(name)


@pytest.fixture
async def book(dsn: str) -> AsyncIterator[Book]:
    connection = await asyncpg.connect(dsn)
    await connection.execute("SET ROLE recon_app")
    transaction = connection.transaction()
    await transaction.start()
    made = Book(connection)
    await made.make()
    yield made
    await transaction.rollback()
    await connection.close()


ACCOUNT = "account:AE-1:AED"


async def test_all_is_there_from_the_first_day_and_lets_pass(book: Book) -> None:
    assert await book.newest("all") == ("CLOSED", 1)
    published = await book.do(
        "SELECT convert_from(payload, 'UTF8')::json ->> 'state' FROM book.outbox "
        "WHERE topic = 'recon.breaker' AND key = 'all'"
    )
    assert published == "CLOSED"


async def test_the_newest_state_follows_the_transitions(book: Book) -> None:
    await book.move(ACCOUNT, "CLOSED", reason="EQUAL")
    assert await book.newest(ACCOUNT) == ("CLOSED", 2)
    await book.move(ACCOUNT, "OPEN", reason="SHORTAGE")
    assert await book.newest(ACCOUNT) == ("OPEN", 3)


@pytest.mark.parametrize("step", [-1, 0, 2])
async def test_an_epoch_follows_on_the_one_before(book: Book, step: int) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="does not follow"):
        await book.move(ACCOUNT, "OPEN", step=step)
    assert await book.newest(ACCOUNT) == ("SUSPENDED", 1)


async def test_nobody_can_lie_about_the_state_before(book: Book) -> None:
    await book.move(ACCOUNT, "OPEN", reason="SHORTAGE")
    with pytest.raises(asyncpg.CheckViolationError, match="it was OPEN"):
        await book.move(ACCOUNT, "CLOSED", from_state="SUSPENDED")


async def test_an_account_is_not_born_closed(book: Book) -> None:
    await book.make_account("AE-2")
    with pytest.raises(asyncpg.CheckViolationError, match="begins without evidence"):
        await book.move("account:AE-2:AED", "CLOSED")


@pytest.mark.parametrize("to_state", ["CLOSED", "SUSPENDED"])
@pytest.mark.parametrize(
    "said",
    [
        {},
        {**TWO, "approval_id": None},
        {**TWO, "checker": None},
        {**TWO, "maker": ""},
        {**TWO, "words": "  "},
        {**TWO, "checker": "amal"},
        {**TWO, "checker": " A mal "},
        {**TWO, "checker": "ａｍａｌ"},  # noqa: RUF001 - the same letters, wide
        {**TWO, "checker": "am\u200bal"},
    ],
    ids=str,
)
async def test_nothing_leaves_open_without_two_people_and_a_reason(
    book: Book, to_state: str, said: dict[str, Any]
) -> None:
    await book.move(ACCOUNT, "OPEN", reason="SHORTAGE")
    with pytest.raises(asyncpg.CheckViolationError, match="two people"):
        await book.move(ACCOUNT, to_state, reason="EQUAL", **said)
    assert await book.newest(ACCOUNT) == ("OPEN", 2)


async def test_two_people_let_it_go(book: Book) -> None:
    await book.move(ACCOUNT, "OPEN", reason="SHORTAGE")
    await book.move(ACCOUNT, "CLOSED", reason="RESET", **TWO)
    assert await book.newest(ACCOUNT) == ("CLOSED", 3)


@pytest.mark.parametrize("reason", ["RESET", "OVERRIDE"])
async def test_a_suspension_is_let_go_by_two_people_or_by_proof(book: Book, reason: str) -> None:
    minutes = 10 if reason == "OVERRIDE" else None
    with pytest.raises(asyncpg.CheckViolationError, match="two people"):
        await book.move(ACCOUNT, "CLOSED", reason=reason, minutes=minutes)
    await book.move(ACCOUNT, "CLOSED", reason="EQUAL")
    assert await book.newest(ACCOUNT) == ("CLOSED", 2)


async def test_all_is_stopped_by_one_and_let_go_by_two(book: Book) -> None:
    await book.move("all", "OPEN", reason="MANUAL_TRIP")
    with pytest.raises(asyncpg.CheckViolationError, match="two people"):
        await book.move("all", "CLOSED", reason="EQUAL")
    await book.move("all", "CLOSED", reason="RESET", **TWO)


async def test_a_drill_is_ended_by_one(book: Book) -> None:
    await book.move("drill:1", "OPEN", reason="MANUAL_TRIP")
    await book.move("drill:1", "CLOSED", reason="EXERCISE_OVER")
    assert await book.newest("drill:1") == ("CLOSED", 3)


@pytest.mark.parametrize("minutes", [None, 31, 600])
async def test_an_override_has_an_end_within_thirty_minutes(
    book: Book, minutes: int | None
) -> None:
    await book.move(ACCOUNT, "OPEN", reason="SHORTAGE")
    with pytest.raises(asyncpg.CheckViolationError):
        await book.move(ACCOUNT, "CLOSED", reason="OVERRIDE", minutes=minutes, **TWO)
    await book.move(ACCOUNT, "CLOSED", reason="OVERRIDE", minutes=30, **TWO)
    assert await book.do("SELECT count(override_until) FROM breaker.scope") == 1
    await book.move(ACCOUNT, "OPEN", reason="OVERRIDE_ENDED")
    assert await book.do("SELECT count(override_until) FROM breaker.scope") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE breaker.transition SET to_state = 'CLOSED'",
        "DELETE FROM breaker.transition",
        "TRUNCATE breaker.transition",
        "UPDATE breaker.scope SET state = 'CLOSED'",
        "UPDATE breaker.scope SET epoch = 99",
        "UPDATE breaker.scope SET parents = '{}'",
        "UPDATE breaker.scope SET kind = 'drill'",
        "UPDATE breaker.scope SET override_until = NULL",
        "DELETE FROM breaker.scope",
        "INSERT INTO breaker.scope (scope, kind, epoch) VALUES ('drill:2', 'drill', 1)",
        "ALTER TABLE breaker.transition DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
    ],
)
async def test_the_program_cannot_rewrite_what_happened(book: Book, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await book.do(statement)


@pytest.mark.parametrize(
    "row",
    ["('drill:2', 'account', NULL)", "('account:X:AED', 'account', NULL)", "('x', 'drill', NULL)"],
)
async def test_a_scope_is_what_its_name_says(book: Book, row: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await book.do(f"INSERT INTO breaker.scope (scope, kind, number) VALUES {row}")


async def test_two_at_once_do_not_both_take_the_next_epoch(dsn: str) -> None:
    one, other = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    await one.execute("INSERT INTO breaker.scope (scope, kind) VALUES ('drill:2', 'drill')")
    async with one.transaction():
        await one.execute(TRANSITION, *moved("drill:2", "OPEN"))
        waiting = asyncio.create_task(other.execute(TRANSITION, *moved("drill:2", "CLOSED")))
        await asyncio.sleep(0.2)
        assert not waiting.done()
    with pytest.raises(asyncpg.CheckViolationError):
        await waiting
    found = await one.fetchval("SELECT state FROM breaker.scope WHERE scope = 'drill:2'")
    assert found == "OPEN"
    await one.close()
    await other.close()
