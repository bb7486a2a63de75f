"""The rule of two people against an oracle that shares no code with it, and against its mutants."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from recon_streams.approvals.machine import (
    Request,
    RequestState,
    Ruling,
    Situation,
    rule_decision,
)
from recon_streams.approvals.subject import ApprovalKind
from recon_streams.identity.person import Person, Role
from recon_streams.identity.statement import Deed, Statement

Rule = Callable[[Request, Person, Statement, Situation], Ruling]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
REQUEST = Request(
    request_id=7,
    kind=ApprovalKind.BREAKER_RESET,
    subject="account:AE-1:AED",
    details={},
    facts=b"{}",
    facts_sha256="f" * 64,
    epoch=4,
    reason="the bank has confirmed it in writing",
    maker="ada",
    maker_kid="a",
    nonce="n" * 32,
    requested_at=NOON,
    expires_at=NOON + timedelta(minutes=15),
)


class Attempt(NamedTuple):
    """An answer, and what is wrong with it: the names of the rules it breaks."""

    request: Request
    person: Person
    statement: Statement
    situation: Situation
    broken: frozenset[str]


@st.composite
def attempts(draw: st.DrawFn) -> Attempt:
    """Draw an answer that breaks none of the rules, or some."""
    broken = draw(st.frozensets(st.sampled_from(sorted(_BREAKS)), max_size=2))
    kind = draw(st.sampled_from([ApprovalKind.BREAKER_RESET, ApprovalKind.BREAKER_OVERRIDE]))
    request = replace(REQUEST, kind=kind)
    person = Person(
        subject="ben", name="Ben", roles=frozenset({Role.CHECKER, Role.BREAKGLASS}), kid="b"
    )
    elapsed = timedelta(seconds=draw(st.integers(0, 899)))
    situation = Situation(facts_sha256="f" * 64, epoch=4, now=NOON + elapsed)
    statement = Statement(
        installation="i",
        deed=Deed.APPROVE,
        kind=kind,
        subject=request.subject,
        details={},
        facts_sha256=request.facts_sha256,
        epoch=4,
        request_id=7,
        request_nonce=request.nonce,
        reason="looked at it",
        signer="ben",
        nonce="m" * 32,
        at=situation.now - timedelta(seconds=draw(st.integers(-299, 299))),
    )
    attempt = Attempt(request, person, statement, situation, broken)
    for name in sorted(broken):
        attempt = _BREAKS[name](draw, attempt)
    return attempt


def _same(draw: st.DrawFn, attempt: Attempt) -> Attempt:
    spelled = draw(st.sampled_from(["ada", "ADA", " ada", "\uff41da", "a da"]))
    return attempt._replace(
        person=replace(attempt.person, subject=spelled, kid=draw(st.sampled_from(["a", "z"])))
    )


def _role(draw: st.DrawFn, attempt: Attempt) -> Attempt:
    is_override = attempt.request.kind is ApprovalKind.BREAKER_OVERRIDE
    lacking = [frozenset({Role.MAKER}), frozenset({Role.MAKER, Role.BREAKGLASS})]
    lacking += [frozenset({Role.MAKER, Role.CHECKER})] if is_override else []
    return attempt._replace(person=replace(attempt.person, roles=draw(st.sampled_from(lacking))))


def _other(draw: st.DrawFn, attempt: Attempt) -> Attempt:
    change = draw(
        st.sampled_from(
            [
                {"request_id": 8},
                {"request_nonce": "o" * 32},
                {"kind": "DAY_CLOSE"},
                {"subject": "all"},
                {"details": {"minutes": "30"}},
                {"facts_sha256": "0" * 64},
                {"epoch": 5},
                {"deed": Deed.REQUEST},
            ]
        )
    )
    return attempt._replace(statement=replace(attempt.statement, **change))


def _ended(draw: st.DrawFn, attempt: Attempt) -> Attempt:
    ends = [RequestState.APPROVED, RequestState.REFUSED, RequestState.VOIDED]
    return attempt._replace(request=replace(attempt.request, state=draw(st.sampled_from(ends))))


def _expired(draw: st.DrawFn, attempt: Attempt) -> Attempt:
    now = attempt.request.expires_at + timedelta(seconds=draw(st.integers(0, 9_999)))
    return attempt._replace(
        situation=replace(attempt.situation, now=now),
        statement=replace(attempt.statement, at=now),
    )


def _stale(draw: st.DrawFn, attempt: Attempt) -> Attempt:
    away = timedelta(seconds=draw(st.integers(301, 9_999))) * draw(st.sampled_from([-1, 1]))
    return attempt._replace(statement=replace(attempt.statement, at=attempt.situation.now + away))


def _facts(draw: st.DrawFn, attempt: Attempt) -> Attempt:
    facts = draw(st.sampled_from(["0" * 64, ""]))
    return attempt._replace(situation=replace(attempt.situation, facts_sha256=facts))


def _epoch(draw: st.DrawFn, attempt: Attempt) -> Attempt:
    epoch = draw(st.sampled_from([3, 5, None]))
    return attempt._replace(situation=replace(attempt.situation, epoch=epoch))


_BREAKS: dict[str, Callable[[st.DrawFn, Attempt], Attempt]] = {
    "SAME_PERSON": _same,
    "NO_ROLE": _role,
    "OTHER_STATEMENT": _other,
    "ENDED": _ended,
    "EXPIRED": _expired,
    "STALE_STATEMENT": _stale,
    "FACTS_CHANGED": _facts,
    "EPOCH_CHANGED": _epoch,
}


def check(rule: Rule, examples: int) -> None:
    """Fail if `rule` grants what breaks a rule, or refuses what breaks none."""

    @settings(max_examples=examples, database=None, derandomize=True, phases=[Phase.generate])
    @given(attempts())
    def holds(attempt: Attempt) -> None:
        ruling = rule(attempt.request, attempt.person, attempt.statement, attempt.situation)
        assert (ruling is Ruling.GRANTED) == (not attempt.broken), (ruling, attempt.broken)

    holds()


def test_what_breaks_a_rule_is_never_granted_and_everything_else_is() -> None:
    check(rule_decision, 2_000)


@pytest.mark.parametrize("forgotten", sorted(_BREAKS))
def test_a_desk_that_forgets_one_rule_is_caught(forgotten: str) -> None:
    def mutant(*attempt: object) -> Ruling:
        ruling = rule_decision(*attempt)  # type: ignore[arg-type]  # passed on as they came
        return Ruling.GRANTED if ruling.value == forgotten else ruling

    with pytest.raises(AssertionError):
        check(mutant, 2_000)


def test_a_desk_that_compares_keys_and_not_people_is_caught() -> None:
    def mutant(
        request: Request, person: Person, statement: Statement, situation: Situation
    ) -> Ruling:
        if person.kid != request.maker_kid:
            person = replace(person, subject="somebody else")
        return rule_decision(request, person, statement, situation)

    with pytest.raises(AssertionError):
        check(mutant, 2_000)
