"""Runs every benchmark, one after the other; `python -m benchmarks.latency` runs one."""

from benchmarks import (
    entries,
    history,
    large_file,
    large_statement,
    latency,
    latency_embedded,
    machine,
    matching,
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
    entries,
    history,
    sweeps,
    matching,
    large_statement,
):
    print(f"--- {each.__name__}")
    each.main()
