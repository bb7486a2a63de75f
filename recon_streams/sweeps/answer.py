"""What a bank's own balance proves: compared as of its instant, once, and never with itself. Pure.

The bank's figure holds at its own instant; ours is known by arrival. What was booked before that
instant may have been announced after it, so the bank agrees if it names any figure we had from then
until now. What we know of an entry still on its way cannot agree, which is why a bank that differs
is asked a second time before anybody is alarmed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from recon_streams.kernel.money import add, amount_text, normal, subtract
from recon_streams.positions.event import (
    AccountEvent,
    BankMoved,
    BankStated,
    LedgerMoved,
    Registered,
)
from recon_streams.positions.in_flight import explained
from recon_streams.positions.rules import Rules
from recon_streams.positions.state import AccountState
from recon_streams.positions.tiers import classify
from recon_streams.positions.verdict import evaluate
from recon_streams.sweeps.sweep import BankState
from topics.bank_balances import BankBalance, BankFailure
from topics.positions import Tier

# From good to bad; no figure is worse than a surplus and better than a known shortage.
_ORDER: Final = (
    Tier.OK, Tier.MINOR, Tier.UNALLOCATED, Tier.SIGNIFICANT,
    Tier.UNKNOWN, Tier.CRITICAL, Tier.INTEGRITY,
)  # fmt: skip
# What a connector says when nobody answered; every other reason is an answer without a balance.
UNREACHABLE: Final = frozenset({"TIMED_OUT", "UNREACHABLE", "HTTP_STATUS", "NOT_ASKED_IN_TIME"})


class Recent(msgspec.Struct, frozen=True):
    """What happened to an account since some minutes before a bank's instant, newest first.

    Attributes:
        events: Of its log.
        is_whole: Whether these are all of them.
    """

    events: Sequence[AccountEvent]
    is_whole: bool = True


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer proves.

    Attributes:
        state: What came of asking.
        verdict: Of the whole sweep.
        balance: The bank's.
        as_of: Its instant.
        ours: Our bank figure as of then, by arrival.
        ledger: Our ledger figure as of then, by occurrence.
        detail: Why there is no figure, or why it could not be compared.
    """

    state: BankState
    verdict: Tier
    balance: Decimal | None = None
    as_of: datetime | None = None
    ours: Decimal | None = None
    ledger: Decimal | None = None
    detail: str = ""

    @property
    def disagreement(self) -> Decimal | None:
        """The bank's balance less ours."""
        if self.balance is None or self.ours is None:
            return None
        return subtract(self.balance, self.ours)


def judge(
    answer: BankBalance | BankFailure,
    state: AccountState,
    recent: Recent,
    *,
    rules: Rules,
    age_max: timedelta,
) -> Judged:
    """Return what `answer` proves about an account.

    Args:
        answer: Of the bank.
        state: The account as it is now.
        recent: What happened to it since the answer's instant.
        rules: Of the account.
        age_max: How old the bank's figure may be when it is given.
    """
    now = evaluate(state, rules, state.evaluated_at)
    if isinstance(answer, BankFailure):
        kind = BankState.UNREACHABLE if answer.reason in UNREACHABLE else BankState.REFUSED
        detail = f"{answer.reason} {answer.detail}".strip()
        return Judged(state=kind, verdict=without_answer(now.tier), detail=detail)
    balance, as_of = normal(Decimal(answer.balance)), answer.as_of
    if answer.obtained_at - as_of > age_max:
        age = (answer.obtained_at - as_of) // timedelta(seconds=1)
        detail = f"as of {age} s before it was given; at most {age_max // timedelta(seconds=1)}"
        return Judged(
            state=BankState.STALE, verdict=without_answer(now.tier),
            balance=balance, as_of=as_of, detail=detail,
        )  # fmt: skip
    if state.bank.figure is None:
        return Judged(
            state=BankState.NOT_COMPARED, verdict=now.tier, balance=balance, as_of=as_of,
            detail="no figure of ours: neither a statement nor an opening",
        )  # fmt: skip
    figures = figures_since(state.bank.figure, recent, as_of)
    if figures is None:
        return Judged(
            state=BankState.NOT_COMPARED, verdict=now.tier, balance=balance, as_of=as_of,
            detail="too much moved since then",
        )  # fmt: skip
    ledger = ledger_as_of(state, recent, as_of)
    if balance in figures:
        return Judged(
            state=BankState.AGREES, verdict=now.tier,
            balance=balance, as_of=as_of, ours=balance, ledger=ledger,
        )  # fmt: skip
    return Judged(
        state=BankState.DIFFERS,
        verdict=worse_of(now.tier, _tier_of(balance, ledger, state, rules)),
        balance=balance,
        as_of=as_of,
        ours=figures[-1],
        ledger=ledger,
    )


def figures_since(figure: Decimal, recent: Recent, as_of: datetime) -> list[Decimal] | None:
    """Return our bank figures from now back to `as_of`, newest first; None if they are not known.

    A statement replaces the sum before it; it says nothing of the moments between.
    """
    figures = [normal(figure)]
    for event in recent.events:
        if isinstance(event, Registered | BankStated):
            return figures
        if isinstance(event, BankMoved):
            if event.at <= as_of:
                return figures
            figures.append(normal(subtract(figures[-1], event.amount)))
    return figures if recent.is_whole else None


def ledger_as_of(state: AccountState, recent: Recent, as_of: datetime) -> Decimal | None:
    """Return the ledger figure without what occurred after `as_of`; None where there is none."""
    figure = state.ledger.figure
    if figure is None:
        return None
    for event in recent.events:
        # Whether it was added or an anchor contains it, the figure has it.
        if isinstance(event, LedgerMoved) and event.occurred_at > as_of:
            figure = subtract(figure, event.amount)
    return normal(figure)


def without_answer(tier: Tier) -> Tier:
    """Return the verdict of a sweep whose bank said nothing that counts: UNKNOWN, or worse."""
    return worse_of(tier, Tier.UNKNOWN)


def worse_of(left: Tier, right: Tier) -> Tier:
    """Return the worse of two verdicts."""
    return max(left, right, key=_ORDER.index)


def facts_of(judged: Judged, connector: str) -> dict[str, str]:
    """Return what a person needs to understand the answer."""
    found = {"connector": connector}
    for name in ("balance", "ours", "ledger", "disagreement"):
        amount: Decimal | None = getattr(judged, name)
        if amount is not None:
            found[name] = amount_text(amount)
    if judged.as_of is not None:
        found["as_of"] = f"{judged.as_of:%Y-%m-%dT%H:%M:%SZ}"
    if judged.detail:
        found["detail"] = judged.detail
    return found


def _tier_of(balance: Decimal, ledger: Decimal | None, state: AccountState, rules: Rules) -> Tier:
    if ledger is None:
        return Tier.UNKNOWN
    in_flight = explained(state.items, state.evaluated_at)
    unexplained = subtract(balance, add(ledger, in_flight))
    tier, _ = classify(unexplained, ledger=ledger, bank=balance, limits=rules.limits)
    return tier
