"""The publisher reads its own tail: what the log really says is what payout services hear.

Compaction keeps the record written *last*, not the one with the highest epoch. A process that slept
and wakes could write an old CLOSED over a newer OPEN. Whoever reads the log's end back notices, and
writes the newest record again.
"""

from collections.abc import Callable, Collection
from typing import Final, NamedTuple

import msgspec

from recon_streams.log.port import LogProbe
from recon_streams.log.record import Record, TopicPartition
from recon_streams.publisher.listener import PublisherListener
from recon_streams.signing.public_keys import PublicKeys
from recon_streams.signing.signer import key_id, signature_flaw
from topics.breaker import LEASE_KEY, BreakerRecord, BreakerState, StateHead

BREAKER: Final = TopicPartition("recon.breaker", 0)

Version = tuple[int, int]
_NEVER: Final[Version] = (0, 0)
_DECODER: Final = msgspec.json.Decoder(BreakerRecord)


class _Said(NamedTuple):
    """What one record says of its scope; no version if no reader could use it."""

    record: Record
    version: Version | None
    state: BreakerState | None


class BreakerTail:
    """The newest record of each scope on the log, read from its start to its end.

    Attributes:
        last: The version that stands last for each scope, if a reader could use it.
        states: What that record says.
        is_cut: The log had gone back when it was last read, or something could not be written to
            it; whoever has compared all with the book says so here.
        proven: The highest version of each scope that was ever signed, wherever it stands: a reader
            that has it believes nothing lower.
        head: The newest state record, which a lease names.
    """

    def __init__(
        self,
        probe: LogProbe,
        trusted: Callable[[], PublicKeys],
        listener: PublisherListener | None = None,
    ) -> None:
        """Read through `probe`, which must be started; `trusted` are the keys readers pin now."""
        self._probe = probe
        self._trusted = trusted
        self._listener = listener or PublisherListener()
        self._next_offset: int | None = None
        self._highest: dict[str, Version] = {}
        self._suspects: set[str] = set()
        self._signed_by: dict[str, str] = {}
        self.last: dict[str, Version] = {}
        self.proven: dict[str, Version] = {}
        self.states: dict[str, BreakerState] = {}
        self.is_cut = False
        self.head = StateHead(offset=-1, seq=0)

    @property
    def suspects(self) -> frozenset[str]:
        """The scopes whose last record has not been held against the book yet."""
        return frozenset(self._suspects)

    def suspect(self, scopes: Collection[str]) -> None:
        """Have `scopes` held against the book."""
        self._suspects.update(scopes)

    def settle(self, scope: str, version: Version | None) -> None:
        """Suspect `scope` no more: the book says `version` of it, or, if None, nothing."""
        self._suspects.discard(scope)
        if version is not None:
            self._highest[scope] = version

    async def catch_up(self) -> None:
        """Read what was appended since the last call."""
        end = (await self._probe.end_offsets([BREAKER]))[BREAKER]
        start = (await self._probe.start_offsets([BREAKER]))[BREAKER]
        if end < (self._next_offset or 0):
            # The log lost its end, or is another one. What stood there has to be said again.
            self._next_offset, self.last, self.head = None, {}, StateHead(offset=-1, seq=0)
            self._highest, self.states, self.is_cut = {}, {}, True
        first = max(start, self._next_offset or 0)
        is_history = self._next_offset is None
        newest: dict[str, _Said] = {}
        keys = self._trusted()
        if first < end:
            async for record in self._probe.read(BREAKER, first, end):
                self._see(record, newest, keys, is_history=is_history)
        self._distrust(keys)
        # What stands last is what a later reader meets, what is highest is what the others keep:
        # the rest need not be verified.
        for scope, said in newest.items():
            self._judge(scope, said, keys)
        self._next_offset = max(first, end)

    def _see(
        self, record: Record, newest: dict[str, _Said], keys: PublicKeys, *, is_history: bool
    ) -> None:
        if record.key is None or record.key == LEASE_KEY:
            return
        scope = record.key.decode(errors="replace")
        state = state_of(record, scope)
        if state is None:
            newest[scope] = _Said(record, None, None)
            self._listener.unusable(record)
            return
        version = state.epoch, state.seq
        if version < self._highest.get(scope, _NEVER) and not is_history:
            self._listener.stale(record)
        # Not verified: what a forged one does to it ends when the book is asked.
        self._highest[scope] = max(version, self._highest.get(scope, _NEVER))
        if version > self.proven.get(scope, _NEVER) and is_signed(record, keys):
            self.proven[scope] = version
        self.head = StateHead(offset=record.offset, seq=state.seq)
        newest[scope] = _Said(record, version, state.state)

    def _distrust(self, keys: PublicKeys) -> None:
        """Suspect what stands last and was signed by a key that was retired since."""
        for scope, kid in self._signed_by.items():
            if kid not in keys and scope in self.last:
                del self.last[scope]
                self._suspects.add(scope)

    def _judge(self, scope: str, said: _Said, keys: PublicKeys) -> None:
        record, version, state = said
        self.last.pop(scope, None)
        self.states.pop(scope, None)
        if version is not None and not is_signed(record, keys):
            self._listener.unusable(record)
            version = None
        if version is not None and state is not None:
            self.last[scope], self.states[scope] = version, state
            self._signed_by[scope] = key_id(record.headers) or ""
        # Be it good or bad, the book says whether it is the one that should stand here. Compaction
        # would keep just this one of its key: to a reader that finds a bad one it is as if the
        # scope were gone.
        self._suspects.add(scope)


def is_signed(record: Record, keys: PublicKeys) -> bool:
    """Return whether one of `keys` has signed `record`, which has a value."""
    assert record.value is not None, "it was decoded"
    return signature_flaw(record.value, record.headers, keys) is None


def state_of(record: Record, scope: str) -> BreakerRecord | None:
    """Return what `record` says of `scope`; None if that is nothing a reader could use."""
    if record.value is None:
        return None
    try:
        state = _DECODER.decode(record.value)
    except msgspec.DecodeError:
        return None
    return state if state.scope == scope and state.schema_version == 1 else None
