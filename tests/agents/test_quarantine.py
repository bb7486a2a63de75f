"""What could not be used waits with its bytes, is told to people, and is decided once it can be."""

import asyncio
import json
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.intakes import by_topic, make_intakes
from agents.parts import WorkerParts
from agents.registration import register
from agents.up import installed
from agents.worker import run_worker
from recon_streams.book import quarantine
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.breaker_desk.notary import BreakerNotary
from recon_streams.kernel.disposition import Disposition
from recon_streams.log.postgres_reader import PostgresGroupPlan, PostgresReader
from recon_streams.log.record import OutgoingRecord, TopicPartition
from recon_streams.positions.event import event_from_bytes
from recon_streams.positions.registry_store import DirectoryCache, apply_registry
from recon_streams.positions.state import state_from_bytes
from recon_streams.publisher.lease import LeaseTerms
from recon_streams.publisher.service import PublisherParts, run_publisher
from recon_streams.registry.file import load_accounts
from recon_streams.runtime.exit_codes import ExitCode
from recon_streams.runtime.settings import load_settings
from recon_streams.testing.keys import new_key_ring
from topics.alerts import Alert

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]

BANK, MOVEMENTS = TopicPartition("bank.notifications", 1), TopicPartition("ledger.movements", 1)
BALANCES = TopicPartition("ledger.balances", 1)
Stack = Any  # of the conftest


@pytest.fixture
async def served(fresh_stack: Stack) -> AsyncIterator[Stack]:
    """An installation and its worker."""
    worker = fresh_stack.installation.worker()
    worker.start(None)
    yield fresh_stack
    worker.signal(15)
    assert await asyncio.to_thread(worker.running.wait, 30) == ExitCode.OK
    assert "Traceback" not in worker.log.read_text()


@pytest.fixture
async def pool_beside(database_beside: str) -> AsyncIterator[Any]:
    """A second book, empty."""
    await asyncio.to_thread(migrate, database_beside)
    pool = await open_pool(database_beside)
    yield pool
    await pool.close()


@pytest.fixture
async def working(fresh_stack: Stack, pool_beside: Any) -> AsyncIterator[Callable[[Any], None]]:
    """Return what starts a worker on the log of `fresh_stack` for a book; a publisher runs."""
    assert pool_beside, "asked for here so that it is closed after the workers have stopped"
    stop = asyncio.Event()
    workers: list[asyncio.Task[None]] = []
    publisher = asyncio.create_task(run_publisher(_publisher(fresh_stack), "publisher-1"))
    yield lambda pool: workers.append(
        asyncio.create_task(run_worker(_parts(fresh_stack, pool), stop))
    )
    stop.set()
    await asyncio.gather(*workers)
    publisher.cancel()
    await asyncio.gather(publisher, return_exceptions=True)


@pytest.fixture
def data_directory() -> Iterator[Path]:
    # Not below pytest's directory: the user that runs the server cannot pass through it.
    with tempfile.TemporaryDirectory(prefix="recon-up-") as made:
        Path(made).chmod(0o711)
        yield Path(made)


async def command(stack: Stack, *words: str, code: int = 0, **environment: str) -> str:
    done = await asyncio.to_thread(stack.installation.command, *words, code=code, **environment)
    said: str = done.stdout
    return said


HOSTILE = b"[/red]\\u001b]0;owned\\u0007"


