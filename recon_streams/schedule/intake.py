"""Where ticks are decided: read, resolved to their account, handed to whom they concern."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

import msgspec

from recon_streams.book.intake import Reading
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.disposition import Held, Outcome, quarantined
from recon_streams.kernel.json_text import decode
from recon_streams.kernel.refusal import RefusalCode, Refused
from recon_streams.log.record import Record
from recon_streams.positions.directory import Account, Directory
from recon_streams.positions.ledger_intake import AHEAD_MAX
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.schedule.handler import DueTick, TickHandler
from topics.ticks import TOPIC, DayTick, SweepTick, Tick

# A schedule that was stopped emits what it missed; nobody stops one for longer and wants that.
LATE_MAX: Final = timedelta(days=366)
# The window of which an account is registered is reported, and so is its day, wherever that began.
_BEFORE_REGISTRATION_MAX: Final = timedelta(days=1)

_DECODER: Final[msgspec.json.Decoder[Tick]] = msgspec.json.Decoder(Tick)


class TickIntake:
    """The `Intake` of `recon.ticks`."""

    def __init__(self, directories: DirectoryCache, handlers: Iterable[TickHandler]) -> None:
        """Decide by the registry in force, which `directories` finds, through `handlers`."""
        self._directories = directories
        self._handlers = {handler.kind: handler for handler in handlers}

    @property
    def name(self) -> str:
        """The stream's canonical topic."""
        return TOPIC

    def read(self, record: Record) -> Tick:
        """Return the tick in `record`, or raise `Refused`."""
        tick = decode(record.value or b"", _DECODER)
        if tick.due_at > record.appended_at + AHEAD_MAX:
            raise Refused(RefusalCode.FUTURE_INSTANT, "/due_at", "an instant is not in the future")
        if tick.due_at < record.appended_at - LATE_MAX:
            rule = f"an instant is written at most {LATE_MAX.days} days after it was due"
            raise Refused(RefusalCode.OUT_OF_RANGE, "/due_at", rule)
        if kind_of(tick) not in self._handlers:
            known = ", ".join(sorted(self._handlers))
            raise Refused(RefusalCode.UNKNOWN_KIND, "/kind", f"one of {known}", kind_of(tick))
        return tick

    async def decide(self, unit: UnitOfWork, readings: Sequence[Reading[Tick]]) -> list[Outcome]:
        """Decide `readings` inside `unit`: those of one kind together, in their order."""
        directory = await self._directories.current(unit.connection)
        outcomes: dict[int, Outcome] = {}
        by_kind: dict[str, list[DueTick]] = {}
        for index, reading in enumerate(readings):
            try:
                due = _due(index, reading, directory)
            except Refused as refusal:
                outcomes[index] = quarantined(Held.of(refusal))
                continue
            if isinstance(due, Held):
                outcomes[index] = quarantined(due)
            else:
                by_kind.setdefault(kind_of(due.tick), []).append(due)
        for kind, ticks in by_kind.items():
            taken = await self._handlers[kind].take(unit, ticks)
            outcomes.update((due.index, outcome) for due, outcome in zip(ticks, taken, strict=True))
        return [outcomes[index] for index in range(len(readings))]


def kind_of(tick: Tick) -> str:
    """Return the tag of `tick`."""
    return str(type(tick).__struct_config__.tag)


def _due(index: int, reading: Reading[Tick], directory: Directory) -> DueTick | Held:
    if reading.held is not None:
        return reading.held
    assert reading.value is not None, "a reading has a value or a reason"
    account = _account_of(reading.value, directory)
    since = account.registered_at if account is not None else directory.registered_since
    if since is not None and reading.value.due_at < since - _BEFORE_REGISTRATION_MAX:
        rule = "nothing was due before the day on which the account, or the first, was registered"
        raise Refused(RefusalCode.OUT_OF_RANGE, "/due_at", rule)
    return DueTick(index=index, tick=reading.value, account=account, record=reading.record)


def _account_of(tick: Tick, directory: Directory) -> Account | None:
    if not isinstance(tick, SweepTick | DayTick):
        return None
    account = directory.by_ledger(tick.account_id, tick.currency)
    if account is None:
        rule = "the account registry names the account; register it and this record is replayed"
        raise Refused(RefusalCode.UNKNOWN_ACCOUNT, "/account_id", rule)
    return account
