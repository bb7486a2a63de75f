"""What is known of each account now, read from the book: figures, verdict, breaker, coverage."""

from collections.abc import AsyncIterator
from datetime import datetime

import asyncpg
import msgspec

from recon_streams.positions.directory import Directory
from recon_streams.positions.event import AccountEvent, event_from_bytes
from recon_streams.positions.messages import position_of
from recon_streams.positions.state import AccountState, state_from_bytes
from recon_streams.positions.step import Step
from recon_streams.positions.verdict import evaluate
from topics.positions import Position, Tier


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """Over what the verdict holds: one source, how far it was read, and how old that is."""

    topic: str
    partition: int
    next_offset: int
    decided_through: datetime | None
    age_seconds: float | None


class AccountStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One account as somebody looking at it now should see it.

    `position` is evaluated at the moment of asking, so that silence shows even where no tick has
    recorded it yet; `breaker_*` is what was decided and published.
    """

    scope: str
    position: Position
    breaker_state: str
    breaker_epoch: int
    breaker_reason: str
    breaker_since: datetime


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why an account has its verdict: the rule, its numbers, and the event that moved it last."""

    status: AccountStatus
    rules: dict[str, str]
    last_event: AccountEvent
    last_sequence: int
    transitions: tuple[str, ...]


async def read_status(
    pool: asyncpg.Pool, directory: Directory, *, now: datetime, account_id: str | None = None
) -> list[AccountStatus]:
    """Return the status of every account, or of those called `account_id`, by scope."""
    rows = await pool.fetch("SELECT number, state FROM positions.account_state")
    found = [status_of(directory, row["number"], row["state"], now) for row in rows]
    wanted = [s for s in found if account_id is None or s.position.account_id == account_id]
    return sorted(wanted, key=lambda status: status.scope)


async def status_pages(
    pool: asyncpg.Pool, directory: Directory, *, now: datetime, rows_max: int = 500
) -> AsyncIterator[list[AccountStatus]]:
    """Yield every account in pages small enough to let other work go on between them."""
    last = -1
    while rows := await pool.fetch(
        "SELECT number, state FROM positions.account_state WHERE number > $1 "
        "ORDER BY number LIMIT $2",
        last,
        rows_max,
    ):
        yield [status_of(directory, row["number"], row["state"], now) for row in rows]
        last = rows[-1]["number"]


async def read_coverage(pool: asyncpg.Pool, *, now: datetime) -> list[Coverage]:
    """Return how far each stream has been decided, by offset and by time."""
    rows = await pool.fetch(
        "SELECT topic, part, next_offset, through_at FROM book.stream ORDER BY topic, part"
    )
    return [
        Coverage(
            topic=row["topic"],
            partition=row["part"],
            next_offset=row["next_offset"],
            decided_through=row["through_at"],
            age_seconds=_age(row["through_at"], now),
        )
        for row in rows
    ]


async def explain(pool: asyncpg.Pool, directory: Directory, status: AccountStatus) -> Explanation:
    """Return why `status` is what it is."""
    account = directory.by_ledger(status.position.account_id, status.position.currency)
    assert account is not None, "a status is of a registered account"
    event = await pool.fetchrow(
        "SELECT sequence, event FROM positions.account_event WHERE number = $1 "
        "ORDER BY sequence DESC LIMIT 1",
        account.number,
    )
    assert event is not None, "an account is registered by an event"
    transitions = await pool.fetch(
        "SELECT epoch, from_state, to_state, reason, decided_at "
        "FROM breaker.transition WHERE scope = $1 ORDER BY epoch DESC LIMIT 10",
        account.scope,
    )
    limits = account.rules.limits
    return Explanation(
        status=status,
        rules={
            "version": str(account.rules.version),
            "minor_percent": str(limits.minor_percent),
            "significant_percent": str(limits.significant_percent),
            "critical_percent": str(limits.critical_percent),
        },
        last_event=event_from_bytes(event["event"]),
        last_sequence=event["sequence"],
        transitions=tuple(
            f"{row['decided_at']:%Y-%m-%dT%H:%M:%S.%fZ} {row['from_state'] or 'none'} -> "
            f"{row['to_state']} ({row['reason']}), epoch {row['epoch']}"
            for row in transitions
        ),
    )


def is_covered(status: AccountStatus) -> bool:
    """Return whether the verdict rests on fresh figures of both sides."""
    return status.position.tier is not Tier.UNKNOWN


def status_of(directory: Directory, number: int, payload: bytes, now: datetime) -> AccountStatus:
    """Return the status of one account from its stored state, evaluated at `now`."""
    account = directory.by_number(number)
    state: AccountState = state_from_bytes(payload)
    at = max(now, state.evaluated_at)
    current = msgspec.structs.replace(state, evaluated_at=at)
    verdict = evaluate(current, account.rules, at)
    position = position_of(account, Step(state=current, verdict=verdict, transition=None))
    breaker = state.breaker
    return AccountStatus(
        scope=account.scope,
        position=position,
        breaker_state=breaker.state.value,
        breaker_epoch=breaker.epoch,
        breaker_reason=breaker.reason,
        breaker_since=breaker.since,
    )


def _age(through_at: datetime | None, now: datetime) -> float | None:
    return None if through_at is None else max(0.0, (now - through_at).total_seconds())
