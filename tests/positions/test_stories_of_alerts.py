"""What on-call hears of an account, told as storyboards: one alert for figures and breaker."""

from datetime import UTC, datetime, timedelta

import pytest
from storyboard import Story

from recon_streams.alerts.alarm import Alarm
from recon_streams.alerts.machine import advance
from recon_streams.positions.alerting import signals_of
from recon_streams.positions.directory import Account
from recon_streams.positions.event import Elapsed
from recon_streams.positions.working_set import RecordedStep

KEY = "position:account:SAFE:AED"
OVERRIDE = "override:account:SAFE:AED"


class AlertStory:
    """Plays rows of a storyboard one by one, and keeps what on-call hears."""

    def __init__(self, *, feed: str | None = None) -> None:
        self.story = Story()
        self.feed = feed
        self.alarms: dict[str, Alarm] = {}

    def hears(self, text: str) -> list[str]:
        """Return what is told of these rows: key's kind, action, class and severity."""
        told: list[str] = []
        for line in text.strip().splitlines():
            before = {} if self.story.taken is None else {1: self.story.state}
            self.story.play(line)
            account = Account(
                number=1, account_id="SAFE", currency="AED", rules=self.story.rules, feed=self.feed
            )
            recorded = RecordedStep(
                account=account,
                event=Elapsed(at=datetime(2026, 11, 20, tzinfo=UTC)),
                step=self.story.step,
            )
            for signal in signals_of([recorded], before):
                found = advance(self.alarms.get(signal.key), signal)
                if found is None:
                    continue
                self.alarms[signal.key] = found.alarm
                if found.action is not None:
                    facts = found.alarm.facts
                    kind = signal.key.partition(":")[0]
                    told.append(f"{kind} {found.action} {facts.alert_class} {facts.severity.value}")
        return told


@pytest.fixture
def story() -> AlertStory:
    return AlertStory()


@pytest.fixture
def sound(story: AlertStory) -> AlertStory:
    """An account whose books agree and that may pay."""
    story.hears("opening  bank 5000.00 ledger 5000.00")
    for line in ("bank observed", "bank observed", "bank observed"):
        story.hears(line)
    assert story.hears("09:20:00 bank observed") == [], "nobody was called for what is new"
    return story


def test_a_shortage_that_opens_the_breaker_is_one_page(sound: AlertStory) -> None:
    assert sound.hears("bank -100.00") == ["position trigger SHORTAGE critical"]
    facts = sound.alarms[KEY].facts
    assert (facts.tier, facts.status, facts.epoch) == ("CRITICAL", "OPEN", 3)
    assert facts.amounts["unexplained"] == "-100"
    assert facts.scope == "account:SAFE:AED"
    assert list(sound.alarms) == [KEY]


def test_a_breaker_that_is_still_open_keeps_the_alert_of_the_account(sound: AlertStory) -> None:
    sound.hears("bank -100.00")
    assert sound.hears("bank +100.00") == ["position trigger BREAKER_OPEN error"]
    assert "until two people release them" in sound.alarms[KEY].facts.summary
    assert sound.hears("people reset") == ["position resolve BREAKER_OPEN error"]


def test_a_suspension_that_waits_for_proof_is_less_urgent_than_what_led_to_it(
    sound: AlertStory,
) -> None:
    assert sound.hears("bank +100.00") == ["position trigger ABOVE_CRITICAL critical"]
    other = AlertStory()
    other.hears("opening bank 100000.00 ledger 100000.00\nproven")
    assert other.hears("bank +100.00") == ["position trigger ABOVE_SIGNIFICANT error"]
    assert other.hears("bank -100.00") == ["position trigger BREAKER_SUSPENDED warning"]
    told = other.hears("bank observed\nbank observed\n+601s bank observed")
    assert told == ["position resolve BREAKER_SUSPENDED warning"]


def test_a_stop_by_hand_is_told_although_the_figures_agree(sound: AlertStory) -> None:
    assert sound.hears("people trip") == ["position trigger BREAKER_OPEN error"]
    assert sound.alarms[KEY].facts.component == "breaker"
    assert sound.hears("people reset") == ["position resolve BREAKER_OPEN error"]


