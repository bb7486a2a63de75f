"""Seeded days of banks and ledgers, end to end: each closed day says what an auditor finds."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
import msgspec
import pytest
from bank_days import FIRST_DAY, OPENING, BankDays, text_of
from closing_auditor import AuditedDay, audit_day, is_half_told
from ledger_days import Movement, ledger_of

from recon_streams.book.connection import Session, open_pool
from recon_streams.book.migrate import migrate
from recon_streams.book.reading import read_record
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.closing import store
from recon_streams.closing.by_matching import ByMatching
from recon_streams.closing.run import Became, DayRun, run_day
from recon_streams.closing.turn import turn
from recon_streams.kernel.calendars import Calendars
from recon_streams.log.record import Record
from recon_streams.matching.rules import MatchingRules, ReferencePass
from recon_streams.positions.desk import PositionDesk
from recon_streams.positions.due import take_due
from recon_streams.positions.inputs import (
    BankNotifications,
    BankReports,
    BankStatements,
    LedgerMovements,
)
from recon_streams.positions.registry_store import DirectoryCache, apply_registry
from recon_streams.registry.definition import AccountDefinition, BankAccount, Opening
from recon_streams.reports.account_day import AccountDay
from recon_streams.reports.totals import explains

pytestmark = pytest.mark.postgres
SEEDS = range(40)
DAYS = 6
THE_END = 50.0
MIDNIGHT = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC)
INPUTS = {
    "camt.052": BankReports(),
    "camt.053": BankStatements(),
    "camt.054": BankNotifications(),
    "ledger": LedgerMovements(),
}
RULES = MatchingRules(
    references=(
        ReferencePass(name="uetr", bank="uetr", ledger="uetr"),
        ReferencePass(name="bank", bank="servicer_reference", ledger="bank_reference"),
    )
)


class World:
    """Accounts, one for each seed, whose messages come in the order of their time."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self.banks = {seed: BankDays(seed, days=DAYS) for seed in SEEDS}
        self.ledgers = {seed: ledger_of(days) for seed, days in self.banks.items()}
        self._directories = DirectoryCache()
        self._offset = 0

    async def register(self) -> None:
        money = Decimal(OPENING).scaleb(-2)
        opening = Opening(as_of=MIDNIGHT - timedelta(hours=1), bank=money, ledger=money)
        definitions = [
            AccountDefinition(
                account_id=f"ACC-{seed:02}",
                currency="AED",
                scale=2,
                bank_accounts=(BankAccount(identification=days.bank_id),),
                opening=opening,
            )
            for seed, days in self.banks.items()
        ]
        await apply_registry(self.pool, definitions, source="t", actor="t", now=MIDNIGHT)

    async def deliver(self, since: float, until: float) -> None:
        """Take in everything that is told in between, many of one kind at a time."""
        told: list[tuple[float, str, bytes]] = [
            (telling.at, telling.message, telling.xml.encode())
            for days in self.banks.values()
            for telling in days.tellings
            if since <= telling.at < until
        ]
        told += [
            (movement.at, "ledger", _movement(self.banks[seed], movement))
            for seed, movements in self.ledgers.items()
            for movement in movements
            if since <= movement.at < until
        ]
        told.sort(key=lambda each: each[0])
        while told:
            kind = told[0][1]
            many = next((n for n, each in enumerate(told) if each[1] != kind), len(told))
            batch, told = told[: min(many, 20)], told[min(many, 20) :]
            await self._take(kind, batch)

    async def _take(self, kind: str, batch: Iterable[tuple[float, str, bytes]]) -> None:
        desk = PositionDesk(INPUTS[kind], self._directories)
        readings = []
        for at, _, value in batch:
            self._offset += 1
            record = Record(INPUTS[kind].name, 0, self._offset, b"k", value, (), _instant(at))
            readings.append(read_record(desk, record))
        async with UnitOfWork(self.pool) as unit:
            await desk.decide(unit, readings)

    def audited(self, seed: int, day: int, until: float) -> AuditedDay | None:
        """Return what an auditor finds; None while pages are on their way, as nobody can say."""
        tellings = [each for each in self.banks[seed].tellings if each.at < until]
        if until < THE_END and is_half_told(tellings):
            return None
        movements = [each for each in self.ledgers[seed] if each.at < until]
        return audit_day(day, tellings, movements)

    async def run(self, day: int, at: datetime, name: str) -> dict[str, tuple[AccountDay, bool]]:
        """Return by account what is kept of the day, and whether it is a new version."""
        on = self.banks[0].date_of(day)
        wanted = DayRun(on=on, accounts=None, at=at, run=name)
        async with turn(self.pool) as unit:
            result = await run_day(unit, Calendars(), ByMatching(_rules), wanted)
        found = await store.snapshots(self.pool, on)
        days = [msgspec.json.decode(each.content, type=AccountDay) for each in found.values()]
        new = {each.name for each in result.accounts if each.became is not Became.UNCHANGED}
        return {day.account_id: (day, f"{day.account_id} AED" in new) for day in days}


