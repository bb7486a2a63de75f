"""What SREs see: metrics by the rules, health over a real socket, log lines without strangers."""

import re

import aiohttp
import pytest
from structlog.testing import capture_logs

from recon_streams.runtime.health import SideServer
from recon_streams.runtime.metrics import Metrics
from recon_streams.runtime.problems import AddressInUse
from recon_streams.runtime.telemetry import Telemetry, allow_listed
from recon_streams.runtime.watchdog import Standing, is_stalled, stands_since


async def test_health_is_served_before_anything_else_runs() -> None:
    server = SideServer("127.0.0.1", 0, Metrics())
    server.add_check("book", lambda: "not reachable")
    await server.start()
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{server.address}/livez") as answer:
            assert answer.status == 200
        async with session.get(f"{server.address}/readyz") as answer:
            assert answer.status == 503
            assert await answer.json() == {"book": "not reachable"}
        async with session.get(f"{server.address}/startupz") as answer:
            assert answer.status == 503
        server.turned_at -= 60
        async with session.get(f"{server.address}/livez") as answer:
            assert answer.status == 503
        async with session.get(f"{server.address}/metrics") as answer:
            assert b"recon_build_info" in await answer.read()
    other = SideServer("127.0.0.1", int(server.address.rpartition(":")[2]), Metrics())
    with pytest.raises(AddressInUse, match=r"telemetry\.port"):
        await other.start()
    await server.stop()


def test_every_metric_keeps_the_rules_of_prometheus() -> None:
    text = Metrics().exposition().decode()
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    helps = dict(re.findall(r"^# HELP (\S+) (.+)$", text, re.MULTILINE))
    assert len(kinds) > 20
    for name, kind in kinds.items():
        if name.endswith("_created"):
            continue
        assert name.startswith("recon_"), name
        assert helps[name], name
        assert (kind == "counter") == name.endswith("_total"), name
        assert not re.search(r"millisecond|minute|_ms(_|$)", name), name


def test_every_label_set_is_there_from_the_start() -> None:
    text = Metrics().exposition().decode()
    assert 'recon_positions{tier="CRITICAL"} 0.0' in text
    assert 'recon_breaker_scopes{state="OPEN"} 0.0' in text
    assert 'recon_quarantined_total{reason="ID_CONFLICT",source="ledger.balances"} 0.0' in text


def test_a_log_line_keeps_only_the_keys_it_may_have() -> None:
    line = allow_listed(None, "info", {"event": "x", "topic": "t", "name": "A Person"})
    assert line == {"event": "x", "topic": "t", "dropped_keys": 1}


def test_one_call_writes_the_line_and_moves_the_metric() -> None:
    metrics = Metrics()
    with capture_logs() as lines:
        Telemetry(metrics).lease_decided("EVALUATION_BEHIND", 15)
    assert lines[0]["reason"] == "EVALUATION_BEHIND"
    sample = 'recon_breaker_lease_refusals_total{reason="EVALUATION_BEHIND"} 1.0'
    assert sample in metrics.exposition().decode()


def test_a_position_that_stands_still_while_records_wait_is_a_stall() -> None:
    standing = stands_since(None, position=5, lag=3, now=0)
    standing = stands_since(standing, position=5, lag=3, now=59)
    assert not is_stalled(standing, lag=3, now=59, limit_seconds=60)
    assert is_stalled(standing, lag=3, now=60, limit_seconds=60)


def test_nothing_waiting_or_anything_moving_is_no_stall() -> None:
    assert not is_stalled(Standing(5, 0), lag=0, now=1_000, limit_seconds=60)
    assert stands_since(Standing(5, 0), position=6, lag=3, now=50).since == 50
    assert stands_since(Standing(5, 0), position=5, lag=0, now=50).since == 50
