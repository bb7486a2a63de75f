"""One page for hundreds of alerts says how large the trouble is, and loses none of them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from recon_streams.alerts import reading
from recon_streams.alerts.alarm import Acknowledged, Facts, Gone, Raised, Signal
from recon_streams.alerts.storm import TOLD_MAX
from topics.alerts import Alert, Severity

pytestmark = pytest.mark.postgres
FactsOf = Callable[..., Facts]
STORM = "storm:SHORTAGE"
SECOND = timedelta(seconds=1)


def _said(alerts: list[Alert]) -> list[tuple[str, str]]:
    return [(each.dedup_key, each.action) for each in alerts]


async def told_a_minute_later(on_call: Any) -> None:
    """Let the clock of the book have been a minute on when the storm was told last."""
    await on_call.pool.execute(
        "UPDATE alerts.alert SET told_at = told_at + interval '1 minute' WHERE dedup_key = $1",
        STORM,
    )


@pytest.fixture
def short(start: datetime, make_facts: FactsOf) -> Callable[..., Signal]:
    def make(number: int, amount: str = "-10.05", currency: str = "AED", **changes: Any) -> Signal:
        severity = changes.pop("severity", Severity.CRITICAL)
        facts = make_facts(
            severity,
            alert_class="SHORTAGE",
            scope=f"account:A{number}:{currency}",
            amounts={"bank": "1", "difference": "-99", "unexplained": amount},
            **changes,
        )
        return Raised(key=f"position:{number}", at=start, facts=facts)

    return make


async def test_a_storm_of_missing_money_is_one_page_beside_those_that_can_be_read(
    on_call: Any, pool: asyncpg.Pool, short: Callable[..., Signal]
) -> None:
    told = await on_call.says(*[short(number) for number in range(120)])
    assert _said(told[:TOLD_MAX]) == [(f"position:{n}", "trigger") for n in range(TOLD_MAX)]
    (storm,) = told[TOLD_MAX:]
    assert (storm.dedup_key, storm.action, storm.alert_class) == (STORM, "trigger", "ALERT_STORM")
    assert storm.severity is Severity.CRITICAL
    assert storm.amounts == {
        "alerts": "120",
        "told_only_here": "70",
        "critical_told_only_here": "70",
        "scopes": "120",
        "short_AED": "-1206",
        "most_alerts": "120",
        "most_short_AED": "-1206",
    }
    assert "SHORTAGE: 120 alerts at once" in storm.summary
    assert "short AED -1206" in storm.summary
    assert storm.links.evidence == "recon-streams alerts list --class SHORTAGE"
    listed = await reading.listed(pool, reading.Wanted(alert_class="SHORTAGE"), rows_max=1_000)
    assert len(listed) == 120, "each is in the book"
    assert sum(each.inhibited_by == STORM for each in listed) == 70


async def test_shortages_and_surpluses_are_summed_apart_and_exactly_in_each_currency(
    on_call: Any, short: Callable[..., Signal]
) -> None:
    await on_call.says(*[short(number, "-0.1") for number in range(30)])
    *_, storm = await on_call.says(
        *[short(number, "0.2", severity=Severity.ERROR) for number in range(30, 40)],
        *[short(number, "-123456789012345.67", "KWD") for number in range(40, 60)],
    )
    sums = {name: text for name, text in storm.amounts.items() if name[:5] in {"short", "surpl"}}
    assert sums == {
        "short_AED": "-3",
        "surplus_AED": "2",
        "short_KWD": "-2469135780246913.4",
    }


async def test_what_tips_the_scales_is_told_by_the_storm_and_the_storm_names_all(
    on_call: Any, start: datetime, short: Callable[..., Signal]
) -> None:
    for number in range(TOLD_MAX):
        assert len(await on_call.says(short(number))) == 1
    (storm,) = await on_call.says(short(TOLD_MAX))
    assert (storm.dedup_key, storm.severity) == (STORM, Severity.CRITICAL)
    assert (storm.amounts["alerts"], storm.amounts["told_only_here"]) == ("51", "1")
    assert await on_call.keeps({}, start + 11 * SECOND) == []


async def test_a_storm_that_doubles_is_told_again_and_not_with_every_alert(
    on_call: Any, start: datetime, short: Callable[..., Signal]
) -> None:
    await on_call.says(*[short(number) for number in range(60)])
    assert await on_call.says(*[short(number) for number in range(60, 130)]) == []
    assert await on_call.keeps({}, start + 11 * SECOND) == [], "it was told a moment ago"
    (storm,) = await on_call.keeps({}, start + 40 * SECOND)
    assert (storm.action, storm.amounts["alerts"]) == ("trigger", "130")
    assert storm.amounts["short_AED"] == "-1306.5"
    assert await on_call.says(short(130)) == []


async def test_a_storm_that_grows_a_little_is_told_again_after_some_minutes(
    on_call: Any, pool: asyncpg.Pool, start: datetime, short: Callable[..., Signal]
) -> None:
    await on_call.says(*[short(number) for number in range(60)])
    assert await on_call.keeps({}, start + 40 * SECOND) == []
    await told_a_minute_later(on_call)
    await on_call.says(short(60))
    assert await on_call.keeps({}, start + 200 * SECOND) == []
    shown = await reading.one(pool, STORM)
    assert shown is not None
    assert shown.amounts["alerts"] == "61", "whoever looks sees the newest"
    (storm,) = await on_call.keeps({}, start + 400 * SECOND)
    assert storm.amounts["alerts"] == "61"


async def test_what_others_had_not_committed_when_a_storm_began_is_told_half_a_minute_later(
    on_call: Any, start: datetime, short: Callable[..., Signal]
) -> None:
    begun = start - 5 * SECOND
    await on_call.says(*[msgspec.structs.replace(short(n), at=begun) for n in range(86)])
    await on_call.says(*[short(n) for n in range(86, 120)])
    assert await on_call.keeps({}, start + 10 * SECOND) == []
    (storm,) = await on_call.keeps({}, start + 40 * SECOND)
    assert storm.amounts["alerts"] == "120"
    await told_a_minute_later(on_call)
    await on_call.says(short(120))
    assert await on_call.keeps({}, start + 90 * SECOND) == [], "that was the first time only"


async def test_a_storm_of_seconds_still_says_how_large_it_was(
    on_call: Any, start: datetime, short: Callable[..., Signal]
) -> None:
    await on_call.says(*[short(n) for n in range(86)])
    await on_call.says(*[short(n) for n in range(86, 120)])
    assert await on_call.keeps({}, start + 2 * SECOND) == []
    await on_call.says(*[Gone(key=f"position:{n}", at=start) for n in range(120)])
    (end,) = await on_call.keeps({}, start + 4 * SECOND)
    assert (end.action, end.amounts["most_alerts"]) == ("resolve", "120")
    assert "0 alerts at once (at most 120)" in end.summary
    assert "most short AED -1206" in end.summary


async def test_trouble_that_is_found_in_a_new_account_is_there_since_it_was_found(
    on_call: Any, start: datetime, make_facts: FactsOf, short: Callable[..., Signal]
) -> None:
    waits = make_facts(Severity.WARNING, quiet_until=start + timedelta(days=1))
    for minute in range(3):
        at = start - timedelta(minutes=10 - minute)
        await on_call.says(Raised(key="position:1", at=at, facts=waits))
    (told,) = await on_call.says(short(1))
    assert (told.first_seen, told.count, told.life) == (start, 1, 1)


async def test_whoever_has_a_storm_in_hand_hears_that_it_doubled_and_no_less(
    on_call: Any, start: datetime, short: Callable[..., Signal]
) -> None:
    await on_call.says(*[short(number) for number in range(60)])
    await on_call.says(Acknowledged(key=STORM, at=start, actor="ana"))
    await on_call.says(short(60))
    assert await on_call.keeps({}, start + 400 * SECOND) == []
    await on_call.says(*[short(number) for number in range(61, 125)])
    (storm,) = await on_call.keeps({}, start + 800 * SECOND)
    assert (storm.action, storm.amounts["alerts"]) == ("trigger", "125")


async def test_the_end_of_a_storm_says_how_large_it_was_and_tells_what_is_left(
    on_call: Any, start: datetime, short: Callable[..., Signal]
) -> None:
    await on_call.says(*[short(number) for number in range(120)])
    gone = [Gone(key=f"position:{number}", at=start) for number in range(110)]
    await on_call.says(*gone)
    told = await on_call.keeps({}, start + 90 * SECOND)
    end = next(each for each in told if each.dedup_key == STORM)
    assert end.action == "resolve"
    assert "is over since" in end.summary
    assert "at most 120" in end.summary
    assert (end.amounts["most_alerts"], end.amounts["most_short_AED"]) == ("120", "-1206")
    assert (end.amounts["alerts"], end.lasted_seconds) == ("10", 90)
    left = {(f"position:{number}", "trigger") for number in range(110, 120)}
    assert set(_said(told)) == left | {(STORM, "resolve")}


async def test_a_mild_storm_becomes_critical_with_what_is_critical_and_told_nowhere_else(
    on_call: Any, start: datetime, short: Callable[..., Signal]
) -> None:
    mild = [short(number, severity=Severity.ERROR) for number in range(60)]
    (storm,) = await on_call.says(*mild)
    assert storm.severity is Severity.ERROR
    told = await on_call.says(*[short(number) for number in range(60, 60 + TOLD_MAX)])
    assert len(told) == TOLD_MAX, "so many can be read"
    assert await on_call.keeps({}, start + SECOND) == []
    assert await on_call.says(short(200)) == []
    (storm,) = await on_call.keeps({}, start + 2 * SECOND)
    assert (storm.dedup_key, storm.severity) == (STORM, Severity.CRITICAL)
    assert storm.amounts["critical_told_only_here"] == "1"


async def test_what_is_told_by_itself_and_ends_makes_room_for_another(
    on_call: Any, start: datetime, short: Callable[..., Signal]
) -> None:
    await on_call.says(*[short(number) for number in range(120)])
    await on_call.says(Gone(key="position:0", at=start))
    assert _said(await on_call.says(short(500))) == [("position:500", "trigger")]


async def test_what_is_quiet_is_no_trouble_and_makes_no_storm(
    on_call: Any, start: datetime, short: Callable[..., Signal]
) -> None:
    until = start + timedelta(hours=1)
    new = [short(n, severity=Severity.WARNING, quiet_until=until) for n in range(200)]
    assert await on_call.says(*new) == []
    assert await on_call.keeps({}, until - SECOND) == []
    (storm,) = await on_call.keeps({}, until)
    assert (storm.dedup_key, storm.amounts["alerts"]) == (STORM, "200")
    assert storm.severity is Severity.WARNING, "as urgent as what it stands for"


async def test_what_is_still_there_when_it_may_no_longer_be_quiet_is_told(
    on_call: Any, start: datetime, short: Callable[..., Signal]
) -> None:
    until = start + timedelta(hours=1)
    new = [short(n, severity=Severity.WARNING, quiet_until=until) for n in range(60)]
    await on_call.says(*new)
    await on_call.says(*[Gone(key=f"position:{n}", at=start) for n in range(58)])
    told = await on_call.keeps({}, until)
    assert _said(told) == [("position:58", "trigger"), ("position:59", "trigger")]


async def test_missing_money_is_told_however_new_the_account_is(
    on_call: Any, start: datetime, short: Callable[..., Signal]
) -> None:
    until = start + timedelta(hours=1)
    assert await on_call.says(short(1, severity=Severity.WARNING, quiet_until=until)) == []
    assert _said(await on_call.says(short(1, quiet_until=until))) == [("position:1", "trigger")]


async def test_those_who_are_quiet_no_more_one_after_another_are_a_storm_like_any_other(
    on_call: Any, start: datetime, short: Callable[..., Signal]
) -> None:
    new = [
        short(n, severity=Severity.WARNING, quiet_until=start + n * SECOND)
        for n in range(1, TOLD_MAX + 6)
    ]
    await on_call.says(*new)
    for second in range(1, TOLD_MAX + 1):
        (one,) = await on_call.keeps({}, start + second * SECOND)
        assert one.dedup_key == f"position:{second}"
    (storm,) = await on_call.keeps({}, start + (TOLD_MAX + 1) * SECOND)
    assert storm.dedup_key == STORM
    assert await on_call.keeps({}, start + (TOLD_MAX + 4) * SECOND) == []
