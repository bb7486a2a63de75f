"""One look at one account: its figures, whether our own memory of them holds, and where they go.

Pure. What the bank itself says comes later, and is judged in `answer.py`.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum, unique

import msgspec
from msgspec.structs import replace

from recon_streams.kernel.money import amount_text
from recon_streams.positions.directory import Account
from recon_streams.positions.in_flight import explains, is_overdue
from recon_streams.positions.rolling import Rolling
from recon_streams.positions.state import AccountState
from recon_streams.positions.verdict import Verdict, evaluate
from recon_streams.sweeps.drift import Point, Trend, trend_of
from recon_streams.sweeps.warning import Warning, warning_of  # noqa: A004 - the word of the trade
from topics.positions import InFlight


@unique
class TableState(StrEnum):
    """What the worker's rolling table says of the figures in the book."""

    EQUAL = "EQUAL"
    BEHIND = "BEHIND"  # an older version: the newest is still on its way
    ABSENT = "ABSENT"  # the account's positions are read by another worker
    DISAGREES = "DISAGREES"  # other figures at the same version, or a version that does not exist


@unique
class BankState(StrEnum):
    """What came of asking the bank."""

    NOT_ASKED = "NOT_ASKED"  # nobody asks this bank, or the instant was long past
    ASKED = "ASKED"  # the answer is on its way
    AGREES = "AGREES"  # its balance is ours as of its instant
    DIFFERS = "DIFFERS"  # it is another one, also when asked again
    NOT_COMPARED = "NOT_COMPARED"  # there is nothing of ours to compare it with
    STALE = "STALE"  # a balance as of too long ago
    UNREACHABLE = "UNREACHABLE"  # no answer within the bound
    REFUSED = "REFUSED"  # an answer that says no balance


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at an account found.

    Attributes:
        state: The account as it was.
        verdict: On it at `at`.
        at: When it was looked at, never before the account's own clock.
        table: What the rolling table says to it.
        trend: Of the unexplained difference; None while there are too few points.
        warning: Where the trend leads.
        in_flight: The payments that explain something of the difference, or are overdue.
    """

    state: AccountState
    verdict: Verdict
    at: datetime
    table: TableState
    trend: Trend | None
    warning: Warning
    in_flight: tuple[InFlight, ...]


def look(
    account: Account,
    state: AccountState,
    rolling: Rolling | None,
    *,
    at: datetime,
    horizon: timedelta,
) -> Look:
    """Return what is seen of `account` at `at`; `rolling` was taken before `state` was read."""
    now = max(at, state.evaluated_at)
    verdict = evaluate(replace(state, evaluated_at=now), account.rules, now)
    trend = trend_of(points_of(rolling, now, verdict.unexplained))
    return Look(
        state=state,
        verdict=verdict,
        at=now,
        table=compared(state, verdict, rolling),
        trend=trend,
        warning=warning_of(
            trend, verdict.tier, bank=verdict.bank, limits=account.rules.limits, horizon=horizon
        ),
        in_flight=in_flight_of(state, now),
    )


def in_flight_of(state: AccountState, now: datetime) -> tuple[InFlight, ...]:
    """Return the payments that explain something of the difference at `now`, or are overdue."""
    found = (
        InFlight(
            reference=reference,
            kind=item.kind.value,
            amount=amount_text(item.amount),
            due_at=item.due_at,
            explains=amount_text(explains(item, now)),
            overdue=is_overdue(item, now),
        )
        for reference, item in sorted(state.items.items())
    )
    return tuple(each for each in found if each.overdue or each.explains != "0")


def compared(state: AccountState, verdict: Verdict, rolling: Rolling | None) -> TableState:
    """Return what the table says of the book's figures.

    What payments explain is left out: it changes with time while the version stays.
    """
    if rolling is None:
        return TableState.ABSENT
    if rolling.version < state.version:
        return TableState.BEHIND
    theirs = (rolling.position.bank, rolling.position.ledger, rolling.position.difference)
    ours = (_text(verdict.bank), _text(verdict.ledger), _text(verdict.difference))
    if rolling.version > state.version or theirs != ours:
        return TableState.DISAGREES
    return TableState.EQUAL


def points_of(
    rolling: Rolling | None, now: datetime, unexplained: Decimal | None
) -> tuple[Point, ...]:
    """Return the past of the difference and its present, oldest first: by half-hours, or minutes.

    The present counts although nothing was said: a difference that stopped moving is no drift.
    """
    past: tuple[Point, ...] = ()
    if rolling is not None:
        past = tuple(Point(seen.at, seen.unexplained) for seen in rolling.half_hours)
        minutes = tuple(
            Point(minute.starts_at, minute.unexplained)
            for minute in rolling.minutes
            if minute.unexplained is not None
        )
        # In the first hours of an account there are more minutes than half-hours.
        past = minutes if len(minutes) > len(past) else past
    before = tuple(point for point in past if point.at < now)
    return before if unexplained is None else (*before, Point(now, unexplained))


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else amount_text(amount)
