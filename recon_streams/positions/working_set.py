"""The accounts of one batch while it is decided: states in, events and steps out. Pure.

Also where each input's disposition is decided: every input ends with exactly one.
"""

from enum import StrEnum, unique

import msgspec

from recon_streams.kernel.refusal import RefusalCode, Refused
from recon_streams.positions.directory import Account, Directory
from recon_streams.positions.event import AccountEvent
from recon_streams.positions.known import Known
from recon_streams.positions.state import AccountState
from recon_streams.positions.step import Step, step


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
    an event (`account#sequence`).
    """

    disposition: Disposition
    held: tuple[Held, ...] = ()
    duplicate_of: str | None = None
    events: int = 0


def quarantined(*held: Held, events: int = 0) -> Outcome:
    """Return the outcome of an input that somebody must look at."""
    return Outcome(disposition=Disposition.QUARANTINED, held=held, events=events)


class RecordedStep(msgspec.Struct, frozen=True, kw_only=True):
    """One event of one account with what it led to; a row of the account's log."""

    account: Account
    event: AccountEvent
    step: Step


class WorkingSet:
    """States and knowledge loaded for a batch, and everything decided on them so far."""

    def __init__(self, directory: Directory, states: dict[int, AccountState], known: Known) -> None:
        """Start from what was loaded; `states` is keyed by account number."""
        self.directory = directory
        self.states = states
        self.known = known
        self.steps: list[RecordedStep] = []

    def record(self, account: Account, event: AccountEvent) -> int:
        """Take `event` into the account's log and return its sequence number there."""
        taken = step(self.states[account.number], event, account.rules)
        self.states[account.number] = taken.state
        self.steps.append(RecordedStep(account=account, event=event, step=taken))
        return taken.state.version

    def next_sequence(self, account: Account) -> int:
        """Return the sequence number the account's next event will get."""
        return self.states[account.number].version + 1