async def test_what_waits_is_listed_shown_and_tried_again(served: Stack) -> None:
    stack = served
    key, good = stack.good(MOVEMENTS)
    bad = json.dumps({**json.loads(good), "amount": "@@"}).encode()
    bad = bad.replace(b"@@", HOSTILE)
    _, offset = await stack.append(MOVEMENTS.topic, key, bad)
    _, large = await stack.append(BANK.topic, key, _widened(stack.good(BANK)[1]))
    _, escaping = await stack.append(BANK.topic, key, b"\x1b]0;owned\x07\x1b[2J\xff")
    for partition, at in ((MOVEMENTS, offset), (BANK, large), (BANK, escaping)):
        await stack.decided(partition, at)

    listed = json.loads(await command(stack, "quarantine", "list", "-o", "json"))
    by_place = {each["place"]: each for each in listed}
    found = by_place[f"ledger.movements/1/{offset}"]
    assert (found["code"], found["field"]) == ("INVALID_AMOUNT", "/amount")
    assert "digits" in found["rule"]
    table = await command(stack, "quarantine", "list", COLUMNS="200")
    assert "INVALID_AMOUNT" in table
    assert "[/red]" in table, "what was found is shown as it is, and styles nothing"
    unseen = by_place[f"bank.notifications/1/{escaping}"]["quarantine_id"]
    shown = await command(stack, "quarantine", "show", str(unseen))
    assert "\x1b" not in shown
    assert "\\x1b]0;owned\\x07" in shown
    assert "\\xff" in shown

    # Nothing was mended: the same reasons again, under new ids, and the old ones are answered.
    tried = str(found["quarantine_id"])
    by_code = ("quarantine", "replay", "--code", "TOO_LARGE")
    await command(stack, *by_code, tried, code=ExitCode.PARTIAL)
    everything = json.loads(await command(stack, "quarantine", "list", "--all", "-o", "json"))
    for place in (found["place"], f"bank.notifications/1/{large}"):
        same = [each["is_answered"] for each in everything if each["place"] == place]
        assert same == [True, False]
    # What waits for a larger limit is decided once there is one, and not before.
    larger = "12100000"
    assert "APPLIED" in await command(stack, *by_code, RECON__LIMITS__MESSAGE_BYTES_MAX=larger)
    row = await stack.decided(BANK, large)
    assert row["disposition"] == Disposition.APPLIED
    assert await stack.flaws() == []


async def test_a_reference_cannot_break_what_people_read(served: Stack) -> None:
    stack = served
    key, good = stack.good(MOVEMENTS)
    record = {**json.loads(good), "kind": "hold", "reference": "[/bold][link=file:///]"}
    _, offset = await stack.append(MOVEMENTS.topic, key, json.dumps(record).encode())
    assert (await stack.decided(MOVEMENTS, offset))["disposition"] == Disposition.APPLIED
    assert "[/bold]" in (await command(stack, "status", COLUMNS="250")).replace("\n", "")
    assert record["account_id"] in await command(stack, "explain", record["account_id"])


@pytest.mark.parametrize("streams", [(BANK,), (MOVEMENTS,), (BANK, MOVEMENTS, BALANCES)])
async def test_replay_after_a_fix_gives_the_state_as_if_it_had_been_right_at_first(
    fresh_stack: Stack,
    pool_beside: Any,
    working: Callable[[Any], None],
    streams: tuple[TopicPartition, ...],
) -> None:
    stack = fresh_stack
    late = stack.installation.directory / "late.yaml"
    text = (
        stack.installation.traffic.registry()
        .replace("STORM-", "LATE-")
        .replace("BANK-", "LATE-BANK-")
    )
    late.write_text(text)
    definitions = load_accounts(late)
    working(stack.pool)
    places = [await _append_late(stack, partition) for _ in range(3) for partition in streams]
    for partition, offset in places:
        row = await stack.decided(partition, offset)
        assert [code for code, _ in row["held"]] == ["UNKNOWN_ACCOUNT"]
    # One for each cause, however many inputs there are of it.
    begun = await _alerts(stack, len(streams))
    assert [alert.action for alert in begun] == ["trigger"] * len(streams)

    change, outcomes = await register(
        stack.pool, definitions, by_topic(make_intakes(DirectoryCache())), source="t", actor="t"
    )
    assert len(change.registered) == len(definitions)
    assert {outcome.disposition for outcome in outcomes.values()} == {Disposition.APPLIED}
    ends = (await _alerts(stack, 2 * len(streams)))[len(streams) :]
    assert [alert.action for alert in ends] == ["resolve"] * len(streams)
    assert {alert.dedup_key for alert in ends} == {
        f"quarantine:{topic}/1:UNKNOWN_ACCOUNT" for topic, _ in streams
    }
    assert await stack.flaws() == []

    # A second book reads the same log, and knew the accounts before the first message.
    beside = pool_beside
    # At the same instant as in the end: a state knows the newest instant it has seen.
    newest = await stack.pool.fetchval(
        "SELECT event FROM positions.account_event WHERE sequence = 1 ORDER BY number DESC LIMIT 1"
    )
    registered_at = event_from_bytes(newest).at
    await apply_registry(
        beside,
        load_accounts(stack.installation.directory / "accounts.yaml"),
        source="t",
        actor="t",
        now=datetime.now(UTC),
    )
    await apply_registry(beside, definitions, source="t", actor="t", now=registered_at)
    working(beside)
    async with asyncio.timeout(20):
        while await beside.fetchval("SELECT count(*) FROM book.input") < len(places):
            await asyncio.sleep(0.05)
    found, expected = await _states(stack.pool), await _states(beside)
    if len(streams) > 1:
        # No order is promised between streams. Where a position ends does not depend on it; what
        # its breaker went through, and which input moved a side last, does.
        found, expected = map(_without_history, (found, expected))
    assert found == expected


