"""G2: messages of 100 entries, durable, against a bare lxml + XSD loop on the same bytes."""

import os
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from zlib import crc32

import uvloop
from lxml import etree

from benchmarks.book_stage import book, drain
from benchmarks.stage import median, quiet
from recon_streams.runtime.tuning import tune_collector
from recon_streams.testing.traffic import Plan, Traffic

TOPIC = "bank.notifications"
MESSAGES = int(os.environ.get("BENCH_ENTRY_MESSAGES", "300"))
ENTRIES = 100
BATCH = 20
PARTITIONS = 4
ROUNDS = 3
_NS = "{urn:iso:std:iso:20022:tech:xsd:camt.054.001.08}"


def main() -> None:
    uvloop.run(_main())


async def _main() -> None:
    ours, bare = [], []
    for number in range(ROUNDS):
        traffic, partitions = _messages(seed=number + 1)
        values = [value for partition in partitions for value in partition]
        async with book(traffic.registry()) as pool:
            tune_collector()
            rate, total = bare_loop(values)
            bare.append(rate)
            began = perf_counter()
            await drain(pool, TOPIC, partitions, batch_records=BATCH)
            ours.append(len(values) * ENTRIES / (perf_counter() - began))
            booked = await pool.fetchval("SELECT sum(net) FROM positions.bank_entry")
        assert booked == total, f"the loops disagree: {total} and {booked}"
        print(f"round {number}: bare {bare[-1]:,.0f} entries/s, durable {ours[-1]:,.0f} entries/s")
    print(f"G2  durable / bare = {median(ours) / median(bare):.2f}   (goal >= 0.5), {quiet()}")


def bare_loop(values: list[bytes]) -> tuple[float, Decimal]:
    """Parse, validate and add everything up; return entries per second, and the sum."""
    schema = etree.XMLSchema(
        etree.parse(Path("recon_streams/iso20022/schemas/camt.054.001.08.xsd"))
    )
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    total, count, began = Decimal(0), 0, perf_counter()
    for value in values:
        root = etree.fromstring(value, parser)
        schema.validate(root)
        for entry in root.iter(_NS + "Ntry"):
            sign = 1 if entry[1].text == "CRDT" else -1
            total += sign * Decimal(entry[0].text or "")
            count += 1
    return count / (perf_counter() - began), total


def _messages(seed: int) -> tuple[Traffic, list[list[bytes]]]:
    """Return messages by partition; those of an account share one, as their key says."""
    plan = Plan(
        inputs=2 * MESSAGES,
        duplicate_share=0,
        broken_share=0,
        entries_min=ENTRIES,
        entries_max=ENTRIES,
        seed=seed,
    )
    traffic = Traffic(plan)
    partitions: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
    made = [each for each in traffic if each.topic == TOPIC][:MESSAGES]
    for each in made:
        partitions[crc32(each.key) % PARTITIONS].append(each.value)
    return traffic, partitions


if __name__ == "__main__":
    main()
