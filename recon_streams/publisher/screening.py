"""What may be signed: what the book has decided, and no release that two people did not sign.

The database cannot check signatures. Whoever can write into it as the program could write down
that two people let a scope go, or a message that nobody decided. No payout service hears of it,
because it is not signed.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import asyncpg
import msgspec
from msgspec.structs import replace

from recon_streams.breaker.record import record_bytes
from recon_streams.log.record import OutgoingRecord
from recon_streams.publisher import newest
from recon_streams.publisher.announcing import BREAKER_TOPIC
from topics.breaker import BreakerRecord, BreakerState

_DECODER: Final = msgspec.json.Decoder(BreakerRecord)
_FOREIGN: Final = "the book has decided no such thing"


class Notary(Protocol):
    """Knows what people have signed."""

    async def unproven(self, scopes: Collection[str] | None) -> Mapping[str, str]:
        """Return why the releases of scopes are not proven, by scope; of all there are if None.

        Those that are forged have been stopped again by then.
        """
        ...

    async def found_foreign(self, count: int) -> None:
        """Take note that `count` messages waited to be signed which nobody has decided."""
        ...


class Withheld(NamedTuple):
    """Stands in the place of a message that must not leave; in words why."""

    words: str


class Screen:
    """Looks at records before they are signed."""

    def __init__(self, pool: asyncpg.Pool, notary: Notary) -> None:
        """Ask the book `pool`, and of what people signed `notary`."""
        self._pool = pool
        self._notary = notary

    async def of_outbox(self, records: Sequence[OutgoingRecord]) -> list[OutgoingRecord | Withheld]:
        """Return `records`, those about breakers as the book spells them, or why they must stay."""
        read = [_said(record) for record in records if record.topic == BREAKER_TOPIC]
        if not read:
            return list(records)
        said = [each for each in read if each is not None]
        decided = await newest.decided(self._pool, [(each.scope, each.epoch) for each in said])
        own = [each for each in said if decided.get((each.scope, each.epoch)) == _essence(each)]
        if len(own) < len(read):
            await self._notary.found_foreign(len(read) - len(own))
        unproven = await self._unproven(own)
        ready: list[OutgoingRecord | Withheld] = []
        for record in records:
            each = read.pop(0) if record.topic == BREAKER_TOPIC else None
            if record.topic != BREAKER_TOPIC:
                ready.append(record)
            elif each is None or decided.get((each.scope, each.epoch)) != _essence(each):
                ready.append(Withheld(_FOREIGN))
            elif each.state is not BreakerState.OPEN and each.scope in unproven:
                ready.append(Withheld(unproven[each.scope]))
            else:
                ready.append(replace(record, value=record_bytes(each)))
        return ready

    async def of_book(self, records: Sequence[OutgoingRecord]) -> Mapping[str, str]:
        """Return why scopes must not be told of, by scope, of `records` that the book says."""
        return await self._unproven([_DECODER.decode(record.value or b"") for record in records])

    async def _unproven(self, said: Collection[BreakerRecord]) -> Mapping[str, str]:
        free = {each.scope for each in said if each.state is not BreakerState.OPEN}
        return await self._notary.unproven(free) if free else {}


def _said(record: OutgoingRecord) -> BreakerRecord | None:
    """Return what a message says of the scope that is its key; None if it says nothing of it."""
    try:
        said = _DECODER.decode(record.value or b"")
    except msgspec.DecodeError:
        return None
    return said if record.key == said.scope.encode() else None


def _essence(said: BreakerRecord) -> BreakerRecord:
    """Return `said` without what only informs."""
    return replace(said, inputs_through={})