async def test_what_waited_is_decided_when_up_registers_its_account(
    fresh_stack: Stack, data_directory: Path
) -> None:
    stack = fresh_stack
    settings = load_settings(None, {}, {"telemetry.port": 0})
    definitions = load_accounts(stack.installation.directory / "accounts.yaml")
    key, value = stack.good(BANK)
    async with installed(data_directory, settings) as machine:
        stop = asyncio.Event()
        serving = asyncio.create_task(machine.house.serve(stop))
        await machine.logs.writer.append([OutgoingRecord(BANK.topic, key, value)])
        async with asyncio.timeout(20):
            while not await machine.pool.fetchval("SELECT count(*) FROM book.quarantine"):
                await asyncio.sleep(0.05)
        stop.set()
        await serving
    async with installed(data_directory, settings, definitions) as machine:
        dispositions = await machine.pool.fetch("SELECT disposition FROM book.input")
        assert [each["disposition"] for each in dispositions] == ["APPLIED"]
        assert not await quarantine.read(machine.pool, everything=False)


def _parts(stack: Stack, pool: Any) -> WorkerParts:
    directories = DirectoryCache()
    return WorkerParts(
        pool=pool,
        reader=PostgresReader(
            stack.owner, PostgresGroupPlan(group=secrets.token_hex(4)), stack.logs.probe
        ),
        probe=stack.logs.probe,
        intakes=make_intakes(directories),
        directories=directories,
        beat_seconds=0.2,
    )


def _publisher(stack: Stack) -> PublisherParts:
    return PublisherParts(
        pool=stack.pool,
        relay=stack.logs.relay,
        writer=stack.logs.writer,
        probe=stack.logs.probe,
        terms=LeaseTerms(renew_seconds=1),
        keys=new_key_ring(),
        notary=BreakerNotary(stack.pool, None),
    )


def _widened(message: bytes) -> bytes:
    """Return `message` with as much space in it as makes it too large."""
    return message.replace(b"<Ntfctn>", b"<Ntfctn>" + b" " * 6_000_000) + b" " * 6_000_000


async def _append_late(stack: Stack, partition: TopicPartition) -> tuple[TopicPartition, int]:
    """Append a record about an account that nobody has registered yet."""
    key, value = stack.good(partition)
    value = value.replace(b"BANK-", b"LATE-BANK-").replace(b"STORM-", b"LATE-")
    place: tuple[TopicPartition, int] = await stack.append(partition.topic, key, value)
    return place


async def _alerts(stack: Stack, count: int) -> list[Alert]:
    """Return the alerts about quarantine on `recon.alerts` once there are `count`."""
    place = TopicPartition("recon.alerts", 0)
    async with asyncio.timeout(20):
        while True:
            end = (await stack.logs.probe.end_offsets([place]))[place]
            read = [
                msgspec.json.decode(record.value or b"", type=Alert)
                async for record in stack.logs.probe.read(place, 0, end)
            ]
            found = [alert for alert in read if alert.alert_class == "QUARANTINE"]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.05)


async def _states(pool: Any) -> dict[str, bytes]:
    rows = await pool.fetch(
        "SELECT account_id, state FROM positions.account_state JOIN positions.account "
        "USING (number) WHERE account_id LIKE 'LATE-%'"
    )
    return {row["account_id"]: row["state"] for row in rows}


def _without_history(states: dict[str, bytes]) -> dict[str, bytes]:
    found = {}
    for account, state in states.items():
        read = msgspec.to_builtins(state_from_bytes(state))
        del read["breaker"]
        for side in ("bank", "ledger"):
            read[side].pop("evidence", None)
        found[account] = msgspec.json.encode(read)
    return found
