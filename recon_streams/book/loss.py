"""Going on behind records that expired before anybody read them, because a person says so.

No program may pass them by itself: what was in them is unknown, and the balances may be wrong from
then on. So somebody with a name accepts it, once the log proves that nothing is left to read.
"""

import asyncpg

from recon_streams.alerts.alarm import Facts, Raised
from recon_streams.alerts.classes import AlertClass, Component
from recon_streams.alerts.telling import tell
from recon_streams.book import inputs, streams
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.clock import utc_now
from recon_streams.log.port import LogProbe
from recon_streams.log.record import GapCause, ProvenGap, TopicPartition
from topics.alerts import Severity


class LossNotProven(Exception):
    """Nothing is lost, as far as the log can tell; the position stays where it is."""


async def accept_loss(
    pool: asyncpg.Pool, probe: LogProbe, partition: TopicPartition, *, actor: str, reason: str
) -> ProvenGap:
    """Let the book go on at the log's start, and return the offsets that nobody will ever read.

    Their row in the book, the position and a critical alert that names `actor` and `reason` are
    one transaction.

    Raises:
        LossNotProven: The log still has what the book wants next.
        ForeignLog: The book's positions belong to another log.
        UnknownTopic: The topic does not exist.
    """
    name = f"{partition.topic}/{partition.partition}"
    if partition not in await probe.partitions([partition.topic]):
        raise LossNotProven(f"the log has no partition {name}")
    if partition not in await streams.positions(pool, [partition]):
        raise LossNotProven(f"the book has never read {name}; it will begin where the log begins")
    await streams.claim_log(pool, await probe.log_identity())
    async with UnitOfWork(pool) as unit:
        position = (await streams.hold(unit, partition)).next_offset
        start = (await probe.start_offsets([partition]))[partition]
        if start <= position:
            raise LossNotProven(
                f"nothing is lost: {name} begins at {start}, and the book is at {position}"
            )
        proven = await probe.prove_gap(partition, position, start)
        gap = ProvenGap(position, start, GapCause.EXPIRED)
        if proven != (gap,):
            raise LossNotProven(f"the log does not say that all of {name} before {start} expired")
        stream = await streams.advance(
            unit, partition, expected=position, following=start, through_at=None
        )
        at = utc_now()
        inputs.write_gap(unit, stream, gap, at)
        cause = f"loss:{name}:{gap.first}"
        facts = Facts(
            alert_class=AlertClass.INPUTS_LOST.value,
            severity=Severity.CRITICAL,
            summary=f"{start - position} offsets of {name} expired unread; "
            f"accepted by {actor}: {reason}",
            component=Component.INPUTS.value,
            source=f"{name}/{gap.first}",
            evidence="recon-streams audit inputs",
        )
        tell(unit, [Raised(key=cause, at=at, facts=facts)])
    return gap
