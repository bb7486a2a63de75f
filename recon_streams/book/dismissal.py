"""Sets aside inputs in quarantine that their sender has replaced: nobody waits for them any more.

The bytes stay, and no figure moves: only the question is answered, by a person, with a reason.
"""

from collections.abc import Sequence

import asyncpg

from recon_streams.book import inputs, streams
from recon_streams.book.quarantine import require_waiting
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.log.record import Record, TopicPartition

_WAITING = (
    "SELECT q.quarantine_id, s.topic, s.part, i.off, i.at FROM book.quarantine q "
    "JOIN book.input i USING (stream, off) JOIN book.stream s ON s.stream = q.stream "
    "WHERE (q.stream, q.off) IN (SELECT stream, off FROM book.quarantine "
    "WHERE quarantine_id = ANY($1::bigint[])) AND NOT EXISTS (SELECT FROM "
    "book.quarantine_action a WHERE a.quarantine_id = q.quarantine_id) "
    "ORDER BY s.topic, s.part, i.off, q.quarantine_id"
)
_ANSWER = (
    "INSERT INTO book.quarantine_action (quarantine_id, action, actor, reason) "
    "SELECT unnest($1::bigint[]), 'DISMISSED', $2, $3"
)


class HalfDismissed(Exception):
    """Some of what a message waits for was named, and some was not.

    A replay decides a message as a whole, so a part that was set aside alone would be decided
    again, and perhaps counted beside what replaced it.
    """

    def __init__(self, place: str, others: Sequence[int]) -> None:
        numbers = ", ".join(str(each) for each in others)
        super().__init__(
            f"{place} also waits as {numbers}; a message is set aside as a whole: name all of them"
        )


async def dismiss(
    pool: asyncpg.Pool, quarantine_ids: Sequence[int], *, actor: str, reason: str
) -> None:
    """Answer these quarantine rows with `reason`, all of them or, if one cannot be, none.

    Raises:
        NotWaiting: Some of them do not exist, or were answered before.
        HalfDismissed: Of some message not everything that waits was named.
    """
    assert reason, "who comes later wants to know why"
    async with UnitOfWork(pool) as unit:
        found = await _waiting(unit, quarantine_ids)
        # As a replay does: an alert ends before or after a batch triggers it, never beside.
        held = {
            partition: await streams.hold(unit, partition)
            for partition in sorted({TopicPartition(m.topic, m.partition) for m in found})
        }
        # Asked only now, for somebody may have answered while the streams were waited for.
        await require_waiting(unit.connection, quarantine_ids)
        for message, waiting in found.items():
            if others := [each for each in waiting if each not in quarantine_ids]:
                place = f"{message.topic}/{message.partition}/{message.offset}"
                raise HalfDismissed(place, others)
            await unit.connection.execute(_ANSWER, waiting, actor, reason)
            stream = held[TopicPartition(message.topic, message.partition)].stream
            await inputs.resolve_alerts(unit, stream, message)


async def _waiting(unit: UnitOfWork, quarantine_ids: Sequence[int]) -> dict[Record, list[int]]:
    """Return the messages that `quarantine_ids` belong to, each with all that waits of it."""
    found: dict[Record, list[int]] = {}
    for row in await unit.connection.fetch(_WAITING, list(quarantine_ids)):
        message = Record(
            topic=row["topic"],
            partition=row["part"],
            offset=row["off"],
            key=None,
            value=None,
            headers=(),
            appended_at=row["at"],
        )
        found.setdefault(message, []).append(row["quarantine_id"])
    return found
