"""G1c: the same messages through Faust as it comes out of the box: an agent and a table.

It only parses, validates and adds up; it keeps no bytes, recognises no duplicate, and loses what
was under way when it dies. Durable in its own way: the table's changelog is a Kafka topic.
"""

import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

from benchmarks.stage import median, notifications, publish, quiet, stage
from benchmarks.throughput import MESSAGES, ROUNDS, TOPIC, drain


def main() -> None:
    with stage() as site:
        traffic, records = notifications(MESSAGES)
        registry = site.directory / "accounts.yaml"
        registry.write_text(traffic.registry())
        site.command("topics", "apply", "--bootstrap", site.kafka.bootstrap)
        publish(site.kafka.bootstrap, records)
        print(f"{MESSAGES} messages of {len(records[0].value or b'')} bytes, {quiet()}")
        stock, ours = [], []
        for number in range(ROUNDS):
            rate, total = _stock(site.kafka.bootstrap, site.directory, number)
            stock.append(rate)
            our_rate, our_total = drain(site, site.fresh_book(f"stock_{number}", registry), number)
            ours.append(our_rate)
            assert total == our_total, f"the sums disagree: {total} and {our_total}"
            print(f"round {number}: stock Faust {rate:,.0f}/s, durable {our_rate:,.0f}/s")
        print(
            f"G1c durable / stock = {median(ours) / median(stock):.2f}   (goal >= 3.5), {quiet()}"
        )


def _stock(bootstrap: str, directory: Path, number: int) -> tuple[float, Decimal]:
    environment = {
        **os.environ,
        "STOCK_BOOTSTRAP": bootstrap,
        "STOCK_NAME": f"stock-{number}",
        "STOCK_MESSAGES": str(MESSAGES),
        "STOCK_TOPIC": TOPIC,
    }
    with (directory / f"stock-{number}.log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.stock_faust_app"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert worker.stdout is not None
    deadline = time.monotonic() + 300
    try:
        for line in worker.stdout:
            assert time.monotonic() < deadline, "stock Faust did not drain the topic"
            if line.startswith("drained "):
                _, rate, total = line.split()
                return float(rate), Decimal(total)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait(30)
    raise AssertionError("stock Faust ended early")


if __name__ == "__main__":
    main()
