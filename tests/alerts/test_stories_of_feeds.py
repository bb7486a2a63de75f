"""A bank that is silent is one alert, and not one for each of its accounts."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from recon_streams.alerts.alarm import Facts, Gone, Raised, Signal
from recon_streams.alerts.storm import TOLD_MAX
from topics.alerts import Alert, Severity

pytestmark = pytest.mark.postgres

FEED = "BANKAEAD"
FEEDS = {FEED: 3}
LATER = timedelta(seconds=90)
FactsOf = Callable[..., Facts]


def _said(alerts: list[Alert]) -> list[tuple[str, str]]:
    return [(each.dedup_key, each.action) for each in alerts]


@pytest.fixture
def silent(start: datetime, make_facts: FactsOf) -> Callable[[int], Signal]:
    def make(number: int) -> Signal:
        facts = make_facts(scope=f"account:{number}:AED", feed=FEED, awaits_feed=True)
        return Raised(key=f"position:{number}", at=start, facts=facts)

    return make


async def test_a_feed_that_is_silent_as_a_whole_is_one_alert(
    on_call: Any, start: datetime, silent: Callable[[int], Signal]
) -> None:
    assert await on_call.says(*map(silent, range(3))) == []
    (only,) = await on_call.keeps(FEEDS, start)
    assert _said([only]) == [(f"feed:{FEED}", "trigger")]
    assert "any of its 3 accounts" in only.summary
    assert await on_call.keeps(FEEDS, start + LATER) == []


async def test_one_silent_account_of_several_is_told_by_itself_after_a_moment(
    on_call: Any, start: datetime, silent: Callable[[int], Signal]
) -> None:
    assert await on_call.says(silent(0)) == []
    assert await on_call.keeps(FEEDS, start + timedelta(seconds=5)) == []
    assert _said(await on_call.keeps(FEEDS, start + LATER)) == [("position:0", "trigger")]


async def test_what_was_told_before_the_whole_feed_fell_silent_is_taken_together(
    on_call: Any, start: datetime, silent: Callable[[int], Signal]
) -> None:
    await on_call.says(silent(0))
    await on_call.keeps(FEEDS, start + LATER)
    assert await on_call.says(silent(1), silent(2)) == []
    told = await on_call.keeps(FEEDS, start + LATER)
    assert _said(told) == [(f"feed:{FEED}", "trigger"), ("position:0", "resolve")]


async def test_what_is_still_silent_when_the_feed_is_back_is_told_then(
    on_call: Any, start: datetime, silent: Callable[[int], Signal]
) -> None:
    await on_call.says(*map(silent, range(3)))
    await on_call.keeps(FEEDS, start)
    assert await on_call.says(Gone(key="position:1", at=start)) == [], "it was never told"
    assert _said(await on_call.keeps(FEEDS, start)) == [(f"feed:{FEED}", "resolve")]
    await on_call.says(Gone(key="position:0", at=start))
    assert await on_call.keeps(FEEDS, start + timedelta(seconds=5)) == [], "they are on their way"
    assert _said(await on_call.keeps(FEEDS, start + LATER)) == [("position:2", "trigger")]


async def test_missing_money_is_told_whatever_the_feed_does(
    on_call: Any, start: datetime, make_facts: FactsOf, silent: Callable[[int], Signal]
) -> None:
    short = make_facts(Severity.CRITICAL, alert_class="SHORTAGE", feed=FEED)
    told = await on_call.says(silent(0), silent(1), Raised(key="position:2", at=start, facts=short))
    assert _said(told) == [("position:2", "trigger")]
    # It is silent there too, and that makes the feed silent as a whole.
    assert _said(await on_call.keeps(FEEDS, start)) == [(f"feed:{FEED}", "trigger")]
    worse = make_facts(Severity.CRITICAL, alert_class="SHORTAGE", feed=FEED)
    told = await on_call.says(Raised(key="position:0", at=start, facts=worse))
    assert _said(told) == [("position:0", "trigger")]


async def test_a_feed_that_comes_back_with_too_many_silent_accounts_is_a_storm(
    on_call: Any, start: datetime, silent: Callable[[int], Signal]
) -> None:
    many = TOLD_MAX + 10
    await on_call.says(*map(silent, range(many)))
    await on_call.keeps({FEED: many}, start)
    await on_call.says(Gone(key="position:0", at=start))
    assert _said(await on_call.keeps({FEED: many}, start)) == [(f"feed:{FEED}", "resolve")]
    told = await on_call.keeps({FEED: many}, start + LATER)
    assert _said(told) == [("storm:BANK_SILENT", "trigger")]
    gone = [Gone(key=f"position:{n}", at=start) for n in range(1, many - 2)]
    assert await on_call.says(*gone) == []
    told = await on_call.keeps({FEED: many}, start + LATER)
    assert set(_said(told)) == {
        ("storm:BANK_SILENT", "resolve"),
        (f"position:{many - 2}", "trigger"),
        (f"position:{many - 1}", "trigger"),
    }


async def test_what_nobody_has_in_hand_is_told_again_after_an_hour(
    on_call: Any, start: datetime, make_facts: FactsOf
) -> None:
    await on_call.says(Raised(key="a", at=start, facts=make_facts()))
    assert await on_call.keeps({}, start + timedelta(minutes=59)) == []
    assert _said(await on_call.keeps({}, start + timedelta(minutes=65))) == [("a", "trigger")]
    assert await on_call.keeps({}, start + timedelta(minutes=59)) == []


async def test_what_happened_long_ago_is_not_told_twice_at_once(
    on_call: Any, start: datetime, make_facts: FactsOf
) -> None:
    yesterday = start - timedelta(days=1)
    assert await on_call.says(Raised(key="a", at=yesterday, facts=make_facts()))
    assert await on_call.keeps({}, start) == []


async def test_what_follows_from_the_silence_is_told_with_it(
    on_call: Any, start: datetime, make_facts: FactsOf, silent: Callable[[int], Signal]
) -> None:
    def late(number: int) -> Signal:
        facts = make_facts(
            alert_class="STATEMENT_MISSING", scope=f"account:{number}:AED", is_of_feed=True
        )
        return Raised(key=f"discrepancy:{number}", at=start, facts=facts)

    assert _said(await on_call.says(late(0))) == [("discrepancy:0", "trigger")], "nobody is silent"
    await on_call.says(*map(silent, range(3)))
    told = await on_call.keeps(FEEDS, start)
    assert _said(told) == [(f"feed:{FEED}", "trigger"), ("discrepancy:0", "resolve")]
    assert await on_call.says(late(1)) == []
    assert _said(await on_call.says(late(9))) == [("discrepancy:9", "trigger")], "of another bank"
    gone = [Gone(key=f"position:{number}", at=start) for number in range(3)]
    assert await on_call.says(*gone) == []
    await on_call.keeps(FEEDS, start)
    told = await on_call.keeps(FEEDS, start + LATER)
    assert _said(told) == [("discrepancy:0", "trigger"), ("discrepancy:1", "trigger")]
