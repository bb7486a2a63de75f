"""`BreakerGuard`: no fresh permit, no payout. The follower on a live log."""

import asyncio
import contextlib
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, Self

import msgspec

from recon_streams.client.follower import SAFETY_MS, Follower
from recon_streams.client.permit import Permit
from recon_streams.client.records import LogRecord, load_keys
from topics.breaker import BreakerRecord
from topics.breaker_acks import BreakerAck

# CLOCK_MONOTONIC stands still while Linux is suspended, and a lease would outlive the night.
_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_RETRY_SECONDS: Final = 0.25
_ACK_SECONDS: Final = 0.02
_log = logging.getLogger(__name__)


def now_ms() -> int:
    """Return milliseconds by the clock that all is counted with: it only runs forward."""
    return time.clock_gettime_ns(_CLOCK) // 1_000_000


class Look(NamedTuple):
    """One look at the log.

    Attributes:
        asked_at_ms: When the question after the end was sent, by `now_ms`.
        end: The offset it would have given next; None if there is no telling who answered.
        records: Those found, in order.
        next_offset: Where to look next: nothing below it is left out.
    """

    asked_at_ms: int
    end: int | None
    records: Sequence[LogRecord]
    next_offset: int


class BreakerLog(Protocol):
    """One partition of breaker records, wherever it is kept.

    Attributes:
        UNREACHABLE: What its methods raise while it is away; everything else is a defect.
    """

    UNREACHABLE: tuple[type[Exception], ...]

    async def open(self) -> None:
        """Connect; also again after `close`."""

    async def look(self, first: int) -> Look:
        """Ask where the log ends, then return records from `first` on, if need be after a wait."""

    async def acknowledge(self, client_id: str, value: bytes) -> None:
        """Append an acknowledgement; return when it is there. May run beside a look."""

    async def close(self) -> None:
        """Let everything go, also what is only half open."""


