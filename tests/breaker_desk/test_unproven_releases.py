"""A release that only stands in the book is not published: who holds no key lets nothing go.

Everything is written with the rights of the program, as somebody would who has its password.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec
import pytest
from desk_books import ACCOUNT, CORRIDOR, Book, definition, open_book
from forger import DECISION, TRANSITION, Forger

from agents.logs import Logs, postgres_logs, topic_plans
from recon_streams.approvals.prover import Prover
from recon_streams.approvals.subject import ApprovalKind
from recon_streams.breaker_desk.notary import NOBODY_CHECKS, BreakerNotary
from recon_streams.publisher import newest
from recon_streams.publisher.announcing import Announcer, NoPermits
from recon_streams.publisher.lease import LeaseRefusal
from recon_streams.publisher.listener import PublisherListener
from recon_streams.publisher.repairing import Repairer
from recon_streams.publisher.screening import Screen
from recon_streams.publisher.tail import BREAKER, BreakerTail
from recon_streams.publisher.writing import BreakerWriter
from recon_streams.testing.keys import new_key_ring
from topics.breaker import BreakerRecord, BreakerState

pytestmark = pytest.mark.postgres


@dataclass
class Post:
    """A publisher over the book, and the log it writes."""

    book: Book
    logs: Logs
    writer: BreakerWriter
    repairer: Repairer

    async def round(self) -> LeaseRefusal | None:
        """Do what a publisher does again and again; return why no lease may follow."""
        # What is taken back is told by the next round, and signed by it.
        for _ in range(2):
            await self.writer.relay_all(self.book.pool, rows_max=100)
            async with self.writer.alone():
                _, records = await newest.page(self.book.pool, after="", rows_max=100)
                await self.writer.append_restated(records)
        return await self.repairer.look()

    async def said(self, scope: str) -> list[BreakerRecord]:
        """Return everything a payout service can read of `scope`, in order."""
        end = (await self.logs.probe.end_offsets([BREAKER]))[BREAKER]
        return [
            msgspec.json.decode(record.value or b"", type=BreakerRecord)
            async for record in self.logs.probe.read(BREAKER, 0, end)
            if record.key == scope.encode()
        ]

    async def last(self, scope: str) -> str:
        return (await self.said(scope))[-1].state.value


async def publisher(book: Book, logs: Logs, notary: BreakerNotary) -> Post:
    keys = new_key_ring()
    writer = BreakerWriter(
        relay=logs.relay,
        writer=logs.writer,
        readying=(Screen(book.pool, notary), Announcer(keys.signer, NoPermits())),
        listener=PublisherListener(),
    )
    tail = BreakerTail(logs.probe, keys.trusted, PublisherListener())
    return Post(book, logs, writer, Repairer(book.pool, tail, writer))


@pytest.fixture
async def book(database: str) -> AsyncIterator[Book]:
    """Return a book that need not agree with itself in the end: somebody else wrote in it."""
    async with open_book(database) as made:
        yield made


@pytest.fixture
async def post(book: Book) -> Post:
    logs = postgres_logs(book.pool, group="recon")
    await logs.admin.apply(topic_plans(partitions=1))
    made = await publisher(book, logs, BreakerNotary(book.pool, Prover(book.root)))
    await made.round()
    return made


@pytest.fixture
async def owner(database: str, book: Book) -> AsyncIterator[asyncpg.Connection]:
    """Give the owner's own connection to the book, for what the program has no right to."""
    del book
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture
def forger(book: Book) -> Forger:
    return Forger(book)


async def is_told(book: Book) -> bool:
    return any("AGREEMENT_UNPROVEN" in each for each in await book.alerts())


async def test_what_two_people_signed_is_published(book: Book, post: Post) -> None:
    await book.trip("all")
    await book.two_release("all")
    assert await post.round() is None
    assert await post.last("all") == "CLOSED"


@pytest.mark.parametrize("scope", ["all", CORRIDOR, ACCOUNT])
@pytest.mark.parametrize("reason", ["RESET", "OVERRIDE"])
async def test_a_release_that_only_stands_in_the_book_is_stopped_again(
    book: Book, post: Post, forger: Forger, scope: str, reason: str
) -> None:
    await book.trip(scope)
    await post.round()
    await forger.release(scope, reason)
    await post.round()
    said = await post.said(scope)
    stopped_at = next(each.epoch for each in said if each.state is BreakerState.OPEN)
    assert [each for each in said if each.epoch > stopped_at and each.state != "OPEN"] == []
    assert (await book.stands(scope)).startswith("OPEN by MANUAL_TRIP")
    assert await is_told(book)


async def test_it_may_be_let_go_by_two_people_afterwards(
    book: Book, post: Post, forger: Forger
) -> None:
    await book.trip("all")
    await forger.release("all")
    await post.round()
    await book.two_release("all")
    await post.round()
    assert await post.last("all") == "CLOSED"


async def test_a_real_agreement_about_less_is_none(book: Book, post: Post) -> None:
    """Two people agreed to ten minutes; somebody writes thirty."""
    await book.trip("all")
    await post.round()
    request = await book.ask("all", ApprovalKind.BREAKER_OVERRIDE, minutes="10")
    agreed = book.agreed_to(request)
    async with book.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            DECISION,
            request.request_id,
            request.facts_sha256,
            agreed.kid,
            msgspec.json.decode(agreed.statement)["nonce"],
            agreed.statement,
            agreed.signature,
        )
        await connection.execute(TRANSITION, "all", "OVERRIDE", request.request_id)
        await Forger(book).keep(connection, "all")
    await post.round()
    assert await post.last("all") == "OPEN"


