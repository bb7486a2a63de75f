"""The schedule as a loop: what is due becomes ticks, each instant once, none skipped.

Ticks and the move to the next instant are one transaction. Whoever dies in between has done
nothing; whoever was away for a week emits the week, in order and a bounded number at a time.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg
import msgspec
import structlog

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel import faultpoint
from recon_streams.kernel.clock import utc_now
from recon_streams.log.record import OutgoingRecord
from recon_streams.schedule import store
from recon_streams.schedule.planner import ALL, AccountPlanner, CommonPlanner, Planner, scope_of
from recon_streams.schedule.row import Row, Version, emitted, planned
from topics.ticks import TOPIC, Tick

ROWS_MAX: Final = 500
_EVERY_SECONDS: Final = 0.5
# After a long stop there are as many ticks as there are accounts times windows; at this pace they
# do not crowd out what else waits for the same workers.
_PAUSE_SECONDS: Final = 0.1

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_log = structlog.get_logger()


async def keep_schedule_for_ever(pool: asyncpg.Pool, planners: Sequence[Planner]) -> None:
    """Emit what is due, again and again. Runs for ever; any number of processes may."""
    kinds = [planner.kind for planner in planners]
    while True:
        count = 0
        now = utc_now()
        if await store.is_anything_due(pool, kinds, now=now):
            count = await emit_due(pool, planners, now=now)
            if count:
                _log.debug("ticks_emitted", count=count)
        await asyncio.sleep(_PAUSE_SECONDS if count == ROWS_MAX else _EVERY_SECONDS)


async def emit_due(
    pool: asyncpg.Pool, planners: Sequence[Planner], *, now: datetime, rows_max: int = ROWS_MAX
) -> int:
    """Plan what a newer registry says, emit at most `rows_max` of what is due; return how many."""
    by_kind = {planner.kind: planner for planner in planners}
    async with UnitOfWork(pool) as unit:
        if not await store.try_lock(unit.connection):
            return 0
        known = await store.kinds(unit.connection, by_kind, now=now)
        newest = await store.newest_registry(unit.connection)
        for planner in planners:
            if isinstance(planner, AccountPlanner):
                await _plan(unit, planner, known[planner.kind], newest)
        await _plan_common(unit, planners, known)
        await unit.flush()
        rows = await store.due_rows(unit.connection, by_kind, now=now, rows_max=rows_max)
        await _emit(unit, by_kind, rows)
        await unit.flush()
        faultpoint.hit("before_ticks_commit")
    faultpoint.hit("after_ticks_commit")
    return len(rows)


async def _plan(unit: UnitOfWork, planner: AccountPlanner, kind: store.Kind, newest: int) -> None:
    if kind.registry_version >= newest:
        return
    versions = await store.versions_after(unit.connection, kind.registry_version, newest)
    numbers = {version.number for version in versions}
    rows = await store.rows_of(unit.connection, planner.kind, numbers)
    for version in versions:
        row = rows.get(version.number) or Row(
            kind=planner.kind,
            subject=scope_of(version.definition),
            number=version.number,
            registry_version=0,
            after=kind.born_at,
            due_at=None,
        )
        rows[version.number] = planned(row, [version], planner.next_due)
    store.write(unit, list(rows.values()))
    await store.planned(unit.connection, planner.kind, newest)


async def _plan_common(
    unit: UnitOfWork, planners: Sequence[Planner], known: dict[str, store.Kind]
) -> None:
    common = {p.kind: p for p in planners if isinstance(p, CommonPlanner)}
    there = await store.common_kinds(unit.connection, common)
    newest = await store.newest_registry(unit.connection)
    for kind, planner in common.items():
        born_at = known[kind].born_at
        if kind not in there:
            due_at = planner.next_due(born_at)
            row = Row(
                kind=kind, subject=ALL, number=None, registry_version=0,
                after=born_at, due_at=due_at,
            )  # fmt: skip
            store.write(unit, [row])
        if known[kind].registry_version < newest:
            await store.planned(unit.connection, kind, newest)


async def _emit(unit: UnitOfWork, by_kind: dict[str, Planner], rows: Sequence[Row]) -> None:
    if not rows:
        return
    since: dict[int, int] = {}
    for row in rows:
        if row.number is not None:
            since[row.number] = min(row.registry_version, since.get(row.number, 2**31 - 1))
    history = await store.versions_since(unit.connection, since)
    moved, ticks = [], []
    for row in rows:
        planner = by_kind[row.kind]
        assert row.due_at is not None, "what is not due was not asked for"
        if isinstance(planner, AccountPlanner):
            assert row.number is not None, "an account has a number"
            versions = _from(history[row.number], row.registry_version)
            ticks.append((row, planner.make(versions[0].definition, row.due_at)))
            moved.append(emitted(row, versions, planner.next_due))
        else:
            ticks.append((row, planner.make(row.due_at)))
            following = planner.next_due(row.due_at)
            moved.append(msgspec.structs.replace(row, after=row.due_at, due_at=following))
    store.write(unit, moved)
    unit.publish(tick_record(row.subject, tick) for row, tick in ticks)


def tick_record(subject: str, tick: Tick) -> OutgoingRecord:
    """Return `tick` as it is written: under the key of its subject, beside the positions of it."""
    return OutgoingRecord(TOPIC, subject.encode(), _ENCODER.encode(tick))


def _from(versions: Sequence[Version], first: int) -> list[Version]:
    return [version for version in versions if version.version >= first]
