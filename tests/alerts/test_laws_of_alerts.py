"""Laws of the alert machine, over any order of signals."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from recon_streams.alerts.alarm import (
    QUIET,
    Acknowledged,
    Alarm,
    AlarmState,
    Covered,
    Facts,
    Gone,
    Raised,
    Released,
    Repeated,
    Signal,
    feed_key,
    storm_key,
)
from recon_streams.alerts.machine import Advance, advance, is_news, is_worse
from topics.alerts import Severity

START = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
KEY = "position:account:A:AED"
CLASSES = ("BANK_SILENT", "SHORTAGE", "BREAKER_OPEN")

facts = st.builds(
    Facts,
    alert_class=st.sampled_from(CLASSES),
    severity=st.sampled_from(Severity),
    summary=st.just("s"),
    component=st.just("positions"),
    status=st.sampled_from(["OPEN", "CLOSED", None]),
    amounts=st.sampled_from([{}, {"unexplained": "-1"}, {"unexplained": "-3"}]),
    feed=st.sampled_from([None, "BANK"]),
    awaits_feed=st.booleans(),
    quiet_until=st.sampled_from([None, None, START + timedelta(seconds=5)]),
)
inhibitors = st.sampled_from([feed_key("BANK"), *map(storm_key, CLASSES)])


def _signals() -> st.SearchStrategy[list[Signal]]:
    at = st.just(START)
    key = st.just(KEY)
    one: st.SearchStrategy[Signal] = st.one_of(
        st.builds(Raised, key=key, at=at, facts=facts, instead=st.none() | inhibitors),
        st.builds(Raised, key=key, at=at, facts=facts),
        st.builds(Gone, key=key, at=at),
        st.builds(Acknowledged, key=key, at=at, actor=st.just("ana")),
        st.builds(Covered, key=key, at=at, by=inhibitors),
        st.builds(Released, key=key, at=at, by=inhibitors),
        st.builds(Repeated, key=key, at=at, is_worse=st.booleans()),
    )
    return st.lists(one, max_size=30)


def _timed(signals: list[Signal]) -> list[tuple[Signal, Alarm | None, Advance]]:
    """Return each signal that changed something, with what was before and what came of it."""
    alarm: Alarm | None = None
    taken: list[tuple[Signal, Alarm | None, Advance]] = []
    for number, signal in enumerate(signals):
        moved = type(signal)(
            **{name: getattr(signal, name) for name in signal.__struct_fields__ if name != "at"},
            at=START + timedelta(seconds=number),
        )
        found = advance(alarm, moved)
        if found is not None:
            taken.append((moved, alarm, found))
            alarm = found.alarm
    return taken


@given(_signals())
def test_nothing_is_triggered_twice_without_news(signals: list[Signal]) -> None:
    told: Facts | None = None
    for signal, _, found in _timed(signals):
        if found.action == "trigger":
            is_reminder = isinstance(signal, Repeated)
            assert told is None or is_reminder or is_news(found.alarm.facts, told)
            told = found.alarm.facts
        elif found.action == "resolve":
            told = None


@given(_signals())
def test_only_what_was_told_is_resolved_and_acknowledged(signals: list[Signal]) -> None:
    is_told = False
    for _, _, found in _timed(signals):
        if found.action in {"resolve", "acknowledge"}:
            assert is_told
        if found.action is not None:
            is_told = found.action != "resolve"
        assert (found.alarm.told is not None) == is_told


@given(_signals())
def test_versions_rise_by_one_with_each_record(signals: list[Signal]) -> None:
    version = 0
    for _, _, found in _timed(signals):
        version += found.action is not None
        assert found.alarm.version == version


@given(_signals())
def test_within_a_life_the_count_only_rises(signals: list[Signal]) -> None:
    for signal, before, found in _timed(signals):
        was_quiet = before is not None and before.inhibited_by == QUIET
        if before is None or before.is_over or (was_quiet and found.alarm.first_seen == signal.at):
            assert (found.alarm.count, found.alarm.first_seen) == (1, signal.at)
        else:
            assert found.alarm.count == before.count + isinstance(signal, Raised)
            assert found.alarm.first_seen == before.first_seen
            assert found.alarm.last_seen >= before.last_seen


@given(_signals())
def test_what_is_inhibited_is_not_told_and_what_is_critical_only_in_a_storm_of_its_class(
    signals: list[Signal],
) -> None:
    for signal, _, found in _timed(signals):
        alarm = found.alarm
        if alarm.inhibited_by is not None:
            assert not alarm.is_over
            assert alarm.told is None
            assert found.action in {None, "resolve"}
        if alarm.facts.is_critical and isinstance(signal, Raised) and alarm.told is None:
            assert signal.instead == storm_key(alarm.facts.alert_class)
            assert alarm.inhibited_by == signal.instead, "only a storm of its class stands for it"


@given(_signals())
def test_what_is_there_is_told_or_something_is_told_instead(signals: list[Signal]) -> None:
    for _, _, found in _timed(signals):
        if not found.alarm.is_over:
            assert (found.alarm.told is None) == (found.alarm.inhibited_by is not None)


@given(_signals())
def test_the_end_of_what_was_told_instead_tells_what_is_still_there(
    signals: list[Signal],
) -> None:
    taken = _timed(signals)
    if not taken or taken[-1][2].alarm.inhibited_by is None:
        return
    alarm = taken[-1][2].alarm
    assert alarm.inhibited_by is not None
    other = advance(alarm, Released(key=KEY, at=START, by="feed:OTHER"))
    assert other is None, "it was another one that ended"
    found = advance(alarm, Released(key=KEY, at=START, by=alarm.inhibited_by))
    assert found is not None
    assert (found.action, found.alarm.told) == ("trigger", alarm.facts)


@given(_signals())
def test_what_somebody_has_in_hand_fires_again_only_if_it_becomes_worse(
    signals: list[Signal],
) -> None:
    for signal, before, found in _timed(signals):
        if before is None or before.state is not AlarmState.ACKNOWLEDGED:
            continue
        if found.alarm.state is AlarmState.FIRING:
            if isinstance(signal, Raised):
                assert is_worse(signal.facts, before.told or before.facts)
            else:
                assert isinstance(signal, Repeated)
                assert signal.is_worse
        elif isinstance(signal, Repeated):
            raise AssertionError("nobody is reminded of what they have in hand")


def test_what_happened_once_is_over_when_somebody_has_taken_note_of_it() -> None:
    lost = Facts(
        alert_class="INPUTS_LOST", severity=Severity.CRITICAL, summary="s", component="inputs"
    )
    first = advance(None, Raised(key="loss:t/0:3", at=START, facts=lost))
    assert first is not None
    ended = advance(first.alarm, Acknowledged(key="loss:t/0:3", at=START, actor="ana"))
    assert ended is not None
    assert (ended.action, ended.alarm.state) == ("resolve", AlarmState.RESOLVED)


def test_a_shortage_that_doubles_is_told_again_and_one_that_grows_a_little_is_not() -> None:
    def short(amount: str) -> Facts:
        return Facts(
            alert_class="SHORTAGE",
            severity=Severity.CRITICAL,
            summary="s",
            component="positions",
            amounts={"unexplained": amount},
        )

    alarm: Alarm | None = None
    told = []
    for amount in ("-100", "-150", "-200", "-200.01", "-300", "-401"):
        found = advance(alarm, Raised(key=KEY, at=START, facts=short(amount)))
        assert found is not None
        alarm = found.alarm
        told.append(found.action == "trigger")
    assert told == [True, False, False, True, False, True]
