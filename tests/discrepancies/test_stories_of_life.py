"""A discrepancy is found, owned, put off, ended by proof or by a person, and comes back."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from acts import (
    assigned,
    escalated,
    found,
    hour,
    proven,
    reopened,
    resolved,
    snoozed,
)

from recon_streams.discrepancies.action import (
    AnyAction,
    Commented,
    ReasonCode,
    action_from_text,
    action_text,
    kind_of,
)
from recon_streams.discrepancies.life import (
    SNOOZE_MAX,
    Life,
    NotPossible,
    after,
    due_for_escalation,
    folded,
)
from topics.alerts import Severity
from topics.discrepancies import DiscrepancyState as State


def test_a_finding_opens_it_and_every_other_one_is_counted() -> None:
    life = folded([found(hour(0)), found(hour(1), amount="90.0"), found(hour(2), amount="80.00")])
    assert (life.state, life.occurrences, life.version) == (State.OPEN, 3, 3)
    assert (life.first_seen, life.last_seen, life.opened_at) == (hour(0), hour(2), hour(0))
    assert life.amount == Decimal(80), "the newest finding says how much"
    assert str(life.amount) == "80"
    assert life.due_at == hour(24), "being found again moves no due time"


def test_a_finding_that_arrives_late_says_that_it_was_there_earlier() -> None:
    life = folded([found(hour(5)), found(hour(1))])
    assert (life.first_seen, life.last_seen, life.opened_at) == (hour(1), hour(5), hour(5))


def test_it_is_closed_by_proof() -> None:
    life = folded([found(hour(0)), assigned(hour(1)), proven(hour(2))])
    assert (life.state, life.reason_code) == (State.RESOLVED, ReasonCode.PROVEN_GONE)
    assert (life.resolved_at, life.owner) == (hour(2), "ben")


def test_a_person_ends_it_with_a_reason_that_cannot_be_the_proof() -> None:
    life = folded([found(hour(0)), resolved(hour(1))])
    assert (life.state, life.reason_code) == (State.RESOLVED, ReasonCode.TIMING)
    assert life.reason == "the other leg is on its way"
    with pytest.raises(NotPossible, match="only a check"):
        folded([found(hour(0)), resolved(hour(1), ReasonCode.PROVEN_GONE)])


@pytest.mark.parametrize("end", [proven, resolved])
def test_whatever_ended_it_a_new_occurrence_begins_it_again(
    end: Callable[..., AnyAction],
) -> None:
    story = [found(hour(0), Severity.CRITICAL), assigned(hour(1)), end(hour(2)), found(hour(30))]
    life = folded(story)
    assert (life.state, life.reopenings, life.occurrences) == (State.OPEN, 1, 2)
    assert (life.opened_at, life.first_seen, life.due_at) == (hour(30), hour(0), hour(54))
    assert (life.owner, life.reason_code, life.reason, life.resolved_at) == (None,) * 4
    assert life.severity is Severity.WARNING, "the life before does not count"


def test_a_person_reopens_what_is_resolved_and_nothing_else() -> None:
    life = folded([found(hour(0)), resolved(hour(1)), reopened(hour(2))])
    assert (life.state, life.occurrences, life.reopenings) == (State.OPEN, 1, 1)
    assert life.due_at == hour(26)
    with pytest.raises(NotPossible, match="not resolved"):
        after(life, reopened(hour(3)))


def test_what_was_bad_yesterday_is_not_well_because_it_is_smaller_today() -> None:
    worse = [found(hour(0)), found(hour(1), Severity.CRITICAL), found(hour(2), Severity.INFO)]
    life = folded(worse)
    assert (life.severity, life.due_at) == (Severity.CRITICAL, hour(5))


def test_becoming_worse_never_gives_more_time() -> None:
    life = folded([found(hour(0)), found(hour(23), Severity.CRITICAL)])
    assert life.due_at == hour(24)


def test_what_was_snoozed_wakes_by_itself_at_its_instant() -> None:
    life = folded([found(hour(0)), snoozed(hour(1), hour(48))])
    assert life.state is State.OPEN
    assert life.is_snoozed(hour(47))
    assert not life.is_snoozed(hour(48))
    assert not due_for_escalation(life, hour(47)), "overdue, and asleep"
    assert due_for_escalation(life, hour(48))


def test_what_becomes_worse_wakes_and_what_is_only_found_again_sleeps_on() -> None:
    asleep = [found(hour(0)), snoozed(hour(1), hour(48))]
    assert folded([*asleep, found(hour(2))]).is_snoozed(hour(3))
    assert not folded([*asleep, found(hour(2), Severity.ERROR)]).is_snoozed(hour(3))


@pytest.mark.parametrize("until", [hour(1), hour(0), hour(1) + SNOOZE_MAX + timedelta(seconds=1)])
def test_nothing_sleeps_backwards_or_for_ever(until: object) -> None:
    with pytest.raises(NotPossible, match="14 days at most"):
        folded([found(hour(0)), snoozed(hour(1), until)])  # type: ignore[arg-type] # an instant


def test_what_is_overdue_is_escalated_once() -> None:
    life = folded([found(hour(0)), assigned(hour(1))])
    assert not due_for_escalation(life, hour(23.9))
    assert due_for_escalation(life, hour(24))
    life = after(life, escalated(hour(24)))
    assert not due_for_escalation(life, hour(25))
    with pytest.raises(NotPossible, match="escalated already"):
        after(life, escalated(hour(25)))
    with_other_owner = after(life, assigned(hour(26), "eve"))
    assert (with_other_owner.state, with_other_owner.owner) == (State.ESCALATED, "eve")
    assert after(life, proven(hour(27))).state is State.RESOLVED


@pytest.mark.parametrize(
    "action",
    [proven(hour(2)), resolved(hour(2)), assigned(hour(2)), escalated(hour(2)),
     snoozed(hour(2), hour(3))],
    ids=kind_of,
)  # fmt: skip
def test_what_is_resolved_is_left_alone_until_it_is_reopened(action: AnyAction) -> None:
    with pytest.raises(NotPossible, match="reopen it first"):
        folded([found(hour(0)), resolved(hour(1)), action])


def test_a_comment_changes_nothing_but_the_story() -> None:
    before = folded([found(hour(0)), resolved(hour(1))])
    life = after(before, Commented(at=hour(2), actor="ana", reason="asked the bank"))
    assert life.version == before.version + 1
    assert {n: getattr(life, n) for n in Life.__struct_fields__ if n != "version"} == {
        n: getattr(before, n) for n in Life.__struct_fields__ if n != "version"
    }


def test_a_life_begins_with_a_finding() -> None:
    with pytest.raises(NotPossible, match="never found"):
        after(None, proven(hour(0)))


@pytest.mark.parametrize(
    ("story", "is_alerted"),
    [
        ([found(hour(0), Severity.INFO)], False),
        ([found(hour(0), Severity.WARNING)], False),
        ([found(hour(0), Severity.ERROR)], True),
        ([found(hour(0), Severity.WARNING), escalated(hour(1))], True),
        ([found(hour(0), Severity.ERROR), resolved(hour(1))], False),
        ([found(hour(0), Severity.ERROR), proven(hour(1)), found(hour(2))], False),
    ],
)
def test_on_call_is_told_of_what_is_urgent_or_escalated_until_it_ends(
    story: list[AnyAction],
    is_alerted: bool,  # noqa: FBT001 - an expected value
) -> None:
    assert folded(story).is_alerted is is_alerted


def test_actions_are_read_as_they_were_written() -> None:
    for action in (
        found(hour(0)), found(hour(0), amount=None), proven(hour(1)), assigned(hour(2)),
        escalated(hour(3)), snoozed(hour(4), hour(5)), resolved(hour(6)), reopened(hour(7)),
    ):  # fmt: skip
        assert action_from_text(action_text(action)) == action
