"""Seeded bank days, told badly: the product's bank figure is the one an auditor finds."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import asyncpg
import pytest
from bank_auditor import audit
from bank_days import FIRST_DAY, OPENING, BankDays, Telling

from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.reading import read_record
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.disposition import Disposition
from recon_streams.log.record import Record
from recon_streams.positions.desk import PositionDesk
from recon_streams.positions.due import take_due
from recon_streams.positions.inputs import BankNotifications, BankReports, BankStatements
from recon_streams.positions.registry_store import DirectoryCache, apply_registry
from recon_streams.positions.state import state_from_bytes
from recon_streams.registry.definition import AccountDefinition, BankAccount, Opening

pytestmark = pytest.mark.postgres
SEEDS = range(40)
TOPICS = {
    "camt.052": "bank.reports",
    "camt.053": "bank.statements",
    "camt.054": "bank.notifications",
}
MIDNIGHT = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    yield pool
    await pool.close()


class Office:
    """Takes in messages, several at a time, as batches of their topics."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._directories = DirectoryCache()
        self._desks = {
            "camt.052": PositionDesk(BankReports(), self._directories),
            "camt.053": PositionDesk(BankStatements(), self._directories),
            "camt.054": PositionDesk(BankNotifications(), self._directories),
        }
        self._offset = 0

    async def register(self, days: BankDays) -> None:
        money = Decimal(OPENING).scaleb(-2)
        as_of = MIDNIGHT - timedelta(hours=1)
        definition = AccountDefinition(
            account_id=f"ACC-{days.seed}",
            currency="AED",
            scale=2,
            bank_accounts=(BankAccount(identification=days.bank_id),),
            opening=Opening(as_of=as_of, bank=money, ledger=money),
        )
        now = MIDNIGHT
        await apply_registry(self._pool, [definition], source="t", actor="t", now=now)

    async def take(self, tellings: list[Telling]) -> Counter[Disposition]:
        kind = tellings[0].message
        desk = self._desks[kind]
        readings = []
        for telling in tellings:
            self._offset += 1
            arrived = MIDNIGHT + timedelta(days=telling.at + int(telling.at) // 5 * 2)
            value = telling.xml.encode()
            record = Record(TOPICS[kind], 0, self._offset, b"k", value, (), arrived)
            readings.append(read_record(desk, record))
        async with UnitOfWork(self._pool) as unit:
            outcomes = await desk.decide(unit, readings)
        return Counter(outcome.disposition for outcome in outcomes)

    async def pass_time(self) -> None:
        """Let what waits for pages that never came wait no longer."""
        end = MIDNIGHT + timedelta(days=100)
        await self._pool.execute(
            "INSERT INTO book.stream (topic, part, first_offset, next_offset, through_at) "
            "VALUES ('t', 0, 0, 0, $1) ON CONFLICT DO NOTHING",
            end,
        )
        while await take_due(self._pool, self._directories, now=end):
            pass

    async def bank_minor(self, days: BankDays) -> tuple[int, int]:
        """Return the figure and how many payments are on record."""
        row = await self._pool.fetchrow(
            "SELECT s.state, (SELECT count(*) FROM positions.bank_entry AS e "
            "WHERE e.number = s.number) AS entries FROM positions.account_state AS s "
            "JOIN positions.account USING (number) WHERE account_id = $1",
            f"ACC-{days.seed}",
        )
        figure = state_from_bytes(row["state"]).bank.figure
        assert figure is not None
        return int(figure.scaleb(2)), row["entries"]


async def test_the_bank_figure_is_the_auditors_whatever_the_bank_does(pool: asyncpg.Pool) -> None:
    office, felt = Office(pool), Counter[Disposition]()
    for seed in SEEDS:
        days, chance = BankDays(seed), Random(seed)
        await office.register(days)
        waiting = list(days.tellings)
        while waiting:
            many = chance.randint(1, 4)
            batch = [waiting[0]]
            while len(batch) < min(many, len(waiting)):
                if waiting[len(batch)].message != batch[0].message:
                    break
                batch.append(waiting[len(batch)])
            del waiting[: len(batch)]
            felt += await office.take(batch)
        await office.pass_time()
        opinion = audit(days.tellings)
        assert await office.bank_minor(days) == (opinion.bank, len(opinion.heard)), f"seed {seed}"
    for each in (Disposition.APPLIED, Disposition.DUPLICATE, Disposition.QUARANTINED):
        assert felt[each] > 10, felt
