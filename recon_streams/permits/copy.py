"""`permit:<scope>` in Redis: an expiring copy of what the log says, for whoever reads nothing else.

Never authority. Each value ends by itself at an instant counted from before its lease was taken, so
whatever becomes of the order, of the connection or of Redis, it ends when the lease does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from recon_streams.permits.line import Command, RedisLine, RedisSilent
from recon_streams.permits.listener import CopyListener, CopyOutcome
from recon_streams.permits.reckoning import Version, below, is_granted
from recon_streams.publisher.newest import ScopeStanding

PREFIX: Final = "permit:"
# A denial is not held up for longer by a Redis that does not answer.
ANSWER_SECONDS_MAX: Final = 0.2
# Others ask between two pieces of a round.
_PIECE_SCOPES: Final = 200
_PIECE_SECONDS_MAX: Final = 1.0
_AGAIN_SECONDS: Final = 0.5
_ENCODER: Final = msgspec.json.Encoder()


class _Round(NamedTuple):
    lease_seq: int
    expires_at_ms: int


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in Redis.

    Attributes:
        expires_at_ms: When Redis lets go of it, by its own clock, in milliseconds since 1970.
    """

    scope: str
    epoch: int
    seq: int
    lease_seq: int
    expires_at_ms: int


class RedisPermits:
    """The copy, kept by one publisher while it is the active one."""

    def __init__(
        self,
        line: RedisLine,
        read: Callable[[], Awaitable[Mapping[str, ScopeStanding]]],
        listener: CopyListener | None = None,
    ) -> None:
        """Write to `line` what `read` finds in the book; tell `listener`."""
        self._line = line
        self._read = read
        self._listener = listener or CopyListener()
        self._standings: Mapping[str, ScopeStanding] = {}
        self._denied: dict[str, Version] = {}
        self._owed: set[str] = set()
        self._round: _Round | None = None
        self._wake = asyncio.Event()
        self._written: dict[str, bytes] = {}

    async def load(self, standings: Mapping[str, ScopeStanding]) -> None:
        """See `Permits.load`."""
        self._standings = standings

    async def deny(self, standings: Sequence[ScopeStanding]) -> None:
        """See `Permits.deny`."""
        gone: set[str] = set()
        for each in standings:
            # From here on no round writes it, whether or not Redis hears of it now.
            self._denied[each.scope] = max(each.version, self._denied.get(each.scope, (0, 0)))
            gone.update(below(each.scope, self._standings))
        self._owed |= gone
        try:
            await self._line.ask(partial(_deletion, sorted(gone)), seconds_max=ANSWER_SECONDS_MAX)
        except RedisSilent:
            self._written.clear()
            self._listener.denied(CopyOutcome.SILENT)
            self._wake.set()
            return
        self._forget(gone)
        self._listener.denied(CopyOutcome.DONE)

    async def clock_ms(self) -> int | None:
        """See `Permits.clock_ms`."""
        try:
            ((seconds, micros),) = await self._line.ask(
                lambda: [("TIME",)], seconds_max=ANSWER_SECONDS_MAX
            )
        except RedisSilent:
            return None
        return int(seconds) * 1000 + int(micros) // 1000

    def renew(self, lease_seq: int, expires_at_ms: int) -> None:
        """See `Permits.renew`."""
        self._round = _Round(lease_seq, expires_at_ms)
        self._wake.set()

    async def run(self) -> None:
        """See `Permits.run`."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._pay_debts()
                await self._write()
            except RedisSilent:
                self._written.clear()
                self._listener.renewed(CopyOutcome.SILENT, 0)
                await asyncio.sleep(_AGAIN_SECONDS)
                # The round is over, a new lease brings the next; what is owed stays owed.
                if self._owed:
                    self._wake.set()

    async def _pay_debts(self) -> None:
        while owed := sorted(self._owed)[:_PIECE_SCOPES]:
            await self._line.ask(partial(_deletion, owed), seconds_max=_PIECE_SECONDS_MAX)
            self._forget(set(owed))

    async def _write(self) -> None:
        current, self._round = self._round, None
        if current is None:
            return
        # Read after the lease was taken: what was denied before that is seen.
        self._standings = await self._read()
        self._denied = {
            scope: version
            for scope, version in self._denied.items()
            if scope not in self._standings or version > self._standings[scope].version
        }
        scopes = sorted(self._standings)
        permits = 0
        for first in range(0, len(scopes), _PIECE_SCOPES):
            if self._is_outdated():
                return  # a newer lease is here; its round begins at once
            permits += await self._write_piece(scopes[first : first + _PIECE_SCOPES], current)
        self._listener.renewed(CopyOutcome.DONE, permits)

    def _is_outdated(self) -> bool:
        return self._round is not None

    async def _write_piece(self, scopes: Sequence[str], current: _Round) -> int:
        values: dict[str, bytes] = {}

        def commands() -> list[Command]:
            # When it is our turn, not before: a denial may have gone first.
            values.update(
                (scope, _value(self._standings[scope], current))
                for scope in scopes
                if is_granted(scope, self._standings, self._denied)
            )
            gone = [scope for scope in scopes if scope not in values]
            return [
                ("MGET", *(PREFIX + scope for scope in scopes)),
                *(_deletion(gone) if gone else []),
                *(
                    ("SET", PREFIX + scope, value, "PXAT", current.expires_at_ms)
                    for scope, value in values.items()
                ),
            ]

        found, *_ = await self._line.ask(commands, seconds_max=_PIECE_SECONDS_MAX)
        self._compare(dict(zip(scopes, found, strict=True)))
        self._forget({scope for scope in scopes if scope not in values})
        self._written.update(values)
        return len(values)

    def _compare(self, found: Mapping[str, Any]) -> None:
        """Tell of values that are not what we left there. What has expired is no lie."""
        foreign = sum(
            value is not None and scope in self._written and value != self._written[scope]
            for scope, value in found.items()
        )
        if foreign:
            self._listener.found_foreign(foreign)

    def _forget(self, scopes: set[str]) -> None:
        """Note that `scopes` have no value any more: from now on any value is somebody else's."""
        self._owed -= scopes
        self._written.update(dict.fromkeys(scopes, b""))


def _deletion(scopes: Sequence[str]) -> list[Command]:
    return [("DEL", *(PREFIX + scope for scope in scopes))]


def _value(standing: ScopeStanding, current: _Round) -> bytes:
    value = _Value(
        scope=standing.scope,
        epoch=standing.epoch,
        seq=standing.seq,
        lease_seq=current.lease_seq,
        expires_at_ms=current.expires_at_ms,
    )
    return _ENCODER.encode(value)
