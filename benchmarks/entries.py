"""G2: messages of 100 entries, durable, against a bare lxml + XSD loop on the same bytes."""

import os
from decimal import Decimal
from pathlib import Path
from time import perf_counter

import uvloop
from lxml import etree

from benchmarks.book_stage import Desk, book
from benchmarks.stage import median, quiet
from recon_streams.testing.traffic import Plan, Traffic

TOPIC = "bank.notifications"
MESSAGES = int(os.environ.get("BENCH_ENTRY_MESSAGES", "300"))
ENTRIES = 100
ROUNDS = 3
_NS = "{urn:iso:std:iso:20022:tech:xsd:camt.054.001.08}"


def main() -> None:
    uvloop.run(_main())


async def _main() -> None:
    ours, bare = [], []
    for number in range(ROUNDS):
        traffic, values = _messages(seed=number + 1)
        async with book(traffic.registry()) as pool:
            desk = Desk(pool, TOPIC)
            await desk.open()
            rate, total = bare_loop(values)
            bare.append(rate)
            began = perf_counter()
            for start in range(0, len(values), 20):
                await desk.take(values[start : start + 20])
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
            total += sign * Decimal(entry[0].text)
            count += 1
    return count / (perf_counter() - began), total


def _messages(seed: int) -> tuple[Traffic, list[bytes]]:
    plan = Plan(
        inputs=2 * MESSAGES,
        duplicate_share=0,
        broken_share=0,
        entries_min=ENTRIES,
        entries_max=ENTRIES,
        seed=seed,
    )
    traffic = Traffic(plan)
    values = [made.value for made in traffic if made.topic == TOPIC]
    return traffic, values[:MESSAGES]


if __name__ == "__main__":
    main()
