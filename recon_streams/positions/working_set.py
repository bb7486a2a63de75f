"""The accounts of one batch while it is decided: states in, events and steps out. Pure."""

from datetime import datetime

import msgspec

from recon_streams.discrepancies.finding import Cause, Cleared, Finding
from recon_streams.positions.directory import Account, Directory
from recon_streams.positions.event import AccountEvent
from recon_streams.positions.known import Known
from recon_streams.positions.state import AccountState
from recon_streams.positions.step import Step, step


class RecordedStep(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One event of one account with what it led to; a row of the account's log."""

    account: Account
    event: AccountEvent
    step: Step


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What one input proves wrong, or right again, by cause."""

    at: datetime
    words: dict[Cause, Finding | Cleared] = msgspec.field(default_factory=dict)


class WorkingSet:
    """States and knowledge loaded for a batch, and everything decided on them so far."""

    def __init__(self, directory: Directory, states: dict[int, AccountState], known: Known) -> None:
        """Start from what was loaded; `states` is keyed by account number."""
        self.directory = directory
        self.states = states
        self.known = known
        self.steps: list[RecordedStep] = []
        self.said: dict[str, Said] = {}

    def record(self, account: Account, event: AccountEvent) -> int:
        """Take `event` into the account's log and return its sequence number there."""
        taken = step(self.states[account.number], event, account.rules)
        self.states[account.number] = taken.state
        self.steps.append(RecordedStep(account=account, event=event, step=taken))
        return taken.state.version

    def say(self, word: Finding | Cleared, *, origin: str, at: datetime) -> None:
        """Note what the input `origin` proves; of one cause its last word counts."""
        self.said.setdefault(origin, Said(at=at)).words[word.cause] = word

    def next_sequence(self, account: Account) -> int:
        """Return the sequence number the account's next event will get."""
        return self.states[account.number].version + 1