async def test_who_writes_a_transition_and_nothing_else_moves_nothing(
    book: Book, forger: Forger
) -> None:
    await book.trip(ACCOUNT)
    with pytest.raises(asyncpg.CheckViolationError, match="is kept"):
        await forger.release(ACCOUNT, keeps=False)
    await book.trip(ACCOUNT)


async def test_operators_that_the_root_did_not_sign_let_nothing_go(
    book: Book, post: Post, forger: Forger
) -> None:
    await book.trip("all")
    content = msgspec.json.decode(book.operators.content)
    content["signed"]["version"] = 1_000_000
    await book.pool.execute(
        "INSERT INTO approvals.operators_file (version, root_kid, sha256, content) "
        "VALUES (1000000, $1, 'x', $2)",
        book.operators.installation,
        msgspec.json.encode(content),
    )
    await forger.release("all")
    await post.round()
    assert await post.last("all") == "OPEN"


async def test_a_key_that_was_revoked_since_leaves_what_it_signed(book: Book, post: Post) -> None:
    await book.trip("all")
    await book.two_release("all")
    await book.revoke("bashir")
    again = await publisher(book, post.logs, BreakerNotary(book.pool, Prover(book.root)))
    await again.round()
    assert await post.last("all") == "CLOSED"


@pytest.mark.parametrize(
    ("key", "lie"),
    [
        (b"all", {"state": "CLOSED", "epoch": 99}),
        (b"all", {"state": "CLOSED", "epoch": 2, "seq": 2}),
        (b"all", {"parent_scopes": ["drill:1"]}),
        (b"_lease", {}),
        (ACCOUNT.encode(), {}),
    ],
)
async def test_a_message_that_nobody_decided_is_not_signed(
    book: Book, post: Post, key: bytes, lie: dict[str, Any]
) -> None:
    await book.trip("all")
    await post.round()
    before = await post.said(key.decode()) if key != b"_lease" else []
    real = msgspec.to_builtins((await post.said("all"))[-1])
    await book.pool.execute(
        "INSERT INTO book.outbox (topic, key, payload) VALUES ('recon.breaker', $1, $2)",
        key,
        msgspec.json.encode(real | lie),
    )
    await post.writer.relay_all(book.pool, rows_max=100)
    end = (await post.logs.probe.end_offsets([BREAKER]))[BREAKER]
    records = [record async for record in post.logs.probe.read(BREAKER, 0, end)]
    assert len([record for record in records if record.key == key]) == len(before)
    assert await is_told(book)
    assert await book.pool.fetchval("SELECT count(*) FROM book.outbox WHERE withheld <> ''") == 1


async def test_a_stop_whose_message_was_withheld_is_on_the_log_before_the_next_lease(
    book: Book, post: Post, owner: asyncpg.Connection
) -> None:
    """Whatever was wrong with the message: what the book says is said before anybody may pay on."""
    await book.trip("all")
    await owner.execute(
        "UPDATE book.outbox SET payload = convert_to(replace(convert_from(payload, 'UTF8'), "
        "'MANUAL_TRIP', 'ANOTHER'), 'UTF8') WHERE topic = 'recon.breaker' AND key = 'all' "
        "AND published_at IS NULL"
    )
    await post.writer.relay_all(book.pool, rows_max=100)
    assert await post.last("all") == "CLOSED", "it was withheld"
    assert await post.repairer.look() is None
    assert await post.last("all") == "OPEN"


async def test_a_publisher_that_cannot_check_publishes_no_release_and_stops_nobody(
    book: Book, post: Post
) -> None:
    await book.trip("all")
    await post.round()
    await book.two_release("all")
    blind = await publisher(book, post.logs, BreakerNotary(book.pool, None))
    assert await blind.round() is None
    assert await post.last("all") == "OPEN"
    assert (await book.stands("all")).startswith("CLOSED by RESET")
    # As soon as one can, it is said.
    again = await publisher(book, post.logs, BreakerNotary(book.pool, Prover(book.root)))
    await again.repairer.compare_all()
    assert await again.round() is None
    assert await post.last("all") == "CLOSED"
    notary = BreakerNotary(book.pool, None)
    assert await notary.unproven(None) == {"all": NOBODY_CHECKS}


async def test_a_record_that_leaves_out_what_stands_above_it_is_not_published(
    book: Book, post: Post
) -> None:
    await book.trip(ACCOUNT)
    await book.two_release(ACCOUNT)
    await post.round()
    assert await post.last(ACCOUNT) == "CLOSED"
    async with book.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            TRANSITION.replace("parents, 'bashir'", "'{all}', 'bashir'"),
            ACCOUNT,
            "PARENTS_CHANGED",
            None,
        )
        await Forger(book).keep(connection, ACCOUNT)
    await post.round()
    assert all(CORRIDOR in each.parent_scopes for each in await post.said(ACCOUNT))


async def test_an_account_that_left_its_corridor_is_told_of(book: Book, post: Post) -> None:
    await book.trip(ACCOUNT)
    await book.two_release(ACCOUNT)
    await book.register(definition("AE-1"))
    await post.round()
    assert (await post.said(ACCOUNT))[-1].parent_scopes == ("all",)


async def test_an_agreement_is_judged_by_the_operators_of_its_day(book: Book) -> None:
    """Somebody whose key the new file revokes has agreed after the book has seen that file."""
    await book.trip("all")
    request = await book.ask("all")
    agreed = book.agreed_to(request)
    await book.revoke("bashir")
    with pytest.raises(asyncpg.CheckViolationError):
        await book.pool.execute(
            DECISION,
            request.request_id,
            request.facts_sha256,
            agreed.kid,
            msgspec.json.decode(agreed.statement)["nonce"],
            agreed.statement,
            agreed.signature,
        )
