"""A message that the log refuses is held, by itself: those behind it do not wait, and nobody dies.

It is tried again now and then, for what was in its way may be a right or a limit that a person puts
right. On-call is told as long as there is one. A change of a breaker that is held still ends all
permission: it is decided, and not on the log.
"""

from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec
import structlog

from recon_streams.log.errors import RecordRefused
from recon_streams.publisher import outbox
from recon_streams.publisher.outbox import Waiting
from recon_streams.publisher.sink import Relay

AGAIN_SECONDS: Final = 60
# Nobody may pay meanwhile.
BREAKER_AGAIN_SECONDS: Final = 5
_REASON_CHARACTERS_MAX: Final = 200
# So many in a row, and it is the topic that is refused, and not a message.
_IN_A_ROW_MAX: Final = 3
_HOLD: Final = (
    "UPDATE book.outbox SET refused = $3, held_until = clock_timestamp() + "
    "make_interval(secs => CASE WHEN topic = 'recon.breaker' THEN $4::float8 ELSE $5 END) "
    "WHERE published_at IS NULL AND topic = $1 AND (outbox_id = $2 OR $2 IS NULL)"
)
# Spelled as the index is.
_HELD: Final = (
    "SELECT topic, count(*) AS count, min(created_at) AS oldest_at, min(refused) AS reason "
    "FROM book.outbox WHERE published_at IS NULL AND refused IS NOT NULL GROUP BY topic"
)

_log = structlog.get_logger()


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What of one topic is held.

    Attributes:
        count: How many messages.
        oldest_at: When the oldest of them was decided.
        reason: The log's words for one of them.
    """

    topic: str
    count: int
    oldest_at: datetime
    reason: str


async def held(pool: asyncpg.Pool) -> list[Held]:
    """Return what is held, by topic."""
    return [Held(**dict(row)) for row in await pool.fetch(_HELD)]


class HoldingRelay:
    """A `Relay` to a log that may refuse a message for good."""

    def __init__(self, relay: Relay) -> None:
        """Carry with `relay`; what it carried before a refusal may be carried again."""
        self._relay = relay
        self._rows_max: int | None = None
        self._refused: tuple[str, int] = "", 0

    async def relay(
        self,
        pool: asyncpg.Pool,
        *,
        rows_max: int,
        **readying: Any,  # noqa: ANN401 - passed on
    ) -> list[Waiting]:
        """See `Relay.relay`. Ever fewer messages are tried, until the refused one is alone."""
        while True:
            count = min(rows_max, self._rows_max or rows_max)
            first = await outbox.waiting(pool, rows_max=1) if count == 1 else []
            try:
                sent = await self._relay.relay(pool, rows_max=count, **readying)
            except RecordRefused as refusal:
                self._rows_max = max(1, count // 2)
                if count == 1:
                    await self._hold(pool, first, refusal)
                continue
            # Those behind it are fine, most likely.
            self._rows_max = None if count * 2 >= rows_max else count * 2
            if any(each.record.topic == self._refused[0] for each in sent):
                self._refused = "", 0
            return sent

    async def _hold(self, pool: asyncpg.Pool, first: list[Waiting], refusal: RecordRefused) -> None:
        again = await outbox.waiting(pool, rows_max=1)
        # Something more urgent may have come between; then nobody knows which one it was.
        if [each.outbox_id for each in first] != [each.outbox_id for each in again]:
            return
        for each in first:
            topic, (before, count) = each.record.topic, self._refused
            if topic not in refusal.topics:
                continue
            self._refused = topic, count + 1 if topic == before else 1
            is_whole = self._refused[1] >= _IN_A_ROW_MAX
            _log.error("message_held", topic=topic, reason=refusal.reason, is_whole=is_whole)
            await pool.execute(
                _HOLD,
                topic,
                None if is_whole else each.outbox_id,
                refusal.reason[:_REASON_CHARACTERS_MAX],
                float(BREAKER_AGAIN_SECONDS),
                float(AGAIN_SECONDS),
            )
