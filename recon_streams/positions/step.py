"""One event, one decision: `step(state, event, rules) -> Step`. No I/O, no clock, no randomness.

The same log under the same rules gives byte-identical states, verdicts and transitions, whoever
folds it and however the events were batched.
"""

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from recon_streams.breaker import order
from recon_streams.breaker.scope import (
    Clearance,
    Health,
    Moved,
    Reading,
    Transition,
    advance,
    clears_at,
    unproven,
)
from recon_streams.kernel.money import multiply, normal
from recon_streams.positions import holding
from recon_streams.positions.event import (
    AccountEvent,
    Elapsed,
    Overridden,
    Registered,
    Reset,
    RulesChanged,
    Tripped,
)
from recon_streams.positions.fold import born, fold
from recon_streams.positions.rules import Rules
from recon_streams.positions.state import AccountState
from recon_streams.positions.tiers import exceeds_percent
from recon_streams.positions.verdict import Verdict, evaluate, fresh_until
from topics.positions import Tier


class Step(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What one event led to."""

    state: AccountState
    verdict: Verdict
    transition: Transition | None


def register(account_id: str, currency: str, event: Registered, rules: Rules) -> Step:
    """Return the first state of an account. Its breaker starts suspended, without evidence."""
    state = born(account_id, currency, event)
    _, transition = unproven(event.at)
    verdict = evaluate(state, rules, state.evaluated_at)
    return Step(
        state=replace(state, tier=verdict.tier, rule=verdict.rule),
        verdict=verdict,
        transition=transition,
    )


def step(state: AccountState, event: AccountEvent, rules: Rules) -> Step:
    """Return the account after `event`, the verdict on it, and the breaker's transition, if any."""
    folded = fold(state, event)
    assert folded.version == state.version + 1, "the event log of an account has no gaps"
    verdict = evaluate(folded, rules, folded.evaluated_at)
    breaker, transition = _breaker_after(
        state, event, _reading(folded, event, verdict, rules), clearance_of(rules)
    )
    state = replace(folded, breaker=breaker, tier=verdict.tier, rule=verdict.rule)
    return Step(state=state, verdict=verdict, transition=transition)


def wake_at(state: AccountState, rules: Rules) -> datetime | None:
    """Return the next instant at which the verdict may change though nothing arrives.

    A payment falls due, a side becomes silent, a dwell ends, pages did not come in time. Instants
    that have passed were covered by the last evaluation.
    """
    instants = [item.due_at for item in state.items.values()]
    # What waits for pages must be let go however far other inputs have brought the clock.
    overdue = min((hold.until for hold in state.held.values()), default=None)
    instants += [
        fresh_until(state.bank, rules.bank_silence_seconds_max) or state.evaluated_at,
        fresh_until(state.ledger, rules.ledger_silence_seconds_max) or state.evaluated_at,
        clears_at(state.breaker, clearance_of(rules)) or state.evaluated_at,
    ]
    if state.breaker.override is not None:
        instants.append(state.breaker.override.until)
    wake = min((at for at in instants if at > state.evaluated_at), default=None)
    return min((at for at in (wake, overdue) if at is not None), default=None)


def clearance_of(rules: Rules) -> Clearance:
    """Return what the breaker needs to know of `rules`."""
    return Clearance(
        clean_evaluations_min=rules.clearing.clean_evaluations_min,
        dwell=timedelta(seconds=rules.clearing.dwell_seconds_min),
    )


def _breaker_after(
    before: AccountState, event: AccountEvent, reading: Reading, clearance: Clearance
) -> Moved:
    scope, at = before.breaker, max(reading.at, event.at)
    match event:
        case Tripped():
            return order.trip(scope, at)
        case Reset():
            return order.reset(scope, reading, _approval_of(event))
        case Overridden(until=until):
            return order.override(
                scope, at, until=until, known=reading, approval=_approval_of(event)
            )
        case _:
            advanced, transition = advance(scope, reading, clearance)
            if transition is None and isinstance(event, RulesChanged) and event.parents is not None:
                return order.reparent(advanced, reading.at)
            return advanced, transition


def _approval_of(event: Reset | Overridden) -> order.Approval:
    return order.Approval(approval_id=event.approval_id, maker=event.maker, checker=event.checker)


def _reading(state: AccountState, event: AccountEvent, verdict: Verdict, rules: Rules) -> Reading:
    return Reading(
        health=_HEALTH[verdict.tier],
        reason=verdict.rule.value,
        at=state.evaluated_at,
        # The passing of time and a change of our own numbers prove nothing about the money.
        fresh=not isinstance(event, _PROVING_NOTHING) and not holding.is_of_time(event),
        low=_is_low(verdict, rules),
        gap=_gap(verdict),
    )


def _gap(verdict: Verdict) -> Decimal | None:
    """Return how much is unexplained, where that is what the verdict rests on."""
    if verdict.unexplained is None or verdict.tier is Tier.UNKNOWN:
        return None
    return normal(abs(verdict.unexplained))


def _is_low(verdict: Verdict, rules: Rules) -> bool:
    """Return whether the difference is so small that a suspension may clear.

    The bound lies below the one that trips (half of it, by default), so that a figure hovering
    at the limit does not switch payouts on and off.
    """
    if verdict.unexplained is None or verdict.bank is None:
        return False
    if verdict.tier is Tier.UNALLOCATED:
        # Of money without tokens nothing can be paid out, so no amount of it is in the way.
        return True
    ratio = rules.clearing.clear_below_ratio
    percent = multiply(rules.limits.significant_percent, ratio)
    if exceeds_percent(verdict.unexplained, verdict.bank, percent):
        return False
    amount = rules.limits.significant_amount
    return amount is None or verdict.unexplained <= multiply(amount, ratio)


_PROVING_NOTHING = (Elapsed, RulesChanged, Tripped, Reset, Overridden)
_HEALTH = {
    Tier.OK: Health.CLEAN,
    Tier.MINOR: Health.CLEAN,
    Tier.UNALLOCATED: Health.CLEAN,
    Tier.SIGNIFICANT: Health.DOUBTFUL,
    Tier.UNKNOWN: Health.DOUBTFUL,
    Tier.CRITICAL: Health.DANGEROUS,
    Tier.INTEGRITY: Health.DANGEROUS,
}
