"""The kinds of trouble that are the product's own, and where the runbook of any kind is. Pure.

What is wrong between ledger and bank has the names that positions and discrepancies give it; this
is the rest. Each class has its section in `docs/runbooks`, and a test holds both together.
"""

from enum import StrEnum, unique
from typing import Final

RUNBOOKS: Final = "docs/runbooks"


@unique
class Component(StrEnum):
    """Which part of the product speaks; each has a page of runbooks."""

    POSITIONS = "positions"
    BREAKER = "breaker"
    DISCREPANCIES = "discrepancies"
    INPUTS = "inputs"
    ALERTS = "alerts"


@unique
class AlertClass(StrEnum):
    """What else can be wrong, beside the rules of positions and the kinds of discrepancies."""

    BREAKER_OPEN = "BREAKER_OPEN"  # the books agree again, and payouts still wait for two people
    BREAKER_SUSPENDED = "BREAKER_SUSPENDED"  # payouts wait until enough proof has come
    FLAPPING = "FLAPPING"  # the breaker changed too often, and is held where it is safe
    OVERRIDE_ACTIVE = "OVERRIDE_ACTIVE"  # payouts are allowed because people said so
    BREAKER_NOT_ACKNOWLEDGED = "BREAKER_NOT_ACKNOWLEDGED"  # a payout service has not heard a stop
    LEASE_LAPSED = "LEASE_LAPSED"  # nothing may be paid, because nobody proves that it may
    AGREEMENT_UNPROVEN = "AGREEMENT_UNPROVEN"  # in the book stands what two people did not sign
    APPROVAL_WAITING = "APPROVAL_WAITING"  # somebody asked for what takes two people
    QUARANTINE = "QUARANTINE"  # an input could not be used
    INPUTS_LOST = "INPUTS_LOST"  # inputs expired before anybody read them
    BANK_FEED_STALE = "BANK_FEED_STALE"  # a bank says nothing of any of its accounts
    ALERT_STORM = "ALERT_STORM"  # too many alerts of one class to be told one by one
    SINK_DOWN = "SINK_DOWN"  # one of the places to which alerts go takes none
    MESSAGE_HELD = "MESSAGE_HELD"  # the log refuses something that we have to say
    SINK_DISABLED = "SINK_DISABLED"  # one of them said that it wants none any more
    DELIVERY_PARKED = "DELIVERY_PARKED"  # one of them refuses an alert for good


# What happened and is not going to stop happening: whoever has taken note of it ends it.
ENDED_BY_ACKNOWLEDGEMENT: Final = frozenset(
    {
        AlertClass.INPUTS_LOST.value,
        AlertClass.DELIVERY_PARKED.value,
        AlertClass.AGREEMENT_UNPROVEN.value,
    }
)


def runbook_of(component: str, alert_class: str) -> str:
    """Return the page and section about `alert_class`, relative to the documentation's root."""
    return f"{RUNBOOKS}/{component}.md#{alert_class.lower()}"
