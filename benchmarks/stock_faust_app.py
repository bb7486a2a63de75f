"""The program a reader of Faust's own tutorial would write; run by `stock_faust`."""

import os
import time
from collections.abc import AsyncIterable
from decimal import Decimal
from pathlib import Path

import faust
from lxml import etree

MESSAGES = int(os.environ["STOCK_MESSAGES"])
_NS = "{urn:iso:std:iso:20022:tech:xsd:camt.054.001.08}"
_SCHEMA = etree.XMLSchema(etree.parse(Path("recon_streams/iso20022/schemas/camt.054.001.08.xsd")))
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)

app = faust.App(
    os.environ["STOCK_NAME"],
    broker=f"kafka://{os.environ['STOCK_BOOTSTRAP']}",
    store="memory://",
    topic_partitions=4,
    topic_replication_factor=1,
    web_enabled=False,
)
topic = app.topic(os.environ["STOCK_TOPIC"], value_type=bytes, value_serializer="raw")
balances = app.Table("balances", default=str, partitions=4)
seen = {"count": 0, "began": 0.0, "total": Decimal(0)}


@app.agent(topic)
async def bank_notifications(messages: AsyncIterable[bytes]) -> None:
    """Add every entry to the balance of its account."""
    async for payload in messages:
        seen["began"] = seen["began"] or time.perf_counter()
        root = etree.fromstring(payload, _PARSER)
        _SCHEMA.validate(root)
        account = next(root.iter(_NS + "Acct"))[0][0][0].text or ""
        for entry in root.iter(_NS + "Ntry"):
            sign = 1 if entry[1].text == "CRDT" else -1
            amount = sign * Decimal(entry[0].text or "0")
            balances[account] = str(Decimal(balances[account] or "0") + amount)
            seen["total"] += amount
        seen["count"] += 1
        if seen["count"] == MESSAGES:
            rate = MESSAGES / (time.perf_counter() - seen["began"])
            # Faust takes `sys.stdout` for its own log lines.
            os.write(1, f"drained {rate} {seen['total']}\n".encode())


if __name__ == "__main__":
    app.finalize()
    faust.Worker(app, loglevel="WARNING").execute_from_commandline()
