"""Runs every benchmark, one after the other; `python -m benchmarks.latency` runs one."""

from benchmarks import (
    large_file,
    latency,
    latency_embedded,
    machine,
    reader,
    restart,
    stock_faust,
    sweeps,
    throughput,
)

for each in (
    reader,
    large_file,
    throughput,
    stock_faust,
    latency,
    latency_embedded,
    restart,
    machine,
    sweeps,
):
    print(f"--- {each.__name__}")
    each.main()
