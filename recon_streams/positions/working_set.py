"""The accounts of one batch while it is decided: states in, events and steps out. Pure."""

import msgspec

from recon_streams.positions.directory import Account, Directory
from recon_streams.positions.event import AccountEvent
from recon_streams.positions.known import Known
from recon_streams.positions.state import AccountState
from recon_streams.positions.step import Step, step


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
