"""Decides inputs in quarantine again, once the cause was put right, from the kept bytes."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from recon_streams.book import inputs, streams
from recon_streams.book.intake import DECISION_RULE, DecisionFailed, Intake
from recon_streams.book.reading import read_record
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.disposition import Held, Outcome, quarantined
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.log.record import Record, TopicPartition

_WAITING = (
    "SELECT q.quarantine_id, s.topic, s.part, i.off, i.at, i.key, i.payload "
    "FROM book.quarantine q JOIN book.input i USING (stream, off) "
    "JOIN book.stream s ON s.stream = q.stream "
    "WHERE NOT EXISTS (SELECT FROM book.quarantine_action a "
    "WHERE a.quarantine_id = q.quarantine_id) "
)


async def replay_ids(
    pool: asyncpg.Pool,
    quarantine_ids: Sequence[int],
    intakes: Mapping[str, Intake[Any]],
    *,
    actor: str,
) -> dict[int, Outcome]:
    """Decide the inputs of these quarantine rows again; return what became of each row's input."""
    rows = await pool.fetch(
        _WAITING + "AND q.quarantine_id = ANY($1::bigint[]) ORDER BY i.at, q.quarantine_id",
        list(quarantine_ids),
    )
    return await _replay(pool, rows, intakes, actor)


async def replay_codes(
    pool: asyncpg.Pool,
    codes: Sequence[RefusalCode],
    intakes: Mapping[str, Intake[Any]],
    *,
    actor: str,
) -> dict[int, Outcome]:
    """Decide every input again that waits for one of `codes`, in the order of arrival."""
    rows = await pool.fetch(
        _WAITING + "AND q.code = ANY($1::text[]) ORDER BY i.at, q.quarantine_id",
        [code.value for code in codes],
    )
    return await _replay(pool, rows, intakes, actor)


async def _replay(
    pool: asyncpg.Pool,
    rows: Sequence[asyncpg.Record],
    intakes: Mapping[str, Intake[Any]],
    actor: str,
) -> dict[int, Outcome]:
    by_input: dict[tuple[str, int, int], list[int]] = {}
    records: dict[tuple[str, int, int], Record] = {}
    for row in rows:
        place = (row["topic"], row["part"], row["off"])
        by_input.setdefault(place, []).append(row["quarantine_id"])
        records[place] = Record(
            topic=row["topic"],
            partition=row["part"],
            offset=row["off"],
            key=row["key"],
            value=row["payload"],
            headers=(),
            appended_at=row["at"],
        )
    outcomes: dict[int, Outcome] = {}
    for place, ids in by_input.items():
        outcome = await _replay_one(pool, records[place], intakes[place[0]], actor)
        if outcome is not None:
            outcomes.update(dict.fromkeys(ids, outcome))
    return outcomes


async def _replay_one(
    pool: asyncpg.Pool, record: Record, intake: Intake[Any], actor: str
) -> Outcome | None:
    """Decide `record` again; None if somebody else has done so meanwhile."""
    reading = read_record(intake, record)
    try:
        async with UnitOfWork(pool) as unit:
            held = await streams.hold(unit, TopicPartition(record.topic, record.partition))
            await streams.join_batches(unit)
            # One decision answers every reason the input waits for. Two people replaying it at
            # once meet at the key of this table, and the second finds nothing left to do.
            answered = await unit.connection.execute(
                "INSERT INTO book.quarantine_action (quarantine_id, action, actor) "
                "SELECT quarantine_id, 'REPLAYED', $4 FROM book.quarantine q "
                "JOIN book.stream s USING (stream) "
                "WHERE s.topic = $1 AND s.part = $2 AND q.off = $3 AND NOT EXISTS "
                "(SELECT FROM book.quarantine_action a WHERE a.quarantine_id = q.quarantine_id) "
                "ON CONFLICT DO NOTHING",
                record.topic,
                record.partition,
                record.offset,
                actor,
            )
            if answered == "INSERT 0 0":
                return None
            outcome = (await intake.decide(unit, [reading]))[0]
            await inputs.redispose(unit, held.stream, record, outcome)
            return outcome
    except DecisionFailed:
        return quarantined(Held(code=RefusalCode.DECISION_FAILED, field="", rule=DECISION_RULE))
