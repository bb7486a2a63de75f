"""G8: what ten times the history does to a batch transaction. Our own figure is the baseline."""

import os
import statistics

import uvloop

from benchmarks.book_stage import Desk, book
from benchmarks.stage import quiet
from recon_streams.testing.traffic import Plan, Traffic

TOPIC = "bank.notifications"
HISTORY = int(os.environ.get("BENCH_HISTORY", "15000"))
BATCH = 100
MEASURED = 60


def main() -> None:
    uvloop.run(_main())


async def _main() -> None:
    inputs = 2 * (HISTORY * 10 + 2 * MEASURED * BATCH)
    traffic = Traffic(Plan(inputs=inputs, duplicate_share=0, broken_share=0, entries_max=1))
    messages = (made.value for made in traffic if made.topic == TOPIC)
    async with book(traffic.registry()) as pool:
        desk = Desk(pool, TOPIC)
        await desk.open()
        written, medians, worst = 0, [], []
        for history in (HISTORY, HISTORY * 10):
            while written < history:
                await desk.take([next(messages) for _ in range(500)])
                written += 500
            seconds = [
                await desk.take([next(messages) for _ in range(BATCH)]) for _ in range(MEASURED)
            ]
            written += MEASURED * BATCH
            medians.append(statistics.median(seconds))
            worst.append(sorted(seconds)[-2])
            print(f"history {history}: batch of {BATCH} p50 {medians[-1] * 1000:.1f} ms, "
                  f"p98 {worst[-1] * 1000:.1f} ms")  # fmt: skip
    print(f"G8  history x10: p50 {medians[1] / medians[0]:.2f} (goal <= 1.10), "
          f"p98 {worst[1] / worst[0]:.2f}, {quiet()}")  # fmt: skip


if __name__ == "__main__":
    main()
