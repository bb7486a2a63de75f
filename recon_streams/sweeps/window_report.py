"""One account over one window, from two sweeps of it and what lies between them. Pure."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

import msgspec

from recon_streams.kernel.money import ZERO, add, amount_text, normal, subtract
from recon_streams.positions.directory import Account
from recon_streams.positions.event import AccountEvent, BankMoved, LedgerMoved
from recon_streams.reports.account_window import (
    AccountWindow,
    BankAnswer,
    BankBalance,
    Drift,
    Movement,
    Waiting,
)
from recon_streams.reports.parts import Covered, OpenDiscrepancies
from recon_streams.sweeps.drift import moved_in
from recon_streams.sweeps.sweep import BankState
from recon_streams.sweeps.window_store import Swept

_ANSWERS: Final = {
    BankState.AGREES: BankAnswer.ANSWERED,
    BankState.DIFFERS: BankAnswer.ANSWERED,
    BankState.NOT_COMPARED: BankAnswer.ANSWERED,
    BankState.STALE: BankAnswer.STALE,
    BankState.UNREACHABLE: BankAnswer.UNREACHABLE,
    BankState.ASKED: BankAnswer.UNREACHABLE,
    BankState.REFUSED: BankAnswer.REFUSED,
    BankState.NOT_ASKED: BankAnswer.NOT_ASKED,
}


class Between(msgspec.Struct, frozen=True, kw_only=True):
    """Two sweeps of one account.

    Attributes:
        before: The last one before the window, if there was one.
        last: The last one in it.
        events: What happened between the two.
    """

    before: Swept | None
    last: Swept
    events: Sequence[AccountEvent]


def account_window(
    account: Account,
    between: Between,
    *,
    window: timedelta,
    discrepancies: tuple[OpenDiscrepancies, ...],
    coverage: tuple[Covered, ...],
) -> AccountWindow:
    """Return `account` at the end of a window.

    Args:
        account: Which.
        between: Its sweeps at both ends of the window.
        window: How long the window is.
        discrepancies: What is open on it.
        coverage: Over which inputs the figures hold.
    """
    before, last = between.before, between.last
    ledger = [each.amount for each in between.events if isinstance(each, LedgerMoved)]
    bank = [each.amount for each in between.events if isinstance(each, BankMoved)]
    return AccountWindow(
        account_id=account.account_id,
        currency=account.currency,
        evaluated_at=last.swept_at,
        ledger=_movement(None if before is None else before.ledger, last.ledger, ledger),
        bank=_movement(None if before is None else before.bank, last.bank, bank),
        bank_balance=_balance(last),
        difference=_text(last.difference),
        waiting=tuple(
            Waiting(
                reference=each.reference,
                kind=each.kind,
                amount=each.amount,
                explains=each.explains,
                due_at=each.due_at,
                overdue=each.overdue,
            )
            for each in last.in_flight
        ),
        explained_total=amount_text(last.explained),
        unexplained=_text(last.unexplained),
        raw_tier=last.raw_tier,
        tier=last.tier,
        rule=last.rule,
        breaker_state=last.breaker,
        drift=_drift(before, last, window),
        discrepancies=discrepancies,
        coverage=coverage,
        rules_version=str(last.rules_version),
    )


def _movement(
    opening: Decimal | None, closing: Decimal | None, amounts: Sequence[Decimal]
) -> Movement:
    if opening is None or closing is None:
        # Nobody looked before, or a side had not spoken: what moved since is not known.
        return Movement(
            opening=_text(opening), credits="0", debits="0", restated="0",
            closing=_text(closing), count=0,
        )  # fmt: skip
    credits_ = _sum(amount for amount in amounts if amount > 0)
    debits = _sum(-amount for amount in amounts if amount < 0)
    moved = subtract(credits_, debits)
    return Movement(
        opening=amount_text(opening),
        credits=amount_text(credits_),
        debits=amount_text(debits),
        # What an absolute figure changed: it took the place of a sum, or contained a movement.
        restated=amount_text(subtract(subtract(closing, opening), moved)),
        closing=amount_text(closing),
        count=len(amounts),
    )


def _balance(last: Swept) -> BankBalance:
    balance, ours = last.bank_balance, last.bank_ours
    both = balance is not None and ours is not None
    return BankBalance(
        answer=_ANSWERS[last.bank_state],
        balance=_text(balance),
        as_of=last.bank_as_of,
        ours=_text(ours),
        disagreement=amount_text(subtract(balance, ours)) if both else None,  # type: ignore[arg-type] # both are there
        detail=last.bank_detail,
        origin=last.bank_origin,
    )


def _drift(before: Swept | None, last: Swept, window: timedelta) -> Drift:
    change = None
    if before is not None and before.unexplained is not None and last.unexplained is not None:
        change = amount_text(subtract(last.unexplained, before.unexplained))
    pace = None if last.velocity is None else moved_in(last.velocity, window)
    return Drift(
        windows=last.points,
        change=change,
        median=_text(pace),
        deviation=_text(last.deviation),
        warned=last.warned,
        reaches_limit_at=last.reaches_limit_at,
    )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    found = ZERO
    for amount in amounts:
        found = add(found, amount)
    return normal(found)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else amount_text(amount)
