"""What an account's figures mean at an instant: the verdict, with every number it rests on."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from recon_streams.kernel.money import ZERO, normal, subtract
from recon_streams.positions.in_flight import explained, reserved
from recon_streams.positions.rules import Rules
from recon_streams.positions.state import AccountState, Side
from recon_streams.positions.tiers import Rule, classify
from topics.positions import Tier

# When the raw figures are critical but a side has fallen silent, the danger is what counts.
_WORSE_THAN_UNKNOWN: Final = frozenset({Tier.CRITICAL, Tier.INTEGRITY})


class Verdict(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The evaluation of one account.

    `raw_tier` judges bank - ledger as it is; `tier` judges what is left of it after the payments
    between their legs, and is what the breaker acts on. Figures are None where a side never
    stated one.
    """

    bank: Decimal | None
    ledger: Decimal | None
    reserved: Decimal
    difference: Decimal | None
    explained: Decimal
    unexplained: Decimal | None
    raw_tier: Tier
    raw_rule: Rule
    tier: Tier
    rule: Rule


def evaluate(state: AccountState, rules: Rules, now: datetime) -> Verdict:
    """Return the verdict on `state` at `now`.

    UNKNOWN is never OK: a side without a figure, or silent for longer than its limit, takes the
    place of every verdict except a critical one. A figure below zero is one by itself, whatever
    the other side would have said.
    """
    bank, ledger = state.bank.figure, state.ledger.figure
    if bank is None or ledger is None:
        return _one_sided(state, bank, ledger)
    difference = subtract(bank, ledger)
    in_flight = explained(state.items, now)
    raw_tier, raw_rule = classify(difference, ledger=ledger, bank=bank, limits=rules.limits)
    unexplained, tier, rule = difference, raw_tier, raw_rule
    if in_flight:
        unexplained = subtract(difference, in_flight)
        tier, rule = classify(unexplained, ledger=ledger, bank=bank, limits=rules.limits)
    silent = silent_side(state, rules, now)
    if silent is not None and tier not in _WORSE_THAN_UNKNOWN:
        tier, rule = Tier.UNKNOWN, silent
    shown = normal(difference)
    return Verdict(
        bank=normal(bank),
        ledger=normal(ledger),
        reserved=reserved(state.items),
        difference=shown,
        explained=normal(in_flight),
        unexplained=normal(unexplained) if in_flight else shown,
        raw_tier=raw_tier,
        raw_rule=raw_rule,
        tier=tier,
        rule=rule,
    )


def silent_side(state: AccountState, rules: Rules, now: datetime) -> Rule | None:
    """Return which side has been silent for too long at `now`; the bank is named first."""
    if _is_silent(state.bank, rules.bank_silence_seconds_max, now):
        return Rule.BANK_SILENT
    if _is_silent(state.ledger, rules.ledger_silence_seconds_max, now):
        return Rule.LEDGER_SILENT
    return None


def _one_sided(state: AccountState, bank: Decimal | None, ledger: Decimal | None) -> Verdict:
    tier, rule = Tier.UNKNOWN, Rule.NO_BANK_FIGURE if bank is None else Rule.NO_LEDGER_FIGURE
    if ledger is not None and ledger < 0:
        tier, rule = Tier.INTEGRITY, Rule.LEDGER_NEGATIVE
    elif bank is not None and bank < 0:
        tier, rule = Tier.CRITICAL, Rule.BANK_OVERDRAWN
    return Verdict(
        bank=None if bank is None else normal(bank),
        ledger=None if ledger is None else normal(ledger),
        reserved=reserved(state.items),
        difference=None,
        explained=ZERO,
        unexplained=None,
        raw_tier=tier,
        raw_rule=rule,
        tier=tier,
        rule=rule,
    )


def fresh_until(side: Side, seconds_max: int) -> datetime | None:
    """Return the instant from which `side` no longer counts as fresh."""
    return None if side.as_of is None else side.as_of + timedelta(seconds=seconds_max)


def _is_silent(side: Side, seconds_max: int, now: datetime) -> bool:
    until = fresh_until(side, seconds_max)
    return until is None or now >= until