async def _rules(_: Session) -> MatchingRules:
    return RULES


def _instant(at: float) -> datetime:
    return MIDNIGHT + timedelta(days=at + int(at) // 5 * 2)


def _movement(days: BankDays, movement: Movement) -> bytes:
    payment = movement.payment
    said = {
        "kind": "issue" if movement.minor > 0 else "redeem",
        "movement_id": f"L{movement.sequence}",
        "account_id": f"ACC-{days.seed:02}",
        "currency": "AED",
        "amount": text_of(abs(movement.minor)),
        "ledger_sequence": movement.sequence,
        "occurred_at": f"{days.date_of(movement.day)}T00:00:00Z",
    }
    if payment.how == "uetr":
        said["uetr"] = f"{days.seed:08x}-0000-4000-a000-{payment.number:012x}"
    if payment.how == "servicer":
        said["bank_reference"] = f"SVC-{days.seed}-{payment.number}"
    return msgspec.json.encode(said)


def _said(day: AccountDay) -> AuditedDay:
    def minor(amount: str | None) -> int | None:
        return None if amount is None else int(Decimal(amount).scaleb(2))

    items = [
        (item.kind.value, int(explains(item.leg, item.amount).scaleb(2))) for item in day.items
    ]
    ledger = minor(day.ledger_at_cut_off)
    assert ledger is not None
    return AuditedDay(
        bank=minor(day.bank_closing),
        ledger=ledger,
        proof=minor(day.proof),
        items=tuple(sorted(items)),
        is_whole=False,
    )


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database)
    world = World(pool)
    await world.register()
    yield world
    await pool.close()


async def test_each_closed_day_says_what_the_auditor_finds(world: World) -> None:
    felt: Counter[str] = Counter()
    since = -1.0
    # Looked at each evening, when much is still to come, and once when all has come.
    for until in (*(n + 1.05 for n in range(DAYS)), THE_END):
        await world.deliver(since, until)
        since = until
        if until == THE_END:
            await _let_time_pass(world.pool)
        for day in range(min(int(until), DAYS)):
            found = await world.run(day, _instant(until), f"{until} {day}")
            for seed in SEEDS:
                kept, is_new = found[f"ACC-{seed:02}"]
                expected = world.audited(seed, day, until)
                if expected is not None:
                    _compare(_said(kept), expected, (seed, day, until), is_new=is_new)
                    felt["whole"] += expected.is_whole
                    proof = "none" if kept.proof is None else "broken"
                    felt["zero" if kept.proof == "0" else proof] += 1
                    felt.update(kind for kind, _ in expected.items)
    for each in ("zero", "whole", "broken", "ANNOUNCED_NOT_STATED", "MATCHED_LATER", "none"):
        assert felt[each] > 2, felt


def _compare(said: AuditedDay, expected: AuditedDay, where: object, *, is_new: bool) -> None:
    assert (said.bank, said.ledger) == (expected.bank, expected.ledger), where
    if expected.bank is None:
        return
    # What was outstanding and has found its partner by now makes no other version of a day.
    assert sum(amount for _, amount in said.items) == sum(a for _, a in expected.items), where
    assert not is_new or said.items == expected.items, where
    assert said.proof == expected.proof, where
    assert not expected.is_whole or said.proof == 0, where


async def _let_time_pass(pool: asyncpg.Pool) -> None:
    """Let what waits for pages that never came wait no longer."""
    end = MIDNIGHT + timedelta(days=100)
    await pool.execute(
        "INSERT INTO book.stream (topic, part, first_offset, next_offset, through_at) "
        "VALUES ('t', 0, 0, 0, $1) ON CONFLICT DO NOTHING",
        end,
    )
    while await take_due(pool, DirectoryCache(), now=end):
        pass
