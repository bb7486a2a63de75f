"""A book, a log and the intakes of a worker, moved by hand: a test says when anything happens."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec
import pytest
from asyncpg import Record as Row

from agents.commit import commit_batch
from agents.instants import Beside
from agents.intakes import make_intakes
from agents.logs import topic_plans
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.reading import read_batch
from recon_streams.book.streams import open_positions
from recon_streams.connectors.file import connectors_of
from recon_streams.connectors.http import HttpConnector
from recon_streams.connectors.poller import PollerParts, poll_for_ever
from recon_streams.kernel.calendars import Calendars
from recon_streams.kernel.clock import utc_now
from recon_streams.log.postgres_admin import PostgresAdmin
from recon_streams.log.postgres_probe import PostgresProbe
from recon_streams.log.postgres_writer import PostgresWriter
from recon_streams.log.record import Batch, OutgoingRecord, TopicPartition
from recon_streams.positions.registry_store import DirectoryCache, apply_registry
from recon_streams.positions.rolling import Past, Rolling, push
from recon_streams.publisher.sink import TableRelay
from recon_streams.registry.calendar_file import load_calendars
from recon_streams.registry.definition import (
    AccountDefinition,
    AccountLimits,
    AccountSweep,
    BankAccount,
    Opening,
)
from recon_streams.runtime.yaml_source import parse_yaml
from recon_streams.schedule.scheduler import tick_record
from recon_streams.sweeps.sweep import TableState
from recon_streams.sweeps.table import RollingView
from recon_streams.sweeps.terms import SweepTerms
from recon_streams.testing.stub_bank import StubBank
from topics.positions import Position
from topics.ticks import SweepTick, Tick

PARTITIONS = 2
_CALENDARS: list[Calendars] = []


class Table:
    """What the rolling table of a worker keeps, without a worker."""

    def __init__(self) -> None:
        self.rows: dict[str, Rolling] = {}

    def get(self, key: str) -> Rolling | None:
        return self.rows.get(key)

    def put(self, key: str, news: Past | Position) -> bool:
        self.rows[key] = push(self.rows.get(key), news)
        return True


@dataclass
class Desk:
    """Everything between a tick and a verdict."""

    pool: asyncpg.Pool
    bank: StubBank
    terms: SweepTerms = field(
        default_factory=lambda: SweepTerms(confirm_after=timedelta(milliseconds=1))
    )
    table: Table = field(default_factory=Table)
    compared: list[TableState] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    polling: "asyncio.Task[None] | None" = None
    dsn: str = ""

    def __post_init__(self) -> None:
        self.writer = PostgresWriter(self.pool)
        self.probe = PostgresProbe(self.pool)
        self.view = RollingView(self.compared.append)
        self.view.attach(self.table)
        if not _CALENDARS:
            _CALENDARS.append(load_calendars())
        beside = Beside(terms=self.terms, view=self.view, calendars=_CALENDARS[0])
        self.intakes = make_intakes(DirectoryCache(), None, beside)

    async def register(self, *accounts: AccountDefinition) -> None:
        await apply_registry(self.pool, accounts, source="test", actor="test", now=utc_now())
        await self.relay()

    async def append(self, topic: str, key: str, value: bytes) -> None:
        await self.writer.append([OutgoingRecord(topic, key.encode(), value)])

    async def moved(self, account: str, amount: str) -> None:
        """Let the ledger move by `amount`."""
        number = next(self.numbers)
        direction = "out" if amount.startswith("-") else "in"
        movement = {
            "kind": "adjustment",
            "movement_id": f"m-{number}",
            "account_id": account,
            "currency": "AED",
            "ledger_sequence": number,
            "amount": amount.removeprefix("-"),
            "direction": direction,
            "occurred_at": utc_now().isoformat(),
            "reason": "test",
        }
        await self.append("ledger.movements", account, msgspec.json.encode(movement))
        await self.decide("ledger.movements")

    async def tick(self, tick: Tick, key: str) -> None:
        """Let a tick come and be decided."""
        await self.writer.append([tick_record(key, tick)])
        await self.decide("recon.ticks")

    async def sweep(self, account: str = "A", *, due_at: datetime | None = None) -> Row:
        """Sweep an account out of turn; return what was found, the bank's answer included."""
        request = f"r-{next(self.numbers)}"
        tick = SweepTick(
            account_id=account, currency="AED", due_at=due_at or utc_now(), request_id=request
        )
        await self.tick(tick, f"account:{account}:AED")
        async with asyncio.timeout(15):
            while True:
                row = await self.pool.fetchrow(
                    "SELECT * FROM sweeps.sweep WHERE request_id = $1", request
                )
                if row is not None and row["state"] == "DECIDED":
                    return row
                assert self.polling is not None, "nobody asks the bank here"
                if self.polling.done():
                    self.polling.result()
                await asyncio.sleep(0.02)
                await self.decide("bank.balances")

    async def sweeps(self) -> list[Row]:
        return await self.pool.fetch("SELECT * FROM sweeps.sweep ORDER BY due_at, number")

    async def decide(self, topic: str) -> int:
        """Decide what waits in `topic`, then tell the table; return how many it were."""
        count = 0
        for part in range(PARTITIONS):
            partition = TopicPartition(topic, part)
            first = (await open_positions(self.pool, {partition: 0}))[partition]
            until = (await self.probe.end_offsets([partition]))[partition]
            records = tuple([each async for each in self.probe.read(partition, first, until)])
            if not records:
                continue
            batch = Batch(*partition, first, until, records)
            intake = self.intakes[topic]
            await commit_batch(self.pool, intake, batch, await read_batch(intake, batch))
            count += len(records)
        await self.relay()
        return count

    async def relay(self) -> None:
        """Carry what was decided to the log, and from there to the table."""
        relay = TableRelay(self.writer)
        while sent := await relay.relay(self.pool, rows_max=1000):
            for each in sent:
                if each.record.topic == "recon.positions" and each.record.value is not None:
                    assert each.record.key is not None
                    position = msgspec.json.decode(each.record.value, type=Position)
                    self.table.put(each.record.key.decode(), position)

    async def found(self) -> dict[str, str]:
        """Return the kinds of discrepancies there are, and the state of each."""
        rows = await self.pool.fetch("SELECT kind, state FROM discrepancies.discrepancy")
        return {row["kind"]: row["state"] for row in rows}

    def poll(self, file: str | None = None) -> None:
        """Begin to ask the bank."""
        terms = connectors_of(parse_yaml("connectors.yaml", file or self.bank.file))
        parts = PollerParts(
            pool=self.pool,
            writer=self.writer,
            connectors={each.name: HttpConnector(each) for each in terms},
            concurrency=64,
        )
        self.polling = asyncio.create_task(poll_for_ever(parts))

    async def stop(self) -> None:
        if self.polling is not None:
            self.polling.cancel()
            await asyncio.wait([self.polling])


def account(
    name: str = "A",
    *,
    bank: str | None = "1000000",
    ledger: str = "1000000",
    connector: str | None = None,
    every: int = 30,
    **limits: Any,
) -> AccountDefinition:
    return AccountDefinition(
        account_id=name,
        currency="AED",
        scale=2,
        bank_accounts=(BankAccount(identification=f"BANK-{name}"),),
        limits=AccountLimits(**limits),
        sweep=AccountSweep(every_minutes=every, connector=connector),
        opening=Opening(
            as_of=utc_now(),
            bank=None if bank is None else Decimal(bank),
            ledger=Decimal(ledger),
        ),
    )


@pytest.fixture
def make_account() -> Any:
    return account


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    await PostgresAdmin(pool).apply(topic_plans(partitions=PARTITIONS))
    bank = StubBank()
    await bank.start()
    desk = Desk(pool, bank, dsn=database)
    yield desk
    await desk.stop()
    await bank.stop()
    await pool.close()
