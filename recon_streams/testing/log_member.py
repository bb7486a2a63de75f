"""A member of a group as a process of its own, to be stopped, continued and killed by tests.

Says on standard output what it hears, one word and the partition numbers a line.
"""

import asyncio
import sys
from collections.abc import Mapping

import asyncpg

from recon_streams.log.record import TopicPartition
from recon_streams.testing.logs import KafkaLog, Log, PostgresLog


class _Speaker:
    async def on_assigned(
        self, partitions: frozenset[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        _say("assigned", partitions)
        return {}

    async def on_revoked(self, partitions: frozenset[TopicPartition]) -> None:
        _say("revoked", partitions)


def _say(word: str, partitions: frozenset[TopicPartition]) -> None:
    numbers = " ".join(str(each.partition) for each in sorted(partitions))
    sys.stdout.write(f"{word} {numbers}\n")
    sys.stdout.flush()


async def _run(kind: str, address: str, topic: str, group: str) -> None:
    log: Log
    if kind == "kafka":
        log = KafkaLog(address)
    else:
        log = PostgresLog(await asyncpg.create_pool(address, min_size=1, max_size=4))
    await log.open()
    reader = await log.reader(topic, _Speaker(), group=group)
    await reader.watch()


if __name__ == "__main__":
    asyncio.run(_run(*sys.argv[1:5]))
