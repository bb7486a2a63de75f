"""What on-call reads of people's deeds: since when, until when, and who or what ended it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from desk_books import ACCOUNT, Book

from recon_streams.approvals.subject import ApprovalKind
from recon_streams.positions.event import Elapsed
from recon_streams.scopes.by_hand import end_overrides
from topics.alerts import Alert

pytestmark = pytest.mark.postgres

OVERRIDE = ApprovalKind.BREAKER_OVERRIDE
MINUTE = timedelta(minutes=1)


async def told(book: Book, key: str) -> list[Alert]:
    """Return what on-call was told of a cause, oldest first."""
    rows = await book.pool.fetch(
        "SELECT payload FROM book.outbox WHERE topic = 'recon.alerts' AND key = $1 "
        "ORDER BY outbox_id",
        key.encode(),
    )
    return [msgspec.json.decode(row["payload"], type=Alert) for row in rows]


@pytest.mark.parametrize("scope", [ACCOUNT, "all"])
async def test_a_forced_state_is_told_since_two_people_agreed_and_until_it_ended(
    book: Book, scope: str
) -> None:
    await book.issue("0.01")
    if scope == "all":
        await book.trip(scope)
    request = await book.ask(scope, OVERRIDE, minutes="10")
    before = datetime.now(UTC)
    await book.approve(request)
    after = datetime.now(UTC)
    (forced,) = await told(book, f"override:{scope}")
    assert forced.first_seen is not None
    assert before <= forced.first_seen <= after, "not the newest evidence, nor the request"
    assert f"since {forced.first_seen:%F %H:%M:%S}Z and until" in forced.summary
    await book.trip(scope)
    *_, ended = await told(book, f"override:{scope}")
    assert (ended.action, ended.ended_by, ended.first_seen) == (
        "resolve", "person", forced.first_seen,
    )  # fmt: skip
    assert ended.ended_at is not None
    assert after <= ended.ended_at <= datetime.now(UTC)


async def test_a_forced_state_that_runs_out_has_lasted_as_long_as_was_agreed_to(
    book: Book,
) -> None:
    await book.issue("0.01")
    await book.approve(await book.ask(ACCOUNT, OVERRIDE, minutes="10"))
    await book.trip("all")
    await book.approve(await book.ask("all", OVERRIDE, minutes="5"))
    until: Any = await book.pool.fetchval(
        "SELECT override_until FROM breaker.scope WHERE scope = $1", ACCOUNT
    )
    await book.take(ACCOUNT, Elapsed(at=until))
    await end_overrides(book.pool, now=datetime.now(UTC) + 6 * MINUTE)
    for scope, minutes in ((ACCOUNT, 10), ("all", 5)):
        *_, ended = await told(book, f"override:{scope}")
        assert (ended.action, ended.ended_by) == ("resolve", "time")
        assert ended.lasted_seconds == minutes * 60


async def test_a_stop_by_hand_of_a_calm_account_is_told_since_it_was_stopped(book: Book) -> None:
    before = datetime.now(UTC)
    await book.trip(ACCOUNT)
    *_, stopped = await told(book, f"position:{ACCOUNT}")
    assert stopped.alert_class == "BREAKER_OPEN"
    assert stopped.at >= before
    assert stopped.source == "person"


async def test_a_request_is_told_since_it_was_made_and_until_it_expires(book: Book) -> None:
    await book.trip("all")
    request = await book.ask("all")
    key = f"approval_waiting:{request.request_id}"
    (waiting,) = await told(book, key)
    assert waiting.first_seen == request.requested_at
    since, until = request.requested_at, request.expires_at
    assert f"since {since:%F %H:%M:%S}Z and until {until:%H:%M:%S}Z" in waiting.summary
    await book.approve(request)
    *_, ended = await told(book, key)
    assert (ended.action, ended.ended_by, ended.first_seen) == ("resolve", "person", since)
    assert ended.ended_at is not None
    assert ended.ended_at > since