def test_a_forced_state_is_told_loudly_for_as_long_as_it_lasts(sound: AlertStory) -> None:
    sound.hears("people trip")
    told = sound.hears("people override 600s")
    assert "override trigger OVERRIDE_ACTIVE critical" in told
    ended = sound.hears("+601s time passes")
    assert "override resolve OVERRIDE_ACTIVE critical" in ended


def test_money_that_is_still_missing_is_told_under_an_override_too(sound: AlertStory) -> None:
    sound.hears("bank -100.00")
    told = sound.hears("people override 600s")
    assert set(told) == {
        "position trigger SHORTAGE critical",  # its breaker has moved on
        "override trigger OVERRIDE_ACTIVE critical",
    }


def test_a_shortage_that_grows_a_little_says_nothing_new_and_one_that_doubles_does(
    sound: AlertStory,
) -> None:
    sound.hears("bank -100.00")
    assert sound.hears("bank -1.00\nbank -1.00") == []
    assert sound.hears("bank -1000.00") == ["position trigger SHORTAGE critical"]
    assert sound.alarms[KEY].facts.amounts["unexplained"] == "-1102"
    assert sound.hears("bank +900.00") == [], "it is still missing, and less"
    assert sound.hears("bank -1000.00") == [], "not twice what was told"
    assert sound.hears("bank -1003.00") == ["position trigger SHORTAGE critical"]


def test_silence_of_a_bank_that_serves_others_waits_for_word_of_the_feed() -> None:
    alone, served = AlertStory(), AlertStory(feed="BANKAEAD")
    for story in (alone, served):
        story.hears("opening bank 100000.00 ledger 100000.00\nproven")
    silent = "+90000s time passes"
    assert alone.hears(silent) == ["position trigger BANK_SILENT error"]
    assert served.hears(silent) == []
    assert served.alarms[KEY].inhibited_by == "feed:BANKAEAD"
    short = "ledger balance 200000.00 through 9"
    assert served.hears(short) == ["position trigger SHORTAGE critical"], "money goes first"
    assert served.alarms[KEY].facts.feed == "BANKAEAD", "and the feed still counts it as silent"


def test_a_critical_account_that_falls_silent_counts_for_its_feed() -> None:
    story = AlertStory(feed="BANKAEAD")
    story.hears("opening bank 100000.00 ledger 100000.00\nproven\nbank -1.00")
    assert story.alarms[KEY].facts.feed is None
    assert story.hears("+90000s time passes") == []
    assert story.alarms[KEY].facts.feed == "BANKAEAD"


def test_a_new_account_that_waits_for_its_proof_is_quiet_within_its_bound(
    story: AlertStory,
) -> None:
    assert story.hears("opening bank 5000.00 ledger 5000.00") == []
    alarm = story.alarms[KEY]
    assert (alarm.facts.alert_class, alarm.inhibited_by) == ("BREAKER_SUSPENDED", "quiet")
    # As long as bank and ledger may be silent, a day each by default, and the calm of ten minutes.
    assert alarm.facts.quiet_until is not None
    waits = alarm.facts.quiet_until - story.story.state.breaker.since
    assert waits == timedelta(days=1, minutes=10)


def test_a_new_account_without_any_figure_is_quiet_too(story: AlertStory) -> None:
    assert story.hears("opening ledger 5000.00") == []
    assert story.alarms[KEY].facts.alert_class == "NO_BANK_FIGURE"
    assert story.alarms[KEY].facts.quiet_until is not None


def test_a_new_account_that_stays_unproven_beyond_its_bound_is_told(story: AlertStory) -> None:
    story.hears("opening bank 5000.00 ledger 5000.00")
    told = story.hears("+90000s time passes\nbank observed\nledger balance 5000.00 through 9")
    assert told[-1] == "position trigger BREAKER_SUSPENDED warning"


def test_missing_money_is_told_however_new_an_account_is(story: AlertStory) -> None:
    assert story.hears("opening bank 5000.00 ledger 6000.00") == [
        "position trigger SHORTAGE critical"
    ]


def test_an_account_that_was_open_once_is_told_when_it_is_suspended(sound: AlertStory) -> None:
    assert sound.hears("+90000s time passes") == ["position trigger BANK_SILENT error"]
