"""Where acknowledgements are decided: from a service we know, of a change that really happened."""

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from recon_streams.acks import store
from recon_streams.acks.store import Change, Heard
from recon_streams.book.intake import Reading
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.disposition import Disposition, Held, Outcome, quarantined
from recon_streams.kernel.json_text import decode
from recon_streams.kernel.refusal import RefusalCode, Refused, excerpt
from recon_streams.log.record import Record
from topics.breaker_acks import TOPIC, BreakerAck

# Who follows the breaker in a drill; it pays nothing, and nobody waits for it.
DRILL_CLIENT: Final = "recon-drill"

_DECODER: Final = msgspec.json.Decoder(BreakerAck)
_OF_A_CHANGE: Final = ("scope", "state", "epoch", "seq")


class BreakerAcks:
    """The `Intake` of `recon.breaker.acks`."""

    def __init__(self, clients: Collection[str] = ()) -> None:
        """Hear the payout services that the operator registered as `clients`."""
        self._clients = frozenset((*clients, DRILL_CLIENT))

    @property
    def name(self) -> str:
        """The stream's canonical topic."""
        return TOPIC

    def read(self, record: Record) -> BreakerAck:
        """Return the acknowledgement in `record`, or raise `Refused`."""
        ack = decode(record.value or b"", _DECODER)
        if record.key != ack.client_id.encode():
            rule = "the key of the record is the id of the client that speaks"
            raise Refused(RefusalCode.INVALID_IDENTIFIER, "/client_id", rule)
        if ack.client_id not in self._clients:
            rule = "the setting breaker.clients names the client"
            raise Refused(RefusalCode.UNKNOWN_CLIENT, "/client_id", rule, excerpt(ack.client_id))
        missing = [name for name in _OF_A_CHANGE if getattr(ack, name) is None]
        if missing and len(missing) < len(_OF_A_CHANGE):
            rule = "scope, state, epoch and seq come together or not at all"
            raise Refused(RefusalCode.MISSING_FIELD, f"/{missing[0]}", rule)
        if ack.through_offset < 0:
            raise Refused(RefusalCode.OUT_OF_RANGE, "/through_offset", "an offset is not negative")
        return ack

    async def decide(
        self, unit: UnitOfWork, readings: Sequence[Reading[BreakerAck]]
    ) -> list[Outcome]:
        """Decide `readings` in order inside `unit`."""
        heard = [_heard(reading) for reading in readings]
        epochs = await store.newest_epochs(
            unit.connection, {h.ack.scope for h in heard if h and h.ack.scope}
        )
        known = await store.known_changes(
            unit.connection, [h.change for h in heard if h and h.change]
        )
        outcomes: list[Outcome] = []
        taken: list[Heard] = []
        for reading, each in zip(readings, heard, strict=True):
            held = reading.held or (each and _why_not(each, epochs))
            if held or each is None:
                assert held, "a reading has a value or a reason"
                outcomes.append(quarantined(held))
                continue
            outcomes.append(_outcome(each, known))
            taken.append(each)
        if taken:
            store.write(unit, taken)
        return outcomes


def _heard(reading: Reading[BreakerAck]) -> Heard | None:
    if reading.value is None:
        return None
    return Heard(ack=reading.value, heard_at=reading.record.appended_at)


def _why_not(heard: Heard, epochs: dict[str, int]) -> Held | None:
    """Return why nobody can have applied what `heard` says; None if it can be."""
    ack = heard.ack
    if ack.scope is None or ack.epoch is None:
        return None
    if ack.scope not in epochs:
        rule = "a scope of which recon.breaker has told"
        detail = excerpt(ack.scope)
        return Held(code=RefusalCode.UNKNOWN_SCOPE, field="/scope", rule=rule, detail=detail)
    if not 0 < ack.epoch <= epochs[ack.scope]:
        rule = f"an epoch that was published: 1 to {epochs[ack.scope]}"
        return Held(code=RefusalCode.OUT_OF_RANGE, field="/epoch", rule=rule)
    return None


def _outcome(heard: Heard, known: set[Change]) -> Outcome:
    """Return what became of `heard`; what was said before stands in `known` from now on."""
    change = heard.change
    if change is None:
        return Outcome(disposition=Disposition.OBSERVATION)
    if change in known:
        client_id, scope, epoch, _ = change
        return Outcome(
            disposition=Disposition.DUPLICATE, duplicate_of=f"{client_id}:{scope}#{epoch}"
        )
    known.add(change)
    return Outcome(disposition=Disposition.OBSERVATION)
