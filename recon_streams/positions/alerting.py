"""What on-call is told of accounts: one alert each, for its figures and its breaker. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from recon_streams.alerts.alarm import Facts, Gone, Raised, Signal
from recon_streams.alerts.breaking import Stop, override_signals
from recon_streams.alerts.classes import Component
from recon_streams.breaker.scope import NO_EVIDENCE
from recon_streams.kernel.money import amount_text, subtract
from recon_streams.positions.directory import Account
from recon_streams.positions.event import (
    AccountEvent,
    Overridden,
    Registered,
    Reset,
    RulesChanged,
    Tripped,
)
from recon_streams.positions.rules import Rules
from recon_streams.positions.state import AccountState
from recon_streams.positions.tiers import Rule
from recon_streams.positions.verdict import fresh_until
from recon_streams.positions.working_set import RecordedStep
from topics.alerts import Severity
from topics.breaker import BreakerState
from topics.positions import Tier

_SEVERITY: Final = {
    Tier.OK: Severity.INFO,
    Tier.MINOR: Severity.WARNING,
    Tier.UNALLOCATED: Severity.INFO,
    Tier.SIGNIFICANT: Severity.ERROR,
    Tier.UNKNOWN: Severity.ERROR,
    Tier.CRITICAL: Severity.CRITICAL,
    Tier.INTEGRITY: Severity.CRITICAL,
}
_BY_PEOPLE: Final = (Overridden, Registered, Reset, RulesChanged, Tripped)
_RANK: Final = (Severity.INFO, Severity.WARNING, Severity.ERROR, Severity.CRITICAL)
# Nothing is wrong, as far as anything is known.
_WITHOUT_FINDING: Final = frozenset({Tier.OK, Tier.UNKNOWN})
# What is wrong then hides whether the bank is silent as well.
_WORSE_THAN_SILENCE: Final = frozenset({Tier.CRITICAL, Tier.INTEGRITY})


def signals_of(steps: Iterable[RecordedStep], before: Mapping[int, AccountState]) -> list[Signal]:
    """Return what is told of `steps`: each change of verdict or breaker, and danger that grows.

    Args:
        steps: In the order they were taken.
        before: The state of each account, by number, before the first of them; none if it is new.
    """
    judged = dict(before)
    signals: list[Signal] = []
    for recorded in steps:
        account, state = recorded.account, recorded.step.state
        known = judged.get(account.number)
        if known is None or _is_heard(known, state, account.rules):
            signals.append(_signal(recorded))
        if state.breaker.override != (known.breaker.override if known else None):
            source = _source(recorded.event)
            signals += override_signals(_stop(account, state), at=_at(recorded), source=source)
        judged[account.number] = state
    return signals


def _is_heard(before: AccountState, state: AccountState, rules: Rules) -> bool:
    return _judgement(before, rules) != _judgement(state, rules) or (
        state.tier in _WORSE_THAN_SILENCE and _magnitude(state) > _magnitude(before)
    )


def _magnitude(state: AccountState) -> int:
    """Return a number that rises by one when the difference doubles; enough to look again for."""
    bank, ledger = state.bank.figure, state.ledger.figure
    if bank is None or ledger is None:
        return 0
    return int(abs(subtract(bank, ledger))).bit_length()


def _judgement(state: AccountState, rules: Rules) -> tuple[object, ...]:
    breaker = state.breaker
    return (
        state.tier,
        state.rule,
        breaker.state,
        breaker.epoch,
        breaker.flapping,
        _is_feed_silent(state, rules),
    )


def _is_feed_silent(state: AccountState, rules: Rules) -> bool:
    """Return whether the bank is silent here, whatever else is wrong."""
    if state.tier not in _WORSE_THAN_SILENCE:
        return state.rule in {Rule.BANK_SILENT, Rule.NO_BANK_FIGURE}
    until = fresh_until(state.bank, rules.bank_silence_seconds_max)
    return until is None or state.evaluated_at >= until


def _stop(account: Account, state: AccountState) -> Stop:
    breaker = state.breaker
    return Stop(
        scope=account.scope,
        state=breaker.state,
        epoch=breaker.epoch,
        reason=breaker.reason,
        flapping=breaker.flapping,
        since=breaker.since,
        forced_until=breaker.override.until if breaker.override else None,
    )


def _signal(recorded: RecordedStep) -> Signal:
    account, state = recorded.account, recorded.step.state
    key, source = f"position:{account.scope}", _source(recorded.event)
    if state.tier is Tier.OK and state.breaker.state is BreakerState.CLOSED:
        return Gone(key=key, at=_at(recorded), source=source)
    return Raised(key=key, at=_at(recorded), facts=_facts(recorded, source))


def _at(recorded: RecordedStep) -> datetime:
    """Return when a step was taken: what people do is no evidence, and moves no clock of it."""
    return max(recorded.step.state.evaluated_at, recorded.event.at)


def _facts(recorded: RecordedStep, source: str) -> Facts:
    account, state, verdict = recorded.account, recorded.step.state, recorded.step.verdict
    stop, severity = _stop(account, state), _severity(state)
    alert_class, component = state.rule.value, Component.POSITIONS
    summary = f"{account.account_id} {account.currency}: {state.tier} by {state.rule}"
    held = stop.alert_class
    # What the figures say goes before what the breaker made of it, unless that is more urgent.
    new_until = _new_until(state, account.rules)
    urgency = stop.severity if new_until is None else Severity.INFO
    says_breaker = held is not None and (
        state.tier is Tier.OK or _RANK.index(urgency) > _RANK.index(severity)
    )
    if held is not None and says_breaker:
        alert_class, component = held.value, Component.BREAKER
        severity, summary = stop.severity, f"{summary}; {stop.summary()}"
    elif held is not None:
        summary = f"{summary}, breaker {stop.state}"
    amounts = {
        name: amount_text(amount)
        for name, amount in (
            ("bank", verdict.bank),
            ("ledger", verdict.ledger),
            ("difference", verdict.difference),
            ("unexplained", verdict.unexplained),
        )
        if amount is not None
    }
    is_silent = _is_feed_silent(state, account.rules)
    return Facts(
        alert_class=alert_class,
        severity=severity,
        summary=summary,
        component=component.value,
        source=source,
        scope=account.scope,
        tier=verdict.tier.value,
        status=stop.state.value,
        epoch=stop.epoch,
        amounts=amounts,
        evidence=f"recon-streams explain {account.account_id} --currency {account.currency}",
        feed=account.feed if is_silent else None,
        awaits_feed=account.feed is not None and state.rule is Rule.BANK_SILENT,
        quiet_until=new_until if state.tier in _WITHOUT_FINDING else None,
    )


def _new_until(state: AccountState, rules: Rules) -> datetime | None:
    """Return until when a new account may be without proof; None if it is not new any more.

    Every account begins suspended, and nobody is called for that. It may take as long until it is
    proven as its bank and its ledger may be silent, and the calm that it then has to keep.
    """
    breaker = state.breaker
    if breaker.state is not BreakerState.SUSPENDED or breaker.reason != NO_EVIDENCE:
        return None
    silence = max(rules.bank_silence_seconds_max, rules.ledger_silence_seconds_max)
    until = breaker.since + timedelta(seconds=silence + rules.clearing.dwell_seconds_min)
    return until if state.evaluated_at < until else None


def _severity(state: AccountState) -> Severity:
    if state.rule is Rule.FUNDING_ABOVE_LIMIT:
        return Severity.ERROR
    return _SEVERITY.get(state.tier, Severity.INFO)


def _source(event: AccountEvent) -> str:
    evidence = event.evidence
    if evidence is None:
        return "person" if isinstance(event, _BY_PEOPLE) else "time"
    return f"{evidence.topic}/{evidence.partition}/{evidence.offset}"
