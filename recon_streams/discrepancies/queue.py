"""Reads discrepancies for people: what waits, how old and how late it is, and the whole story."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import asyncpg
import msgspec

from recon_streams.discrepancies import store
from recon_streams.discrepancies.change import Discrepancy
from recon_streams.discrepancies.deadline import age_business_days, bucket_of
from recon_streams.discrepancies.finding import Kind
from recon_streams.kernel.money import amount_text
from topics.alerts import Severity
from topics.discrepancies import DiscrepancyState as State

# Ages depend on each bank's days off, which the server does not know; so many are looked at.
_LOOKED_AT_MAX: Final = 20_000
_MOST_URGENT_FIRST: Final = [
    severity.value
    for severity in (Severity.CRITICAL, Severity.ERROR, Severity.WARNING, Severity.INFO)
]
_SELECT: Final = (
    f"SELECT {store.COLUMNS} FROM discrepancies.discrepancy AS d "  # noqa: S608 - ours
    "JOIN positions.account AS a USING (number) "
)
_LIST: Final = (
    _SELECT + "WHERE ($1 OR d.state <> 'RESOLVED') "
    "AND ($2 OR d.snoozed_until IS NULL OR d.snoozed_until <= $3) "
    "AND ($4::text IS NULL OR d.kind = $4) AND ($5::text IS NULL OR a.account_id = $5) "
    "AND ($6::text IS NULL OR d.severity = $6) AND ($7::text IS NULL OR d.owner = $7) "
    "AND (NOT $8 OR d.state <> 'RESOLVED' AND d.due_at <= $3) "
    "ORDER BY d.state = 'RESOLVED', array_position($9::text[], d.severity), d.due_at, d.id "
    "LIMIT $10"
)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which discrepancies to list; by default what waits for somebody now.

    Attributes:
        asleep: Also those that were snoozed.
        resolved: Also those that are resolved.
        past_due: Only those whose time is up.
        bucket: Only those of an age, by the name of the bucket.
    """

    asleep: bool = False
    resolved: bool = False
    kind: Kind | None = None
    account_id: str | None = None
    severity: Severity | None = None
    owner: str | None = None
    past_due: bool = False
    bucket: str | None = None


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One discrepancy as people read it; amounts as decimal text.

    Attributes:
        age_business_days: Since this life of it began until now, or until it was resolved.
        bucket: The range of ages it falls into.
    """

    id: int
    kind: Kind
    account_id: str
    currency: str
    subject: str
    state: State
    severity: Severity
    owner: str | None
    amount: str | None
    facts: dict[str, str]
    on: date | None
    opened_at: datetime
    first_seen: datetime
    last_seen: datetime
    occurrences: int
    reopenings: int
    due_at: datetime
    is_past_due: bool
    age_business_days: int
    bucket: str
    snoozed_until: datetime | None
    resolved_at: datetime | None
    reason_code: str | None
    reason: str | None


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """One action of its story; `body` is all of it, as JSON."""

    sequence: int
    at: datetime
    actor: str
    kind: str
    from_state: State | None
    to_state: State
    source: str | None
    evidence: str | None
    reason_code: str | None
    reason: str | None
    body: msgspec.Raw


async def read(
    pool: asyncpg.Pool, wanted: Wanted, *, now: datetime, rows_max: int = 1_000
) -> list[Listed]:
    """Return what is wanted: the most urgent first, then what is due first."""
    rows = await pool.fetch(
        _LIST,
        wanted.resolved,
        wanted.asleep or wanted.resolved,
        now,
        None if wanted.kind is None else wanted.kind.value,
        wanted.account_id,
        None if wanted.severity is None else wanted.severity.value,
        wanted.owner,
        wanted.past_due,
        _MOST_URGENT_FIRST,
        rows_max if wanted.bucket is None else _LOOKED_AT_MAX,
    )
    listed = await _listed(pool, [store.discrepancy_of(row) for row in rows], now)
    return [each for each in listed if wanted.bucket in {None, each.bucket}][:rows_max]


async def read_one(
    pool: asyncpg.Pool, discrepancy_id: int, *, now: datetime, actions_max: int = 10_000
) -> tuple[Listed, list[Happened]] | None:
    """Return one discrepancy with its story, oldest first; None if nothing has that id.

    Of a story longer than `actions_max` the newest part is returned.
    """
    row = await pool.fetchrow(_SELECT + "WHERE d.id = $1", discrepancy_id)
    if row is None:
        return None
    (listed,) = await _listed(pool, [store.discrepancy_of(row)], now)
    actions = await pool.fetch(
        "SELECT * FROM (SELECT sequence, at, actor, kind, from_state, to_state, source, evidence, "
        "reason_code, reason, body FROM discrepancies.action WHERE discrepancy = $1 "
        "ORDER BY sequence DESC LIMIT $2) AS a ORDER BY sequence",
        discrepancy_id,
        actions_max,
    )
    return listed, [_happened(action) for action in actions]


async def _listed(pool: asyncpg.Pool, found: Sequence[Discrepancy], now: datetime) -> list[Listed]:
    accounts = await store.accounts(pool, {each.cause.account for each in found})
    return [_of(each, accounts[each.cause.account], now) for each in found]


def _of(discrepancy: Discrepancy, account: store.Account, now: datetime) -> Listed:
    cause, life = discrepancy.cause, discrepancy.life
    age = age_business_days(life.opened_at, life.resolved_at or now, account.working)
    return Listed(
        id=discrepancy.id,
        kind=cause.kind,
        account_id=account.named.account_id,
        currency=account.named.currency,
        subject=cause.subject,
        state=life.state,
        severity=life.severity,
        owner=life.owner,
        amount=None if life.amount is None else amount_text(life.amount),
        facts=life.facts,
        on=life.on,
        opened_at=life.opened_at,
        first_seen=life.first_seen,
        last_seen=life.last_seen,
        occurrences=life.occurrences,
        reopenings=life.reopenings,
        due_at=life.due_at,
        is_past_due=life.is_open and life.due_at <= now,
        age_business_days=age,
        bucket=bucket_of(age).name,
        snoozed_until=life.snoozed_until if life.is_snoozed(now) else None,
        resolved_at=life.resolved_at,
        reason_code=None if life.reason_code is None else life.reason_code.value,
        reason=life.reason,
    )


def _happened(row: asyncpg.Record) -> Happened:
    return Happened(
        sequence=row["sequence"],
        at=row["at"],
        actor=row["actor"],
        kind=row["kind"],
        from_state=None if row["from_state"] is None else State(row["from_state"]),
        to_state=State(row["to_state"]),
        source=row["source"],
        evidence=row["evidence"],
        reason_code=row["reason_code"],
        reason=row["reason"],
        body=msgspec.Raw(row["body"].encode()),
    )
