"""Where commands are decided: a scope that exists is stopped, once for each command."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

import msgspec

from recon_streams.book.bulk import Bulk
from recon_streams.book.intake import Reading
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.breaker_desk.trip import TripDesk, TripOrder, UnknownScope
from recon_streams.kernel.disposition import Disposition, Held, Outcome, quarantined
from recon_streams.kernel.json_text import decode
from recon_streams.kernel.refusal import RefusalCode, Refused, excerpt
from recon_streams.log.record import Record
from recon_streams.positions.registry_store import DirectoryCache
from topics.commands import TOPIC, TripCommand

WORDS_MAX: Final = 500
AHEAD_MAX: Final = timedelta(minutes=5)

_DECODER: Final = msgspec.json.Decoder(TripCommand)
_COMMAND: Final = Bulk.insert(
    "acks.command",
    {
        "command_id": "text",
        "sha256": "bytea",
        "scope": "text",
        "origin": "text",
        "taken_at": "timestamptz",
    },
)


class Commands:
    """The `Intake` of `recon.commands`."""

    def __init__(self, directories: DirectoryCache) -> None:
        """Stop accounts by the rules that `directories` finds."""
        self._desk = TripDesk(directories)

    @property
    def name(self) -> str:
        """The stream's canonical topic."""
        return TOPIC

    def read(self, record: Record) -> TripCommand:
        """Return the command in `record`, or raise `Refused`."""
        said = decode(record.value or b"", _DECODER)
        if record.key is not None and record.key != said.scope.encode():
            rule = "the key of the record is the scope, or there is none"
            raise Refused(RefusalCode.INVALID_IDENTIFIER, "/scope", rule)
        for field, words in (("/reason", said.reason), ("/actor", said.actor)):
            if not words.isprintable() or not 0 < len(words.strip()) <= WORDS_MAX:
                rule = f"1 to {WORDS_MAX} visible characters"
                raise Refused(RefusalCode.INVALID_IDENTIFIER, field, rule)
        if said.asked_at > record.appended_at + AHEAD_MAX:
            raise Refused(
                RefusalCode.FUTURE_INSTANT, "/asked_at", "an instant is not in the future"
            )
        return said

    async def decide(
        self, unit: UnitOfWork, readings: Sequence[Reading[TripCommand]]
    ) -> list[Outcome]:
        """Decide `readings` in order inside `unit`."""
        said = [(each.value, each.record) for each in readings if each.value is not None]
        known = await _known(unit, [command.command_id for command, _ in said])
        outcomes: list[Outcome] = []
        orders: dict[int, TripOrder] = {}
        for number, each in enumerate(readings):
            if each.value is None:
                assert each.held is not None, "a reading has a value or a reason"
                outcomes.append(quarantined(each.held))
                continue
            outcomes.append(_outcome(each.value, known))
            if outcomes[-1].disposition is Disposition.APPLIED:
                orders[number] = _order(each.value, each.record)
        for number in await self._carry_out(unit, orders):
            outcomes[number] = _unknown(orders.pop(number).scope)
        rows = [(readings[number].value, readings[number].record) for number in orders]
        unit.write(_COMMAND, [_row(command, record) for command, record in rows if command])
        return outcomes

    async def _carry_out(self, unit: UnitOfWork, orders: Mapping[int, TripOrder]) -> list[int]:
        """Stop what `orders` name; return those whose scope does not exist."""
        wanted, unknown = dict(orders), []
        while wanted:
            try:
                await self._desk.trip_all(unit, list(wanted.values()))
            except UnknownScope as error:
                strangers = [n for n, each in wanted.items() if each.scope == error.scope]
                unknown += strangers
                for number in strangers:
                    del wanted[number]
            else:
                break
        return unknown


def _outcome(said: TripCommand, known: dict[str, bytes]) -> Outcome:
    """Return what becomes of `said`; it stands in `known` from now on."""
    before = known.get(said.command_id)
    if before is None:
        known[said.command_id] = _digest(said)
        return Outcome(disposition=Disposition.APPLIED)
    if before == _digest(said):
        return Outcome(disposition=Disposition.DUPLICATE, duplicate_of=said.command_id)
    rule = "a command id says one thing for ever"
    return quarantined(Held(code=RefusalCode.ID_CONFLICT, field="/command_id", rule=rule))


def _order(said: TripCommand, record: Record) -> TripOrder:
    return TripOrder(
        scope=said.scope,
        reason=said.reason,
        actor=f"{said.actor} by {_origin(record)}",
        at=record.appended_at,
    )


def _unknown(scope: str) -> Outcome:
    rule = "a scope that exists, or a drill's"
    detail = excerpt(scope)
    return quarantined(
        Held(code=RefusalCode.UNKNOWN_SCOPE, field="/scope", rule=rule, detail=detail)
    )


def _row(said: TripCommand, record: Record) -> tuple[Any, ...]:
    return said.command_id, _digest(said), said.scope, _origin(record), record.appended_at


def _origin(record: Record) -> str:
    return f"{record.topic}/{record.partition}/{record.offset}"


def _digest(said: TripCommand) -> bytes:
    return sha256(msgspec.json.encode(said, order="deterministic")).digest()


async def _known(unit: UnitOfWork, ids: Sequence[str]) -> dict[str, bytes]:
    """Return the hashes of those commands that were taken before."""
    if not ids:
        return {}
    rows = await unit.connection.fetch(
        "SELECT command_id, sha256 FROM acks.command WHERE command_id = ANY ($1::text[])", ids
    )
    return {row["command_id"]: row["sha256"] for row in rows}
