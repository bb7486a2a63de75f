"""The life of a day: what may follow what, and everything that stands against closing it."""

from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from recon_streams.closing.day import (
    CRITICAL_VERDICT,
    UNEXPLAINED,
    WAIVABLE,
    Day,
    DayAction,
    DayState,
    Figures,
    NotClosable,
    NotReopenable,
    Obstacle,
    OnePerson,
    Signature,
    close,
    obstacles_of,
    reopen,
    run,
    said_of,
)

AT = datetime(2026, 11, 17, 6, tzinfo=UTC)
ANNA = Signature(actor="anna", reason="checked", at=AT)
CLEAN = Figures(
    sha256="a", figures_sha256="A", proof="0", has_statement=True, statement_required=True
)
OTHER = replace(CLEAN, sha256="b", figures_sha256="B")
NEW = Day(number=1, on=date(2026, 11, 16))

figures = st.builds(
    Figures,
    sha256=st.sampled_from("ab"),
    figures_sha256=st.sampled_from("AB"),
    proof=st.sampled_from(("0", "-0.01", "130", None)),
    has_statement=st.booleans(),
    statement_required=st.booleans(),
    missing_sequences=st.sampled_from(((), ("118",), ("118-120",))),
    jump=st.sampled_from((None, "0", "5")),
    tier=st.sampled_from(("OK", "SIGNIFICANT", "CRITICAL", "INTEGRITY", "UNKNOWN")),
)
steps = st.lists(
    st.tuples(st.sampled_from(("run", "close", "accept", "reopen")), figures), max_size=12
)


def after_run() -> Day:
    taken = run(NEW, CLEAN, AT)
    assert taken is not None
    return taken.day


def test_a_run_that_finds_the_same_changes_nothing() -> None:
    assert run(after_run(), replace(CLEAN, sha256="other coverage"), AT) is None


def test_other_figures_of_a_closed_day_are_a_correction_that_opens_it_again() -> None:
    closed = close(after_run(), ANNA, seen=CLEAN).day
    taken = run(closed, OTHER, AT)
    assert taken is not None
    assert (taken.action, taken.day.state) == (DayAction.CORRECT, DayState.REOPENED)
    assert (taken.day.version, taken.signature.actor) == (2, "recon-streams")


def test_other_figures_of_a_day_that_was_opened_again_leave_it_open() -> None:
    closed = close(after_run(), ANNA, seen=CLEAN).day
    taken = run(reopen(closed, ANNA).day, OTHER, AT)
    assert taken is not None
    assert (taken.action, taken.day.state) == (DayAction.RUN, DayState.REOPENED)


def test_everything_that_stands_against_closing_is_told_at_once() -> None:
    bad = replace(CLEAN, proof="130", has_statement=False, missing_sequences=("118",), jump="5")
    with pytest.raises(NotClosable) as caught:
        close(replace(after_run(), figures=bad), ANNA, seen=OTHER, waive=WAIVABLE, who="AE-1 AED")
    assert str(caught.value) == (
        "AE-1 AED on 2026-11-16 cannot be closed: its figures changed since version 0; look at "
        "the new ones; no statement of the day is there that adds up; statements before it are "
        "missing: number 118"
    )


@pytest.mark.parametrize("tier", ["CRITICAL", "INTEGRITY"])
def test_a_day_that_is_not_backed_is_closed_by_whoever_accepts_exactly_that(tier: str) -> None:
    short = replace(CLEAN, tier=tier, reason="the bank is short by 100.00")
    day = replace(after_run(), figures=short)
    for waive in ((), UNEXPLAINED):
        with pytest.raises(
            NotClosable, match=f"the verdict is {tier}: the bank is short by 100.00"
        ):
            close(day, ANNA, seen=short, waive=waive)
    taken = close(day, ANNA, seen=short, waive=CRITICAL_VERDICT)
    assert (taken.day.state, taken.waived) == (DayState.CLOSED, (Obstacle.CRITICAL,))
    apart = replace(short, proof="-100")
    with pytest.raises(NotClosable, match="is not explained"):
        close(replace(day, figures=apart), ANNA, seen=apart, waive=CRITICAL_VERDICT)


def test_a_statement_that_is_not_required_is_not_missed() -> None:
    without = replace(CLEAN, has_statement=False, statement_required=False, proof=None)
    day = replace(after_run(), figures=without)
    assert close(day, ANNA, seen=without).day.state is DayState.CLOSED


def test_unknown_is_never_ok_unless_somebody_accepts_it() -> None:
    reason = "there is no balance of the bank to compare with"
    unknown = replace(
        CLEAN,
        has_statement=False,
        statement_required=False,
        proof=None,
        tier="UNKNOWN",
        reason=reason,
    )
    day = replace(after_run(), figures=unknown)
    for waive in ((), CRITICAL_VERDICT):
        with pytest.raises(NotClosable, match=f"the verdict is UNKNOWN: {reason}"):
            close(day, ANNA, seen=unknown, waive=waive)
    taken = close(day, ANNA, seen=unknown, waive=UNEXPLAINED)
    assert (taken.day.state, taken.waived) == (DayState.CLOSED, (Obstacle.UNKNOWN,))


def test_a_statement_that_is_owed_is_not_made_up_for_by_accepting_the_unknown() -> None:
    owed = replace(CLEAN, has_statement=False, proof=None, tier="UNKNOWN", reason="no balance")
    day = replace(after_run(), figures=owed)
    with pytest.raises(NotClosable) as caught:
        close(day, ANNA, seen=owed, waive=WAIVABLE)
    assert caught.value.obstacles == (Obstacle.STATEMENT_MISSING,)


def test_figures_kept_before_they_had_a_reason_are_still_read() -> None:
    kept = (
        b'{"sha256":"a","figures_sha256":"A","proof":"0","has_statement":true,'
        b'"statement_required":true,"tier":"CRITICAL","uncovered":"-100"}'
    )
    found = msgspec.json.decode(kept, type=Figures)
    day = replace(after_run(), figures=found)
    assert said_of(Obstacle.CRITICAL, day) == "the verdict is CRITICAL: the report says why"


def test_what_is_accepted_is_recorded() -> None:
    apart = replace(CLEAN, proof="130", jump="130")
    day = replace(after_run(), figures=apart)
    taken = close(day, ANNA, seen=apart, waive=WAIVABLE)
    assert taken.waived == (Obstacle.CONTINUITY_BROKEN, Obstacle.PROOF_NOT_ZERO)


async def test_one_person_is_enough_until_two_are_asked_for() -> None:
    assert await OnePerson().approve("close", "a", "anna", "checked") is None


@given(steps)
def test_no_way_leads_to_a_closed_day_that_should_not_be(
    happens: list[tuple[str, Figures]],
) -> None:
    day, actions, seen = NEW, 0, None
    for verb, found in happens:
        before = day
        try:
            if verb == "run":
                taken = run(day, found, AT)
                day = taken.day if taken else day
            elif verb == "reopen":
                day = reopen(day, ANNA).day
            else:
                day = close(day, ANNA, seen=seen, waive=WAIVABLE if verb == "accept" else ()).day
        except (NotClosable, NotReopenable):
            pass
        actions += day.sequence - before.sequence
        seen = day.figures
        assert day.sequence == actions
        assert day.version >= before.version
        if day.state is DayState.CLOSED:
            standing = set(obstacles_of(replace(day, state=DayState.RUN), seen=day.figures))
            assert standing <= WAIVABLE
            assert before.state is DayState.CLOSED or verb in ("close", "accept")
        if before.state is DayState.CLOSED and day.version > before.version:
            assert day.state is DayState.REOPENED
