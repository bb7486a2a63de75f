"""Everything that takes two people is held against their signatures, in the whole of the book."""

import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

sys.path.append(str(Path(__file__).parents[1] / "breaker_desk"))

from desk_books import Book, definition, open_book
from forger import Forger

from agents.verifying import Finding, Verifier, tell_and_stop
from recon_streams.approvals.prover import Prover

pytestmark = pytest.mark.postgres


@pytest.fixture
async def book(database: str) -> AsyncIterator[Book]:
    async with open_book(database) as made:
        yield made


async def findings(book: Book) -> list[Finding]:
    return await Verifier(book.pool, Prover(book.root)).findings()


def kinds(found: list[Finding]) -> list[tuple[str, str]]:
    return [(each.kind, each.subject) for each in found]


async def test_what_two_people_signed_is_in_order(book: Book) -> None:
    await book.trip("all")
    await book.two_release("all")
    assert await findings(book) == []


async def test_a_release_without_signatures_is_found_for_ever(book: Book) -> None:
    await book.trip("all")
    await Forger(book).release("all")
    await book.trip("all")
    await book.two_release("all")
    found = await findings(book)
    assert kinds(found) == [("AGREEMENT", "request 1"), ("RELEASE", "all 3")]
    assert all("not signed with the key" in each.words for each in found)


async def test_operators_that_the_root_did_not_sign_are_found(book: Book) -> None:
    content = msgspec.json.decode(book.operators.content)
    content["signed"]["version"] = 7_000
    await book.pool.execute(
        "INSERT INTO approvals.operators_file (version, root_kid, sha256, content) "
        "VALUES (7000, $1, 'x', $2)",
        book.operators.installation,
        msgspec.json.encode(content),
    )
    assert kinds(await findings(book)) == [("OPERATORS", "version 7000")]


async def test_rules_that_were_loosened_by_nobody_are_found(book: Book) -> None:
    """Whoever writes a looser registry beside the program is found by what it loosens."""
    await book.register(definition("AE-1"))  # `register` asks nobody: it takes the corridor away
    (found,) = await findings(book)
    assert (found.kind, found.words) == ("RULES", "nobody agreed to it")
    assert found.subject == "AE-1:AED version 2: corridors"
    # Until somebody has looked, nobody pays by them; and it is told once, whoever starts again.
    for _ in range(2):
        await tell_and_stop(book.pool, [found], at=datetime.now(UTC))
    assert await book.stands("account:AE-1:AED") == "OPEN by MANUAL_TRIP, epoch 3"
    assert [each for each in await book.alerts() if "AGREEMENT_UNPROVEN" in each] == [
        "trigger agreement_unproven:RULES AE-1:AED version 2: corridors AGREEMENT_UNPROVEN"
    ]


async def test_a_day_that_nobody_closed_together_is_found(book: Book) -> None:
    await book.pool.execute(
        "INSERT INTO closing.day_action (number, day, sequence, action, to_state, version, sha256, "
        "actor, approved_by, at) VALUES (1, '2026-11-20', 1, 'CLOSE', 'CLOSED', 1, 'x', 'amal', "
        "NULL, clock_timestamp())"
    )
    assert kinds(await findings(book)) == [("DAY", "CLOSE 2026-11-20 of 1")]
