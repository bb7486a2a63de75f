"""The worker on the Postgres log: what is appended is decided, published, and leased."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
import msgspec
import pytest

from agents.intakes import input_topics, make_intakes
from agents.parts import WorkerParts
from agents.worker import run_worker
from recon_streams.book.audit import audit_inputs
from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.breaker_desk.notary import BreakerNotary
from recon_streams.log.postgres_admin import PostgresAdmin
from recon_streams.log.postgres_probe import PostgresProbe
from recon_streams.log.postgres_reader import PostgresGroupPlan, PostgresReader
from recon_streams.log.postgres_writer import PostgresWriter
from recon_streams.log.record import OutgoingRecord
from recon_streams.log.topic_plan import TopicPlan
from recon_streams.positions.registry_store import DirectoryCache, apply_registry
from recon_streams.publisher.lease import LeaseTerms
from recon_streams.publisher.service import PublisherParts, run_publisher
from recon_streams.publisher.sink import TableRelay
from recon_streams.registry.definition import AccountDefinition, BankAccount, Opening
from recon_streams.testing.keys import new_key_ring
from recon_streams.testing.traffic import OPENING_MINOR, Plan, Traffic, bank_id_of, text_of
from topics.breaker import LeaseRecord
from topics.catalogue import CATALOGUE

pytestmark = pytest.mark.postgres


@dataclass
class House:
    pool: asyncpg.Pool
    writer: PostgresWriter
    probe: PostgresProbe

    async def settled(self, inputs: int) -> None:
        async with asyncio.timeout(60):
            while await self.pool.fetchval("SELECT count(*) FROM book.input") < inputs or (
                await self.pool.fetchval(
                    "SELECT count(*) FROM book.outbox WHERE published_at IS NULL"
                )
            ):
                await asyncio.sleep(0.05)


@pytest.fixture
async def house(database: str) -> AsyncIterator[House]:
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database, size_max=12)
    owner = await asyncpg.create_pool(database, min_size=1, max_size=2)
    names = [(c.name, c) for c in CATALOGUE] + [(a, c) for c in CATALOGUE for a in c.aliases]
    plans = [
        TopicPlan(
            name=n,
            partitions=1 if c.partitions == 1 else 2,
            config={"cleanup.policy": c.cleanup_policy},
        )
        for n, c in names
    ]
    await PostgresAdmin(owner).apply(plans)
    await owner.close()
    probe, writer = PostgresProbe(pool), PostgresWriter(pool)
    await probe.start()
    await writer.start()
    directories = DirectoryCache()
    stop = asyncio.Event()
    worker = asyncio.create_task(
        run_worker(
            WorkerParts(
                pool=pool,
                reader=PostgresReader(pool, PostgresGroupPlan(group="recon"), probe),
                probe=probe,
                intakes=make_intakes(directories),
                directories=directories,
                beat_seconds=0.2,
            ),
            stop,
        )
    )
    publisher = asyncio.create_task(
        run_publisher(
            PublisherParts(
                pool=pool,
                relay=TableRelay(writer),
                writer=writer,
                probe=probe,
                terms=LeaseTerms(renew_seconds=1),
                keys=new_key_ring(),
                notary=BreakerNotary(pool, None),
            ),
            "publisher-1",
        )
    )
    yield House(pool, writer, probe)
    stop.set()
    await worker
    publisher.cancel()
    await asyncio.gather(publisher, return_exceptions=True)
    await pool.close()


async def test_every_input_is_decided_once_and_the_audit_proves_it(house: House) -> None:
    traffic = Traffic(Plan(inputs=2_000, accounts=4))
    now = datetime.now(UTC)
    definitions = [
        AccountDefinition(
            account_id=account,
            currency="AED",
            scale=2,
            bank_accounts=(BankAccount(identification=bank_id_of(account)),),
            opening=Opening(
                as_of=traffic.plan.day,
                bank=Decimal(text_of(OPENING_MINOR)),
                ledger=Decimal(text_of(OPENING_MINOR)),
            ),
        )
        for account in traffic.accounts()
    ]
    await apply_registry(house.pool, definitions, source="test", actor="t", now=now)
    records = [OutgoingRecord(i.topic, i.key, i.value) for i in traffic]
    for start in range(0, len(records), 100):
        await house.writer.append(records[start : start + 100])
    await house.settled(len(records))
    rows = await house.pool.fetch(
        "SELECT account_id, bank FROM positions.account_state JOIN positions.account USING (number)"
    )
    assert {r["account_id"]: r["bank"] * 100 for r in rows} == dict(traffic.truth.bank_minor)
    audits = await audit_inputs(house.pool, house.probe, input_topics())
    assert [flaw for audit in audits for flaw in audit.flaws] == []
    assert sum(audit.records for audit in audits) == len(records)


async def test_the_lease_is_renewed_while_inputs_are_being_evaluated(house: House) -> None:
    async with asyncio.timeout(15):
        while not (found := (await house.probe.read_latest("recon.breaker")).get(b"_lease")):
            await asyncio.sleep(0.1)
    assert found.value is not None
    lease = msgspec.json.decode(found.value, type=LeaseRecord)
    assert 10_000 < lease.ttl_ms <= 15_000
    assert timedelta(0) < timedelta(seconds=1)
