"""Leases are written one after the other, and none follows on one that nobody may have."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest
from typing_extensions import override

from recon_streams.log.errors import LogUnreachable
from recon_streams.log.postgres_writer import PostgresWriter
from recon_streams.log.record import Appended, OutgoingRecord
from recon_streams.publisher.announcing import Announcer, NoPermits
from recon_streams.publisher.lease import LeaseAnswer, LeaseRefusal, LeaseTerms
from recon_streams.publisher.lender import Lender
from recon_streams.testing.keys import new_key_ring
from topics.breaker import LEASE_KEY, StateHead

pytestmark = pytest.mark.postgres

Book = Any  # of the conftest
TERMS = LeaseTerms(renew_seconds=3)
HEAD = StateHead(offset=0, seq=1)


class Unsure(PostgresWriter):
    """Appends, and now and then does not hear that it did."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        super().__init__(pool)
        self.is_deaf = False

    @override
    async def append(self, records: Sequence[OutgoingRecord]) -> list[Appended]:
        places = await super().append(records)
        if self.is_deaf:
            raise LogUnreachable("the log", 1)
        return places


class Lending:
    """A publisher's lender, and the writer it writes with."""

    def __init__(self, book: Book, epoch: int) -> None:
        self.writer = Unsure(book.pool)
        announcer = Announcer(new_key_ring().signer, NoPermits())
        self.lender = Lender(
            book.pool,
            self.writer,
            TERMS,
            publisher=("p", epoch),
            announcing=(announcer, NoPermits()),
        )

    async def lend(self, book: Book) -> LeaseAnswer:
        await book.decide_through()
        return await self.lender.lend(HEAD)


async def test_a_new_publisher_lends_only_after_it_has_seen_the_evaluation_move(
    book: Book, epoch: int
) -> None:
    lending = Lending(book, epoch)
    assert (await lending.lend(book)).refused is LeaseRefusal.EVALUATION_STANDS
    assert (await lending.lend(book)).refused is None


async def test_a_new_publisher_writes_two_leases_so_that_the_second_follows_on_one(
    book: Book, epoch: int
) -> None:
    lending = Lending(book, epoch)
    await lending.lend(book)
    await lending.lend(book)
    assert [each.lease_seq for each in await book.leases()] == [1, 2]
    await lending.lend(book)
    assert [each.lease_seq for each in await book.leases()] == [1, 2, 3]
    assert {each.publisher_epoch for each in await book.leases()} == {epoch}


async def test_no_lease_follows_on_one_of_which_nobody_knows_whether_it_was_written(
    book: Book, epoch: int
) -> None:
    lending = Lending(book, epoch)
    await lending.lend(book)
    await lending.lend(book)
    lending.writer.is_deaf = True
    assert (await lending.lend(book)).refused is LeaseRefusal.LOG_SILENT
    lending.writer.is_deaf = False
    await lending.lend(book)
    # 3 is on the log as it happens, and 4 is not, so that nothing follows on 3.
    assert [each.lease_seq for each in await book.leases()] == [1, 2, 3, 5, 6]


async def test_a_log_that_stays_silent_ends_the_publisher(book: Book, epoch: int) -> None:
    lending = Lending(book, epoch)
    await lending.lend(book)
    lending.writer.is_deaf = True
    assert (await lending.lend(book)).refused is LeaseRefusal.LOG_SILENT
    assert (await lending.lend(book)).refused is LeaseRefusal.LOG_SILENT
    with pytest.raises(LogUnreachable):
        await lending.lend(book)


async def test_every_lease_is_signed(book: Book, epoch: int) -> None:
    lending = Lending(book, epoch)
    await lending.lend(book)
    await lending.lend(book)
    record = (await book.logs.probe.read_latest("recon.breaker"))[LEASE_KEY]
    assert {name for name, _ in record.headers} == {"alg", "kid", "sig"}
