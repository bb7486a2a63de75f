"""When a check that looks again says nothing new: what people decided then holds. Pure.

A run looks at everything that is open, however often it was looked at before. To count each look
would fill the story with one line a run, and undo each decision of a person by the next run.
"""

from datetime import datetime
from typing import Final

from recon_streams.discrepancies.action import Found, ReasonCode
from recon_streams.discrepancies.deadline import BUCKETS, Working, age_business_days, bucket_of
from recon_streams.discrepancies.finding import Source
from recon_streams.discrepancies.life import URGENCY, Life
from recon_streams.kernel.money import normal

# These look at how things stand; what the others say is something that happened once more.
LOOKING: Final = frozenset({Source.MATCHING, Source.CLOSING, Source.EXPECTATION})

# What a person says is no error, or is borne. That something was corrected is not among them: a
# check that still finds it has just seen that it was not.
HOLDING: Final = frozenset(
    {
        ReasonCode.TIMING,
        ReasonCode.EXPLAINED,
        ReasonCode.OTHER_DISCREPANCY,
        ReasonCode.FALSE_ALARM,
        ReasonCode.ACCEPTED,
    }
)


def says_nothing_new(life: Life, found: Found, working: Working | None) -> bool:
    """Return whether `found` leaves `life` as it is.

    Of what is open, nothing is new if amount, day, urgency and facts are what they were. What a
    person has ended stays ended while amount and urgency are what they were: the nearest candidate
    may be another one. That it was only a matter of time no longer holds in the next age class.

    Args:
        life: Where it is.
        found: What a check says now.
        working: How the account counts its days; without it no age is looked at.
    """
    if found.source not in LOOKING:
        return False
    amount = None if found.amount is None else normal(found.amount)
    if amount != life.amount or URGENCY[found.severity] > URGENCY[life.severity]:
        return False
    if life.is_open:
        return (found.facts, found.on) == (life.facts, life.on)
    if life.reason_code not in HOLDING:
        return False
    return life.reason_code is not ReasonCode.TIMING or not _is_older(life, found.at, working)


def _is_older(life: Life, at: datetime, working: Working | None) -> bool:
    """Return whether it is of a higher age class at `at` than when a person ended it."""
    if working is None or life.resolved_at is None:
        return False
    began_at = life.opened_at
    if life.on is not None:
        began_at = datetime.combine(life.on, datetime.min.time(), tzinfo=working.zone)
    then, now = (
        BUCKETS.index(bucket_of(age_business_days(began_at, each, working)))
        for each in (life.resolved_at, at)
    )
    return now > then
