"""The one way onto `recon.breaker`: first the copies of permits go, then the record is signed."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import msgspec

from recon_streams.log.record import OutgoingRecord
from recon_streams.publisher.newest import ScopeStanding
from recon_streams.signing.signer import Signer
from topics.breaker import LEASE_KEY, BreakerRecord, BreakerState

BREAKER_TOPIC: Final = "recon.breaker"
_DECODER: Final = msgspec.json.Decoder(BreakerRecord)


class Permits(Protocol):
    """A copy of the permits elsewhere, which never delays us by more than a small bound."""

    async def load(self, standings: Mapping[str, ScopeStanding]) -> None:
        """Know where every scope stands before the first word is published."""
        ...

    async def deny(self, standings: Sequence[ScopeStanding]) -> None:
        """Take back the permits of scopes that are not CLOSED any more. Bounded; never raises."""
        ...

    async def clock_ms(self) -> int | None:
        """Return what the copy's own clock says, None if it does not answer. Bounded."""
        ...

    def renew(self, lease_seq: int, expires_at_ms: int) -> None:
        """Have the permits written under a new lease, beside everything else."""
        ...

    async def run(self) -> None:
        """Write them. Runs for ever, or ends at once where there is nothing to write."""
        ...


class NoPermits:
    """There is no copy."""

    async def load(self, standings: Mapping[str, ScopeStanding]) -> None:
        """See `Permits.load`."""

    async def deny(self, standings: Sequence[ScopeStanding]) -> None:
        """See `Permits.deny`."""

    async def clock_ms(self) -> int | None:
        """See `Permits.clock_ms`."""
        return None

    def renew(self, lease_seq: int, expires_at_ms: int) -> None:
        """See `Permits.renew`."""

    async def run(self) -> None:
        """See `Permits.run`."""


class Announcer:
    """Makes records ready for the log."""

    def __init__(self, signer: Signer, permits: Permits) -> None:
        """Sign with `signer`; take back from `permits` what is denied."""
        self._signer = signer
        self._permits = permits

    async def prepare(self, records: Sequence[OutgoingRecord]) -> list[OutgoingRecord]:
        """Return `records` with those of the breaker signed; their denials are in the copy by then.

        A copy that does not answer holds nothing up: what it holds expires by itself.
        """
        denials = [
            ScopeStanding(scope=said.scope, state=said.state, epoch=said.epoch, seq=said.seq)
            for record in records
            if record.topic == BREAKER_TOPIC and record.key != LEASE_KEY and record.value
            for said in [_DECODER.decode(record.value)]
            if said.state is not BreakerState.CLOSED
        ]
        if denials:
            await self._permits.deny(denials)
        return [
            self._signer.seal(record) if record.topic == BREAKER_TOPIC else record
            for record in records
        ]
