"""What is known of one cause, and everything that may be said about it. Pure values."""

from datetime import datetime
from enum import StrEnum, unique
from typing import Final, TypeAlias

import msgspec

from topics.alerts import Severity

SUMMARY_CHARACTERS_MAX: Final = 1024  # what PagerDuty takes
# What inhibits an alert that is quiet for now; no alert has this key.
QUIET: Final = "quiet"


@unique
class AlarmState(StrEnum):
    """Where a cause stands."""

    FIRING = "FIRING"
    ACKNOWLEDGED = "ACKNOWLEDGED"  # a person has it in hand
    RESOLVED = "RESOLVED"


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be told of a cause, as it is now.

    Attributes:
        alert_class: Which kind of trouble.
        severity: How urgent.
        summary: One sentence, without names of people or account numbers of banks.
        component: Which part of the product speaks.
        source: What led to it.
        scope: The breaker scope it is about.
        tier: How far ledger and bank are apart there.
        status: Where what it is about stands: the breaker's state, the discrepancy's.
        epoch: The breaker's epoch.
        amounts: Figures by name, as decimal text.
        evidence: How to see what it rests on.
        feed: The bank feed of the account, while that feed is silent there; whatever else is wrong
            with the account.
        awaits_feed: Nothing is wrong but that silence: it is told only once it is known that the
            feed is not silent as a whole.
        is_of_feed: It follows from the silence of the scope's bank, where that is silent as a
            whole.
        quiet_until: It is no trouble before this instant, as with an account that is new and has
            yet to be proven; only then is it told, if it is still there.
    """

    alert_class: str
    severity: Severity
    summary: str
    component: str
    source: str = "time"
    scope: str | None = None
    tier: str | None = None
    status: str | None = None
    epoch: int | None = None
    amounts: dict[str, str] = {}
    evidence: str | None = None
    feed: str | None = None
    awaits_feed: bool = False
    is_of_feed: bool = False
    quiet_until: datetime | None = None

    @property
    def is_critical(self) -> bool:
        """Return whether money is missing, or may be: only too many of a kind are told as one."""
        return self.severity is Severity.CRITICAL


class Alarm(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One cause, over all its lives.

    Attributes:
        state: Where it stands.
        facts: As last seen.
        first_seen: When this life began.
        last_seen: When it was last found there, or gone.
        count: How often it was found in this life.
        lives: How often it began.
        version: Of the newest record that was published of it; 0 before the first.
        told: What on-call was last told in this life; None if nothing, or that it is over.
        inhibited_by: The alert that is told instead, while this one is not.
    """

    state: AlarmState
    facts: Facts
    first_seen: datetime
    last_seen: datetime
    count: int = 1
    lives: int = 1
    version: int = 0
    told: Facts | None = None
    inhibited_by: str | None = None

    @property
    def is_over(self) -> bool:
        """Return whether the cause is gone."""
        return self.state is AlarmState.RESOLVED


class Raised(msgspec.Struct, frozen=True, kw_only=True):
    """The cause is there. `instead` names the alert that is told in its place, if one is."""

    key: str
    at: datetime
    facts: Facts
    instead: str | None = None

    @property
    def is_quiet(self) -> bool:
        """Return whether it is no trouble yet."""
        until = self.facts.quiet_until
        return until is not None and self.at < until and not self.facts.is_critical


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """The cause is gone."""

    key: str
    at: datetime
    source: str = "time"


class Acknowledged(msgspec.Struct, frozen=True, kw_only=True):
    """A person has it in hand."""

    key: str
    at: datetime
    actor: str
    reason: str = ""


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """Another alert, `by`, is told instead from now on."""

    key: str
    at: datetime
    by: str


class Released(msgspec.Struct, frozen=True, kw_only=True):
    """The alert `by` that was told instead of this one is over."""

    key: str
    at: datetime
    by: str


class Repeated(msgspec.Struct, frozen=True, kw_only=True):
    """It has been there for long, and nobody has said that they have it in hand.

    Or it `is_worse` than what was told, by a measure of whoever says so; then they are told too who
    have it in hand.
    """

    key: str
    at: datetime
    is_worse: bool = False


Signal: TypeAlias = Raised | Gone | Acknowledged | Covered | Released | Repeated


def feed_key(feed: str) -> str:
    """Return the cause that a bank feed is silent as a whole."""
    return f"feed:{feed}"


def storm_key(alert_class: str) -> str:
    """Return the cause that there are too many alerts of a class."""
    return f"storm:{alert_class}"
