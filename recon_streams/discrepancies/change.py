"""What one step did to discrepancies, and what the checks said that led to it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from hashlib import sha256
from typing import Final, TypeAlias

import msgspec

from recon_streams.discrepancies.action import MACHINE, AnyAction, Found, ProvenGone
from recon_streams.discrepancies.deadline import Working, due_at
from recon_streams.discrepancies.finding import Cause, Cleared, Finding, Source
from recon_streams.discrepancies.life import Life, NotPossible, after
from recon_streams.discrepancies.severity import severity_of
from recon_streams.discrepancies.unchanged import says_nothing_new
from recon_streams.kernel.money import normal

# Of what was said before: which check, and whether it was a proof.
Said: TypeAlias = tuple[Source, bool]
FromCheck: TypeAlias = Found | ProvenGone

# What a key of the book can hold with much to spare; a bank's references are shorter.
_SUBJECT_LENGTH_MAX: Final = 300
_SUBJECT_LENGTH_KEPT: Final = 200


class Discrepancy(msgspec.Struct, frozen=True, kw_only=True):
    """One discrepancy.

    Attributes:
        id: Given once, and kept over all its lives.
    """

    id: int
    cause: Cause
    life: Life


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """One action that was taken, and the lives before and after it."""

    before: Life | None
    action: AnyAction
    after: Life


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What one step did to one discrepancy.

    Attributes:
        now: The discrepancy after it.
        before: Its life before; None if it is new.
        taken: What happened, in order; at least one action.
    """

    now: Discrepancy
    before: Life | None
    taken: tuple[Taken, ...]


def said_of(
    findings: Iterable[Finding],
    cleared: Iterable[Cleared],
    *,
    at: datetime,
    evidence: str,
    workings: Mapping[int, Working],
) -> dict[Cause, list[FromCheck]]:
    """Return what happens to each cause, in an order that does not depend on that of the findings.

    Of what one check says twice of a cause the last counts. A cause that is found by some check is
    not proven gone by another one in the same breath.

    Args:
        findings: Causes that are there.
        cleared: Causes that are proven gone.
        at: When.
        evidence: What the checks spoke of.
        workings: How each account, by number, counts its days.
    """
    found: dict[Cause, dict[Source, FromCheck]] = {}
    for finding in findings:
        cause = storable(finding.cause)
        of_cause = found.setdefault(cause, {})
        of_cause[finding.source] = _found(finding, at, evidence, workings[cause.account])
    gone: dict[Cause, dict[Source, FromCheck]] = {}
    for proof in cleared:
        cause = storable(proof.cause)
        if cause not in found:
            gone.setdefault(cause, {})[proof.source] = ProvenGone(
                at=at,
                actor=MACHINE,
                source=proof.source,
                evidence=evidence,
                proof=_storable_facts(proof.proof),
            )
    said = found | gone
    return {
        cause: [said[cause][source] for source in sorted(said[cause])]
        for cause in sorted(said, key=order_of)
    }


def born(actions: Sequence[AnyAction]) -> tuple[Taken, ...]:
    """Return the first steps of a cause that was never found before."""
    assert isinstance(actions[0], Found), "a discrepancy begins with a finding"
    return _taken(None, actions)


def changed(
    discrepancy: Discrepancy,
    actions: Sequence[AnyAction],
    known: AbstractSet[Said] = frozenset(),
    *,
    working: Working | None = None,
) -> list[Change]:
    """Return what `actions` do to `discrepancy`: one change, or none if there is nothing new.

    What the same check said of the same evidence before, by `known`, is not new; nor is a proof
    that something is gone which is gone already; nor that what was open, or ended by a person, is
    still what it was. `working` is how its account counts its days.

    Raises:
        NotPossible: The state does not allow what a person asks; the message names the id.
    """
    fresh = [action for action in actions if not _is_known(action, known)]
    try:
        taken = _taken(discrepancy.life, fresh, working)
    except NotPossible as refusal:
        raise NotPossible(f"{discrepancy.id}: {refusal}") from refusal
    if not taken:
        return []
    now = msgspec.structs.replace(discrepancy, life=taken[-1].after)
    return [Change(now=now, before=discrepancy.life, taken=taken)]


def _is_known(action: AnyAction, known: AbstractSet[Said]) -> bool:
    if not isinstance(action, Found | ProvenGone):
        return False
    return (action.source, isinstance(action, ProvenGone)) in known


def _taken(
    life: Life | None, actions: Iterable[AnyAction], working: Working | None = None
) -> tuple[Taken, ...]:
    taken: list[Taken] = []
    for action in actions:
        if isinstance(action, ProvenGone) and life is not None and not life.is_open:
            continue
        if isinstance(action, Found) and life and says_nothing_new(life, action, working):
            continue
        following = after(life, action)
        taken.append(Taken(before=life, action=action, after=following))
        life = following
    return tuple(taken)


def order_of(cause: Cause) -> tuple[int, str, str]:
    """Return what causes are sorted by wherever they are written or locked."""
    return cause.account, cause.kind.value, cause.subject


def storable(cause: Cause) -> Cause:
    """Return `cause` with a subject that can be a key: bounded, and of characters text may hold."""
    subject = _storable(cause.subject)
    if len(subject) > _SUBJECT_LENGTH_MAX:
        digest = sha256(subject.encode()).hexdigest()
        subject = f"{subject[:_SUBJECT_LENGTH_KEPT]}…{digest}"
    if subject == cause.subject:
        return cause
    return msgspec.structs.replace(cause, subject=subject)


def _found(finding: Finding, at: datetime, evidence: str, working: Working) -> Found:
    severity = severity_of(finding.cause.kind, finding.amount)
    return Found(
        at=at,
        actor=MACHINE,
        source=finding.source,
        evidence=evidence,
        severity=severity,
        due_at=due_at(at, severity, working),
        amount=None if finding.amount is None else normal(finding.amount),
        facts=_storable_facts(finding.facts),
        on=finding.on,
    )


def _storable_facts(facts: Mapping[str, str]) -> dict[str, str]:
    return {_storable(name): _storable(value) for name, value in facts.items()}


def _storable(text: str) -> str:
    # PostgreSQL knows no text with a zero character, and what banks print is not ours to choose.
    return text.replace("\x00", "\\x00")
