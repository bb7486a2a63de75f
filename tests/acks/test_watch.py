"""Who is deaf: told once it is late, forgiven once it has heard."""

from datetime import UTC, datetime

import pytest

from recon_streams.acks.watch import Claim, ClaimFlaw, Denials, held_against
from topics.breaker import BreakerRecord, BreakerState

SCOPE, OTHER = "account:A:AED", "account:B:AED"


def record(
    epoch: int, state: BreakerState = BreakerState.OPEN, scope: str = SCOPE
) -> BreakerRecord:
    return BreakerRecord(
        scope=scope,
        state=state,
        epoch=epoch,
        seq=epoch,
        reason_code="SHORTAGE",
        evidence_hash="",
        decided_at=datetime(2026, 11, 20, tzinfo=UTC),
        inputs_through={},
    )


def deaf(denials: Denials, through: dict[str, int], seconds: float) -> list[str]:
    found = denials.unheard(("p1", "p2"), through, seconds=seconds, patience_seconds=5)
    return [each.client_id for each in found]


def test_a_service_has_five_seconds_to_say_that_it_heard() -> None:
    denials = Denials()
    denials.see(record(2), 10, 100.0)
    assert deaf(denials, {"p1": 10, "p2": 11}, 105.0) == []
    assert deaf(denials, {"p1": 10, "p2": 11}, 105.1) == ["p1"]
    assert deaf(denials, {"p1": 11, "p2": 11}, 106.0) == []


def test_a_service_that_never_spoke_is_deaf() -> None:
    denials = Denials()
    denials.see(record(2), 0, 0.0)
    assert deaf(denials, {}, 6.0) == ["p1", "p2"]


def test_a_permission_nobody_heard_harms_nobody() -> None:
    denials = Denials()
    denials.see(record(2, BreakerState.CLOSED), 10, 0.0)
    assert deaf(denials, {}, 60.0) == []


def test_a_denial_written_again_does_not_ask_again() -> None:
    denials = Denials()
    denials.see(record(2), 10, 0.0)
    assert deaf(denials, {"p1": 11, "p2": 11}, 6.0) == []
    denials.see(record(2), 20, 60.0)
    assert deaf(denials, {"p1": 11, "p2": 11}, 70.0) == []


def test_what_was_taken_back_need_not_be_heard_any_more() -> None:
    denials = Denials()
    denials.see(record(2), 10, 0.0)
    assert deaf(denials, {"p1": 10, "p2": 12}, 6.0) == ["p1"]
    denials.see(record(3, BreakerState.CLOSED), 11, 6.0)
    assert deaf(denials, {"p1": 10, "p2": 12}, 7.0) == []


def test_a_scope_that_was_never_paid_from_and_an_exercise_need_not_be_heard() -> None:
    denials = Denials()
    denials.see(record(1, BreakerState.SUSPENDED), 10, 0.0)
    denials.see(record(2, scope="drill:fire"), 11, 0.0)
    assert deaf(denials, {}, 60.0) == []


def test_another_stop_of_the_same_scope_does_not_begin_the_wait_anew() -> None:
    """Or a scope that is stopped again and again would never call anybody."""
    denials = Denials()
    for second in range(0, 12, 4):
        denials.see(record(2 + second), 10 + second, float(second))
    assert deaf(denials, {"p1": 0, "p2": 18}, 8.0) == ["p1"]
    assert deaf(denials, {"p1": 12, "p2": 19}, 8.0) == [], "who heard the first has time for more"


def test_each_scope_is_asked_for_by_itself() -> None:
    denials = Denials()
    denials.see(record(2), 10, 0.0)
    denials.see(record(2, scope=OTHER), 11, 3.0)
    late = denials.unheard(("p1",), {"p1": 10}, seconds=6, patience_seconds=5)
    assert [[d.scope for d in each.denials] for each in late] == [[SCOPE]]


def test_nobody_is_waited_for_where_no_service_is_registered() -> None:
    denials = Denials()
    denials.see(record(2), 10, 0.0)
    assert denials.unheard((), {}, seconds=60, patience_seconds=5) == []
    assert denials._waiting == []


@pytest.mark.parametrize(("claimed", "counts"), [(0, 0), (10, 10), (11, 0), (2**62, 0)])
def test_nobody_has_heard_what_was_never_written(claimed: int, counts: int) -> None:
    held = held_against(Claim(client_id="p1", claimed_offset=claimed), 10)
    assert held.through_offset == counts
    assert (held.flaw is ClaimFlaw.BEYOND_THE_LOG) == (claimed > 10)


def test_what_was_said_of_the_future_does_not_come_true() -> None:
    held = held_against(Claim(client_id="p1", claimed_offset=1_000), 10)
    assert held_against(held, 2_000) == held


def test_what_was_heard_of_another_log_does_not_count_on_this_one() -> None:
    held = held_against(Claim(client_id="p1", claimed_offset=1_000), 1_000)
    assert held.through_offset == 1_000
    assert held_against(held, 3).through_offset == 0
