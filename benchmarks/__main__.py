"""Runs every benchmark, one after the other; `python -m benchmarks.latency` runs one."""

from benchmarks import latency, machine, restart, stock_faust, throughput

for each in (throughput, stock_faust, latency, restart, machine):
    print(f"--- {each.__name__}")
    each.main()
