"""What became of an input: every one ends with exactly one disposition."""

from enum import StrEnum, unique

import msgspec

from recon_streams.kernel.refusal import RefusalCode, Refused


@unique
class Disposition(StrEnum):
    """What became of an input."""

    APPLIED = "APPLIED"  # it moved a figure or an announcement of at least one account
    OBSERVATION = "OBSERVATION"  # understood, new, and moves nothing: pending, information
    DUPLICATE = "DUPLICATE"  # everything in it was known already
    QUARANTINED = "QUARANTINED"  # part or all of it waits for somebody; its bytes are kept
    CONTROL = "CONTROL"  # no message: a proven control record, or one compacted or expired


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an input that could not be used, and why."""

    code: RefusalCode
    field: str
    rule: str
    detail: str = ""

    @classmethod
    def of(cls, refusal: Refused) -> "Held":
        """Return the refusal as a value."""
        return cls(code=refusal.code, field=refusal.field, rule=refusal.rule, detail=refusal.detail)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one input.

    `duplicate_of` names where the known original stands: an input (`topic/partition/offset`) or
    an event (`account#sequence`). `events` counts what it added to the logs of accounts.
    """

    disposition: Disposition
    held: tuple[Held, ...] = ()
    duplicate_of: str | None = None
    events: int = 0


def quarantined(*held: Held, events: int = 0) -> Outcome:
    """Return the outcome of an input that somebody must look at."""
    return Outcome(disposition=Disposition.QUARANTINED, held=held, events=events)
