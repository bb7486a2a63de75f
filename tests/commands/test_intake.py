"""Another system stops a scope: at once, once, and it can start nothing."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec
import pytest

from recon_streams.book.intake import Reading
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.commands.intake import Commands
from recon_streams.kernel.clock import utc_now
from recon_streams.kernel.disposition import Disposition, Held, Outcome
from recon_streams.kernel.refusal import RefusalCode, Refused
from recon_streams.log.record import Record
from recon_streams.positions.registry_store import DirectoryCache

pytestmark = pytest.mark.postgres

A, B, CORRIDOR = "account:A:AED", "account:B:AED", "corridor:AE-IN"


def command(offset: int, scope: str = A, *, key: str | None = None, **fields: Any) -> Record:
    said = {
        "kind": "trip",
        "command_id": f"c-{offset}",
        "scope": scope,
        "reason": "take-over suspected",
        "actor": "fraud-desk",
        "asked_at": "2026-11-20T08:41:02Z",
        **fields,
    }
    named = scope if key is None else key
    value = msgspec.json.encode(said)
    return Record("recon.commands", 0, offset, named.encode(), value, (), utc_now())


async def decide(pool: asyncpg.Pool, *records: Record) -> Sequence[Outcome]:
    intake, readings = Commands(DirectoryCache()), []
    for each in records:
        try:
            readings.append(Reading(each, intake.read(each)))
        except Refused as refused:
            readings.append(Reading(each, None, Held.of(refused)))
    async with UnitOfWork(pool) as unit:
        return await intake.decide(unit, readings)


async def state(pool: asyncpg.Pool, scope: str) -> tuple[str, int]:
    row = await pool.fetchrow("SELECT state, epoch FROM breaker.scope WHERE scope = $1", scope)
    assert row is not None
    return row["state"], row["epoch"]


@pytest.mark.parametrize("scope", [A, CORRIDOR, "all", "drill:fire"])
async def test_a_command_opens_any_scope_and_says_who_asked(pool: asyncpg.Pool, scope: str) -> None:
    (outcome,) = await decide(pool, command(0, scope))
    assert outcome.disposition is Disposition.APPLIED
    assert (await state(pool, scope))[0] == "OPEN"
    row = await pool.fetchrow(
        "SELECT actor, words FROM breaker.transition WHERE scope = $1 ORDER BY epoch DESC LIMIT 1",
        scope,
    )
    assert row["actor"] == "fraud-desk by recon.commands/0/0"
    assert row["words"] == "take-over suspected"
    sent = await pool.fetchval(
        "SELECT count(*) FROM book.outbox WHERE topic = 'recon.breaker' AND key = $1 "
        "AND convert_from(payload, 'UTF8')::json->>'state' = 'OPEN'",
        scope.encode(),
    )
    assert sent == 1


async def test_a_command_said_twice_has_one_effect(pool: asyncpg.Pool) -> None:
    first, again = await decide(pool, command(0), command(1, command_id="c-0"))
    (later,) = await decide(pool, command(2, command_id="c-0"))
    assert first.disposition is Disposition.APPLIED
    assert [again.disposition, later.disposition] == [Disposition.DUPLICATE] * 2
    assert await state(pool, A) == ("OPEN", 2)


async def test_a_command_id_that_says_something_else_is_held(pool: asyncpg.Pool) -> None:
    await decide(pool, command(0))
    (outcome,) = await decide(pool, command(1, B, command_id="c-0"))
    assert [each.code for each in outcome.held] == [RefusalCode.ID_CONFLICT]
    assert await state(pool, B) == ("SUSPENDED", 1)


async def test_an_unknown_scope_is_held_and_stops_no_other_command(pool: asyncpg.Pool) -> None:
    outcomes = await decide(
        pool,
        command(0, "account:C:AED"),
        command(1, B),
        command(2, "corridor:XX-YY"),
        command(3, "everything"),
        command(4, A),
    )
    codes = [[held.code for held in each.held] for each in outcomes]
    unknown = [RefusalCode.UNKNOWN_SCOPE]
    assert codes == [unknown, [], unknown, unknown, []]
    assert [(await state(pool, each))[0] for each in (A, B)] == ["OPEN", "OPEN"]
    assert await pool.fetchval("SELECT count(*) FROM acks.command") == 2


async def test_a_command_held_for_its_scope_works_once_the_scope_is_there(
    pool: asyncpg.Pool,
) -> None:
    held = command(0, "account:C:AED", command_id="c-9")
    await decide(pool, held)
    (again,) = await decide(pool, command(1, A, command_id="c-9"))
    assert again.disposition is Disposition.APPLIED, "what was held has taken up no id"


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"kind": "reset"}, RefusalCode.UNKNOWN_KIND, "/kind"),
        ({"key": B}, RefusalCode.INVALID_IDENTIFIER, "/scope"),
        ({"reason": " "}, RefusalCode.INVALID_IDENTIFIER, "/reason"),
        ({"reason": "x" * 501}, RefusalCode.INVALID_IDENTIFIER, "/reason"),
        ({"actor": "a\x00b"}, RefusalCode.INVALID_IDENTIFIER, "/actor"),
        ({"asked_at": "2096-11-20T08:41:02Z"}, RefusalCode.FUTURE_INSTANT, "/asked_at"),
        ({"schema_version": 2}, RefusalCode.UNKNOWN_SCHEMA_VERSION, "/schema_version"),
    ],
)
def test_what_is_wrong_is_named_by_field(
    fields: dict[str, Any], code: RefusalCode, field: str
) -> None:
    with pytest.raises(Refused) as caught:
        Commands(DirectoryCache()).read(command(0, **fields))
    assert (caught.value.code, caught.value.field) == (code, field)
