"""Where every scope stands, read from the book: state, cause, what holds it, what is pending."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec

from recon_streams.breaker.scope import ScopeState, clears_at
from recon_streams.kernel.money import amount_text
from recon_streams.positions.directory import Account, Directory
from recon_streams.positions.event import ItemKind
from recon_streams.positions.in_flight import is_overdue, is_settled
from recon_streams.positions.state import AccountState, Item, state_from_bytes
from recon_streams.positions.step import clearance_of
from recon_streams.positions.verdict import evaluate

_SCOPES: Final = """
SELECT s.*, t.actor, t.maker, t.checker, t.words, t.reason AS rule, t.evidence_hash,
    t.approval_id, a.state AS account
FROM breaker.scope AS s CROSS JOIN LATERAL (
    -- What led to the state: not a record that only told of other parents.
    SELECT * FROM breaker.transition AS t WHERE t.scope = s.scope
        AND (t.from_state IS DISTINCT FROM t.to_state OR t.words <> '')
    ORDER BY t.epoch DESC LIMIT 1
) AS t LEFT JOIN positions.account_state AS a ON a.number = s.number
WHERE $1::text IS NULL OR s.scope = $1 ORDER BY s.number IS NOT NULL, s.scope
"""
_HISTORY: Final = """
SELECT scope, epoch, seq, from_state, to_state, reason, decided_at, actor, words, approval_id,
    maker, checker, override_until, parents, evidence, evidence_hash
FROM breaker.transition WHERE scope = $1 ORDER BY epoch DESC LIMIT $2
"""


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The permission behind every yes: how much of it is left, by the clock of the book."""

    publisher_id: str
    publisher_epoch: int
    lease_seq: int
    left_ms: int


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that is under way from a stopped account: to be finished or recalled.

    Attributes:
        at_bank: Whether the bank has booked any of it; then it cannot be held back here.
    """

    reference: str
    kind: str
    amount: str
    due_at: datetime
    at_bank: bool
    overdue: bool


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an account now, and since when."""

    tier: str
    rule: str
    difference: str | None
    unexplained: str | None
    bank_as_of: datetime | None
    ledger_as_of: datetime | None


class ScopeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One scope.

    Attributes:
        may_pay: It and everything above it is CLOSED; a lease is needed besides.
        held_by: The scopes above it that are not CLOSED.
        since: When its state was entered,
        actor: by whom; the program itself where it was an evaluation,
        maker: or by which two people,
        rule: under which rule or order,
        words: and what they said.
        clean: Clean evaluations since it was calm, of `clean_needed`, if it is suspended.
        clears_at: When a suspension that has them all may clear.
    """

    scope: str
    state: str
    epoch: int
    seq: int
    reason: str
    since: datetime
    decided_at: datetime
    actor: str
    words: str
    evidence_hash: str
    may_pay: bool
    parents: tuple[str, ...]
    held_by: tuple[str, ...]
    approval_id: int | None = None
    maker: str | None = None
    checker: str | None = None
    rule: str = ""
    override_until: datetime | None = None
    flapping: bool = False
    clean: int = 0
    clean_needed: int = 0
    clears_at: datetime | None = None
    evidence: Evidence | None = None
    pending: tuple[Pending, ...] = ()


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """One transition, as it was recorded."""

    scope: str
    epoch: int
    seq: int
    from_state: str | None
    to_state: str
    reason: str
    decided_at: datetime
    actor: str
    words: str
    approval_id: int | None
    maker: str | None
    checker: str | None
    override_until: datetime | None
    parents: tuple[str, ...]
    evidence: msgspec.Raw
    evidence_hash: str


async def read_lease(pool: asyncpg.Pool) -> Lease | None:
    """Return the newest lease; None if there never was one."""
    row = await pool.fetchrow(
        "SELECT publisher_id, publisher_epoch, lease_seq, greatest(0, ceil(extract(epoch FROM "
        "lease_until - clock_timestamp()) * 1000))::int AS left_ms FROM book.publisher "
        "WHERE lease_until IS NOT NULL"
    )
    return None if row is None else Lease(**dict(row))


async def read_scopes(
    pool: asyncpg.Pool, directory: Directory, *, now: datetime, scope: str | None = None
) -> list[ScopeStatus]:
    """Return where each scope stands, or `scope` alone: those above accounts first."""
    rows = await pool.fetch(_SCOPES, scope)
    above = await pool.fetch("SELECT scope, state FROM breaker.scope WHERE number IS NULL")
    states = {row["scope"]: row["state"] for row in above}
    return [_status(row, directory, states, now) for row in rows]


async def read_history(pool: asyncpg.Pool, scope: str, *, rows_max: int) -> list[Happened]:
    """Return the newest transitions of `scope`, the newest first."""
    return [
        Happened(
            **dict(row)
            | {"evidence": msgspec.Raw(row["evidence"]), "parents": tuple(row["parents"])}
        )
        for row in await pool.fetch(_HISTORY, scope, rows_max)
    ]


def pending_of(state: AccountState, now: datetime) -> tuple[Pending, ...]:
    """Return what is on its way out of an account, in the order in which it falls due."""
    leaving = [
        (reference, item)
        for reference, item in state.items.items()
        if item.kind is not ItemKind.DEPOSIT and not is_settled(item)
    ]
    leaving.sort(key=lambda each: (each[1].due_at, each[0]))
    return tuple(_pending(reference, item, now) for reference, item in leaving)


def _pending(reference: str, item: Item, now: datetime) -> Pending:
    return Pending(
        reference=reference,
        kind=item.kind.value,
        amount=amount_text(item.amount),
        due_at=item.due_at,
        at_bank=bool(item.bank_leg),
        overdue=is_overdue(item, now),
    )


def _status(
    row: Mapping[str, Any] | asyncpg.Record,
    directory: Directory,
    states: Mapping[str, str],
    now: datetime,
) -> ScopeStatus:
    held_by = tuple(each for each in row["parents"] if states.get(each) != "CLOSED")
    status = ScopeStatus(
        scope=row["scope"],
        state=row["state"],
        epoch=row["epoch"],
        seq=row["seq"],
        reason=row["reason"],
        since=row["decided_at"],
        decided_at=row["decided_at"],
        actor=row["actor"],
        words=row["words"],
        evidence_hash=row["evidence_hash"],
        may_pay=row["state"] == "CLOSED" and not held_by,
        parents=tuple(row["parents"]),
        held_by=held_by,
        approval_id=row["approval_id"],
        maker=row["maker"],
        checker=row["checker"],
        rule=row["rule"],
        override_until=row["override_until"],
    )
    if row["account"] is None:
        return status
    account = directory.by_number(row["number"])
    return _with_account(status, account, state_from_bytes(row["account"]), now)


def _with_account(
    status: ScopeStatus, account: Account, state: AccountState, now: datetime
) -> ScopeStatus:
    at = max(now, state.evaluated_at)
    verdict = evaluate(state, account.rules, at)
    breaker: ScopeState = state.breaker
    clearance = clearance_of(account.rules)
    is_suspended = status.state == "SUSPENDED"
    return msgspec.structs.replace(
        status,
        since=breaker.since,
        flapping=breaker.flapping,
        clean=breaker.clean if is_suspended else 0,
        clean_needed=clearance.clean_evaluations_min if is_suspended else 0,
        clears_at=clears_at(breaker, clearance),
        evidence=Evidence(
            tier=verdict.tier.value,
            rule=verdict.rule.value,
            difference=None if verdict.difference is None else amount_text(verdict.difference),
            unexplained=None if verdict.unexplained is None else amount_text(verdict.unexplained),
            bank_as_of=state.bank.as_of,
            ledger_as_of=state.ledger.as_of,
        ),
        pending=() if status.may_pay else pending_of(state, at),
    )