class AsyncBreakerGuard:
    """May I pay? For services on asyncio: `async with AsyncBreakerGuard.kafka(...) as guard:`.

    `permit` answers from memory and never waits. Before the log has been read, and whenever it has
    not been heard for long enough, the answer is no.

    Args:
        log: Where the records are.
        keys: The JWK Set file with the publisher's public keys.
        client_id: Who asks, as the operator has registered it; stands on acknowledgements.
        safety_ms: How much sooner than it says a lease ends here.

    Attributes:
        on_permit: If set, called with each answer before it is given, to keep it. What it raises
            the asker gets instead of an answer.

    Raises:
        ValueError: The key file, the client id or `safety_ms` cannot be used; says why.
    """

    on_permit: Callable[[Permit], object] | None = None

    def __init__(
        self, log: BreakerLog, *, keys: Path, client_id: str, safety_ms: int = SAFETY_MS
    ) -> None:
        if re.fullmatch(r"[A-Za-z0-9._:/-]{1,64}", client_id) is None:
            raise ValueError(f"client_id: {client_id!r} is not 1 to 64 of A-Z a-z 0-9 . _ : / -")
        self._log, self._client_id, self._is_running = log, client_id, False
        self._follower = Follower(load_keys(keys), safety_ms=safety_ms)
        self._acks: dict[str | None, BreakerAck] = {}

    @classmethod
    def kafka(cls, bootstrap: str, *, keys: Path, client_id: str, **options: Any) -> Self:  # noqa: ANN401 - aiokafka's own
        """Return a guard on Kafka; `options` go to aiokafka's clients: `security_protocol`, ..."""
        from recon_streams.client.kafka import KafkaBreakerLog  # noqa: PLC0415 - only where used

        return cls(KafkaBreakerLog(bootstrap, **options), keys=keys, client_id=client_id)

    @classmethod
    def postgres(cls, dsn: str, *, keys: Path, client_id: str, **options: Any) -> Self:  # noqa: ANN401 - asyncpg's own
        """Return a guard on the log in PostgreSQL; `options` go to `asyncpg.connect`."""
        from recon_streams.client.postgres import PostgresBreakerLog  # noqa: PLC0415 - as above

        return cls(PostgresBreakerLog(dsn, **options), keys=keys, client_id=client_id)

    def permit(self, scope: str, *others: str, payout_id: str | None = None) -> Permit:
        """Return whether a payout that needs `scope` and all `others` may leave, now."""
        now = now_ms() if self._is_running else None
        answer = self._follower.permit((scope, *others), now, payout_id)
        if self.on_permit is not None:
            self.on_permit(answer)
        return answer

    @property
    def is_caught_up(self) -> bool:
        """Whether the log has been read; until then a service may want to call itself unready."""
        return self._is_running and self._follower.is_caught_up

    def counts(self) -> Mapping[str, int]:
        """Return how often: `granted`, `denied:REASON`, and records that were `dropped:REASON`."""
        return self._follower.counts.copy()

    async def _follow(self) -> None:
        """Follow the log until cancelled; permits are denied afterwards."""
        acknowledging = asyncio.create_task(self._acknowledge())
        try:
            while True:
                try:
                    with contextlib.suppress(*self._log.UNREACHABLE):
                        await self._log.open()
                        while True:
                            await self._round()
                except asyncio.CancelledError:
                    if self._following.cancelling():
                        raise  # it is we who are to end, not a client that has ended a part of it
                _log.warning("the breaker is out of reach; leases run out meanwhile")
                await self._log.close()
                await asyncio.sleep(_RETRY_SECONDS)
        finally:
            self._is_running = False
            acknowledging.cancel()
            await asyncio.wait([acknowledging])
            await self._log.close()

    async def _round(self) -> None:
        follower, was_caught_up = self._follower, self._follower.is_caught_up
        look = await self._log.look(follower.next_offset)
        if not follower.note_end(look.asked_at_ms, look.end):
            return
        for record in look.records:
            news = follower.apply(record)
            if news is not None and was_caught_up:
                self._heard(news)
        follower.pass_over(look.next_offset)
        if follower.is_caught_up and not was_caught_up:
            self._heard(None)

    def _heard(self, news: BreakerRecord | None) -> None:
        """Have it acknowledged. What could not be sent so far gives way to newer of its scope."""
        now, through = datetime.now(UTC), self._follower.next_offset  # noqa: TID251 - only shown
        ack = BreakerAck(client_id=self._client_id, through_offset=through, acked_at=now)
        if news is not None:
            said = {name: getattr(news, name) for name in ("scope", "state", "epoch", "seq")}
            ack = msgspec.structs.replace(ack, **said)
        self._acks[ack.scope] = ack

    async def _acknowledge(self) -> None:
        while True:
            await asyncio.sleep(_ACK_SECONDS)
            with contextlib.suppress(*self._log.UNREACHABLE):
                for scope, ack in list(self._acks.items()):
                    await self._log.acknowledge(self._client_id, msgspec.json.encode(ack))
                    if self._acks[scope] is ack:
                        del self._acks[scope]

    async def __aenter__(self) -> Self:
        self._is_running = True
        self._following = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop()
        await asyncio.wait([self._following])

    def _stop(self) -> None:
        if self._is_running:  # else it has died, and is to tidy up undisturbed
            self._is_running = False
            self._following.cancel()


class BreakerGuard(AsyncBreakerGuard):
    """May I pay? For services with threads: `with BreakerGuard.kafka(...) as guard:`.

    The log is followed in a thread of its own. Processes that fork make their guard afterwards.
    """

    def __enter__(self) -> Self:
        self._is_running, self._loop = True, asyncio.new_event_loop()
        self._following = self._loop.create_task(self._follow())
        self._thread = threading.Thread(target=self._run, name="breaker-guard", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: the follower has died
            self._loop.call_soon_threadsafe(self._stop)
        self._thread.join()

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError), contextlib.closing(self._loop):
            self._loop.run_until_complete(self._following)
