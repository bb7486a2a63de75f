"""`BreakerGuard`: no fresh permit, no payout. The follower on a live log."""

import asyncio
import logging
import re
import threading
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from recon_streams.client.follower import SAFETY_MS, Follower
from recon_streams.client.permit import Permit
from recon_streams.client_drivers.keys import load_keys
from recon_streams.client_drivers.port import BreakerLog, now_ms
from topics.breaker import BreakerRecord
from topics.breaker_acks import BreakerAck

_RETRY_SECONDS: Final = 0.25
_LOG: Final = logging.getLogger(__name__)


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
        on_permit: Called with each answer before it is given: set it to keep them. What it raises
            the asker gets instead of an answer.

    Raises:
        ValueError: The key file, the client id or `safety_ms` cannot be used; says why.
    """

    def __init__(
        self, log: BreakerLog, *, keys: Path, client_id: str, safety_ms: int = SAFETY_MS
    ) -> None:
        if re.fullmatch(r"[A-Za-z0-9._:/-]{1,64}", client_id) is None:
            raise ValueError(f"client_id: {client_id!r} is not 1 to 64 of A-Z a-z 0-9 . _ : / -")
        self._log, self._client_id, self._is_running = log, client_id, False
        self._follower = Follower(load_keys(keys), safety_ms=safety_ms)
        self._has_caught_up = False
        self._acks: dict[str | None, BreakerAck] = {}
        self.on_permit: Callable[[Permit], object] = bool

    @classmethod
    def kafka(cls, bootstrap: str, *, keys: Path, client_id: str, **options: Any) -> Self:  # noqa: ANN401 - aiokafka's own
        """Return a guard on Kafka; `options` go to aiokafka's clients: `security_protocol`, ..."""
        from recon_streams.client_drivers.kafka import KafkaBreakerLog  # noqa: PLC0415 - only where used

        return cls(KafkaBreakerLog(bootstrap, **options), keys=keys, client_id=client_id)

    @classmethod
    def postgres(cls, dsn: str, *, keys: Path, client_id: str, **options: Any) -> Self:  # noqa: ANN401 - asyncpg's own
        """Return a guard on the log in PostgreSQL; `options` go to `asyncpg.connect`."""
        from recon_streams.client_drivers.postgres import PostgresBreakerLog  # noqa: PLC0415 - as above

        return cls(PostgresBreakerLog(dsn, **options), keys=keys, client_id=client_id)

    def permit(self, scope: str, *others: str, payout_id: str | None = None) -> Permit:
        """Return whether a payout that needs `scope` and all `others` may leave, now."""
        now = now_ms() if self._is_running else None
        answer = self._follower.permit((scope, *others), now, payout_id)
        self.on_permit(answer)
        return answer

    @property
    def is_caught_up(self) -> bool:
        """Whether the log has been read; until then a service may want to call itself unready."""
        return self._is_running and self._follower.is_caught_up

    def counts(self) -> Mapping[str, int]:
        """Return how often each reason was answered, and records left out (`dropped:REASON`)."""
        return self._follower.counts.copy()

    async def _follow(self) -> None:
        acknowledging = asyncio.create_task(self._acknowledge())
        try:
            while True:
                await self._unless_away(self._listen())
                await self._log.close()
        finally:
            self._is_running = False
            acknowledging.cancel()
            await asyncio.gather(acknowledging, return_exceptions=True)
            await self._log.close()

    async def _unless_away(self, work: Coroutine[object, object, None]) -> None:
        try:
            await work
        except self._log.UNREACHABLE as failure:
            _LOG.warning("the breaker is out of reach, leases run out meanwhile: %r", failure)
            await asyncio.sleep(_RETRY_SECONDS)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise  # we are to end; else a client has cancelled a part of itself
        except Exception:
            # Without its reader the guard denies everything; without the other it only looks deaf.
            _LOG.critical("%s has ended for good", work, exc_info=True)
            raise

    async def _listen(self) -> None:
        await self._log.open()
        self._follower.read_again()
        while True:
            await self._round()

    async def _round(self) -> None:
        follower, was_caught_up = self._follower, self._follower.is_caught_up
        look = await self._log.look(follower.next_offset)
        if not follower.note_end(look.asked_at_ms, look.end):
            return
        for record in look.records:
            if (news := follower.apply(record)) is not None and self._has_caught_up:
                self._heard(news)
        follower.pass_over(look.next_offset)
        if follower.is_caught_up and not was_caught_up:
            self._has_caught_up = True
            self._heard(None)

    def _heard(self, news: BreakerRecord | None) -> None:
        """Have it acknowledged. What could not be sent so far gives way to newer of its scope."""
        now, through = datetime.now(UTC), self._follower.next_offset  # noqa: TID251 - only shown
        ack = BreakerAck(client_id=self._client_id, through_offset=through, acked_at=now)
        said = {name: getattr(news, name, None) for name in ("scope", "state", "epoch", "seq")}
        self._acks[said["scope"]] = msgspec.structs.replace(ack, **said)

    async def _acknowledge(self) -> None:
        while True:
            await asyncio.sleep(0.02)  # seconds, most of which pass without news
            await self._unless_away(self._send())

    async def _send(self) -> None:
        for scope, ack in list(self._acks.items()):
            await self._log.acknowledge(self._client_id, msgspec.json.encode(ack))
            if self._acks[scope] is ack:
                del self._acks[scope]

    async def __aenter__(self) -> Self:
        self._is_running, self._following = True, asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._is_running:  # else it has died, and is to tidy up undisturbed
            self._following.cancel()
        await asyncio.gather(self._following, return_exceptions=True)
        self._is_running = False


class BreakerGuard(AsyncBreakerGuard):
    """May I pay? For services with threads: `with BreakerGuard.kafka(...) as guard:`.

    The log is followed in a thread of its own. Processes that fork make their guard afterwards.
    """

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return asyncio.run_coroutine_threadsafe(self.__aenter__(), self._loop).result()

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.__aexit__(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
