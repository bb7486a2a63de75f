"""What every bridge keeps: order, nothing lost, nothing told twice, nobody stopped by another."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from aiohttp import web
from typing_extensions import override

from recon_streams.alerts.alarm import Facts, Gone, Raised
from recon_streams.alerts.telling import tell
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.bridges.bridge import Bridge
from recon_streams.bridges.http import Post
from recon_streams.bridges.sink import Answer, Delivery
from recon_streams.bridges.webhook import Webhook
from recon_streams.log.record import OutgoingRecord
from topics.alerts import Alert, Severity

pytestmark = pytest.mark.postgres
FactsOf = Callable[..., Facts]
SECRET = "whsec_" + "c2VjcmV0" * 4


def webhook(url: str, *, timeout_seconds: float = 1.0) -> Webhook:
    return Webhook(Post(url, timeout_seconds=timeout_seconds), secrets=[SECRET], base=None)


def told(receiver: Any) -> list[tuple[str, str]]:
    return [(said["data"]["dedup_key"], said["data"]["action"]) for said in receiver.said]


async def turned(bridge: Bridge) -> None:
    while await bridge.turn():
        pass


@pytest.fixture
async def bridge(alerts: Any, receiver: Any) -> Any:
    made = alerts.bridge(webhook(receiver.url))
    await made.turn()  # it begins where the topic ends now
    yield made
    await made.close()


async def test_each_record_is_sent_once_and_in_order(
    alerts: Any, receiver: Any, bridge: Bridge, start: datetime, make_facts: FactsOf
) -> None:
    for number in range(3):
        await alerts.says(
            Raised(key="a", at=start, facts=make_facts(epoch=number)),
            Raised(key=f"b{number}", at=start, facts=make_facts()),
        )
    await alerts.says(Gone(key="a", at=start))
    await turned(bridge)
    await turned(bridge)
    assert told(receiver) == [
        ("a", "trigger"), ("b0", "trigger"),
        ("a", "trigger"), ("b1", "trigger"),
        ("a", "trigger"), ("b2", "trigger"),
        ("a", "resolve"),
    ]  # fmt: skip
    assert [row["outcome"] for row in await alerts.deliveries("webhook")] == ["SENT"] * 7


async def test_a_record_that_reached_the_topic_twice_is_sent_once(
    alerts: Any, receiver: Any, bridge: Bridge, start: datetime, make_facts: FactsOf
) -> None:
    async with UnitOfWork(alerts.pool) as unit:
        tell(unit, [Raised(key="a", at=start, facts=make_facts()), Gone(key="a", at=start)])
    await alerts.relays(twice=True)
    await turned(bridge)
    assert told(receiver) == [("a", "trigger"), ("a", "resolve")]


@pytest.mark.parametrize("status", [500, 503, 429, 401, 404, 302])
async def test_a_sink_that_does_not_answer_as_it_should_keeps_its_place(
    alerts: Any, receiver: Any, bridge: Bridge, make_facts: FactsOf, status: int
) -> None:
    start = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
    headers = {"Location": receiver.url} if status == 302 else {}
    receiver.answers.append(web.Response(status=status, headers=headers))
    await alerts.says(Raised(key="a", at=start, facts=make_facts()), Gone(key="a", at=start))
    await turned(bridge)
    assert len(receiver.requests) == 1, "nothing overtakes it, and nobody follows a redirect"
    await turned(bridge)
    assert len(receiver.requests) == 1, "it is left alone for a moment"
    await alerts.forgets_to_wait()
    await turned(bridge)
    assert told(receiver) == [("a", "trigger"), ("a", "trigger"), ("a", "resolve")]
    ids = [each.headers["webhook-id"] for each in receiver.requests]
    assert ids[0] == ids[1] != ids[2], "the same record has the same id"


async def test_a_sink_says_how_long_to_wait(
    alerts: Any, receiver: Any, bridge: Bridge, start: datetime, make_facts: FactsOf
) -> None:
    receiver.answers.append(web.Response(status=429, headers={"Retry-After": "120"}))
    await alerts.says(Raised(key="a", at=start, facts=make_facts()))
    await turned(bridge)
    seconds = await alerts.pool.fetchval(
        "SELECT extract(epoch FROM again_at - clock_timestamp())::int FROM alerts.bridge"
    )
    assert 115 <= seconds <= 120


async def test_a_slow_sink_is_given_up_in_time_and_stops_no_other(
    alerts: Any,
    make_receiver: Any,
    start: datetime,
    make_facts: FactsOf,
) -> None:
    slow, quick = await make_receiver(), await make_receiver()
    slow.slow_seconds = 3.0
    bridges = []
    for receiver, name in ((slow, "slow"), (quick, "quick")):
        sink = webhook(receiver.url, timeout_seconds=0.5)
        sink.name = name
        bridges.append(alerts.bridge(sink))
        await bridges[-1].turn()
    await alerts.says(Raised(key="a", at=start, facts=make_facts()))
    waiting = asyncio.create_task(bridges[0].turn())
    await bridges[1].turn()
    assert told(quick) == [("a", "trigger")]
    assert not waiting.done()
    await waiting
    trouble = await alerts.pool.fetchval("SELECT trouble FROM alerts.bridge WHERE sink = 'slow'")
    assert trouble == "no answer in time"
    for each in bridges:
        await each.close()


async def test_what_a_sink_will_never_take_is_parked_and_told_elsewhere(
    alerts: Any, receiver: Any, bridge: Bridge, start: datetime, make_facts: FactsOf
) -> None:
    receiver.answers.append(400)
    await alerts.says(Raised(key="a", at=start, facts=make_facts()), Gone(key="a", at=start))
    await turned(bridge)
    outcomes = [(row["action"], row["outcome"]) for row in await alerts.deliveries("webhook")]
    assert outcomes == [("trigger", "PARKED"), ("resolve", "SENT")]
    await alerts.relays()
    await turned(bridge)
    assert told(receiver)[-1] == ("delivery_parked:webhook:a", "trigger")
    assert "HTTP 400" in receiver.said[-1]["data"]["summary"]


async def test_a_sink_that_refuses_everything_is_not_told_of_that_for_ever(
    alerts: Any, receiver: Any, bridge: Bridge, start: datetime, make_facts: FactsOf
) -> None:
    receiver.always = 422
    await alerts.says(Raised(key="a", at=start, facts=make_facts()))
    for _ in range(6):
        await turned(bridge)
        await alerts.relays()
    keys = [key for key, _ in told(receiver)]
    assert keys == ["a", "delivery_parked:webhook:a", "delivery_parked:webhook"]


async def test_a_sink_that_is_gone_gets_nothing_more_until_somebody_says_so(
    alerts: Any, receiver: Any, bridge: Bridge, start: datetime, make_facts: FactsOf
) -> None:
    receiver.answers.append(410)
    await alerts.says(Raised(key="a", at=start, facts=make_facts()))
    await turned(bridge)
    await alerts.relays()
    await turned(bridge)
    assert len(receiver.requests) == 1
    firing = await alerts.pool.fetch("SELECT dedup_key FROM alerts.alert WHERE is_told")
    assert {row["dedup_key"] for row in firing} == {"a", "sink_disabled:webhook"}


async def test_a_process_that_dies_after_sending_sends_the_same_again_under_the_same_id(
    alerts: Any, receiver: Any, start: datetime, make_facts: FactsOf
) -> None:
    first = alerts.bridge(webhook(receiver.url), owner="one")
    await first.turn()
    await alerts.says(Raised(key="a", at=start, facts=make_facts()), Gone(key="a", at=start))

    class Died(Exception):
        pass

    class Dying(Webhook):
        @override
        async def send(self, delivery: Delivery) -> Answer:
            await super().send(delivery)
            raise Died

    dying = Dying(Post(receiver.url, timeout_seconds=1.0), secrets=[SECRET], base=None)
    with pytest.raises(Died):
        await alerts.bridge(dying, owner="one").turn()
    await dying.close()
    second = alerts.bridge(webhook(receiver.url), owner="two")
    await turned(second)
    assert len(receiver.requests) == 1, "the term of the dead one has not run out"
    await alerts.pool.execute("UPDATE alerts.bridge SET owned_until = '-infinity'")
    await turned(second)
    assert told(receiver) == [("a", "trigger"), ("a", "trigger"), ("a", "resolve")]
    ids = [each.headers["webhook-id"] for each in receiver.requests]
    assert ids[0] == ids[1]
    await turned(first)
    assert len(receiver.requests) == 3, "whoever lost its turn sends nothing"
    await first.close()
    await second.close()


async def test_a_sink_that_is_down_is_told_of_through_another_and_loses_nothing(
    alerts: Any, make_receiver: Any, start: datetime, make_facts: FactsOf
) -> None:
    bad, good = await make_receiver(), await make_receiver()
    bad.always = 500
    bridges = {}
    for receiver, name in ((bad, "bad"), (good, "good")):
        sink = webhook(receiver.url)
        sink.name = name
        bridges[name] = alerts.bridge(sink, down_seconds=60)
        await bridges[name].turn()
    await alerts.says(Raised(key="a", at=start, facts=make_facts()))
    await turned(bridges["bad"])
    await alerts.relays()
    await turned(bridges["good"])
    assert told(good) == [("a", "trigger")], "not down for long"
    await alerts.pool.execute(
        "UPDATE alerts.bridge SET again_at = NULL, failing_since = failing_since - $1::interval "
        "WHERE sink = 'bad'",
        timedelta(seconds=61),
    )
    await turned(bridges["bad"])
    await alerts.relays()
    await turned(bridges["good"])
    assert told(good)[1:] == [("sink_down:bad", "trigger")]
    bad.always = None
    await alerts.forgets_to_wait()
    await turned(bridges["bad"])
    await alerts.relays()
    await turned(bridges["good"])
    assert told(good)[2:] == [("sink_down:bad", "resolve")]
    await turned(bridges["bad"])
    assert told(bad)[2:] == [
        ("a", "trigger"), ("sink_down:bad", "trigger"), ("sink_down:bad", "resolve"),
    ]  # fmt: skip
    for each in bridges.values():
        await each.close()


async def test_a_new_sink_hears_what_still_fires_and_not_what_is_over(
    alerts: Any, receiver: Any, start: datetime, make_facts: FactsOf
) -> None:
    await alerts.says(Raised(key="old", at=start, facts=make_facts()))
    await alerts.says(Gone(key="old", at=start))
    await alerts.says(Raised(key="still", at=start, facts=make_facts()))
    bridge = alerts.bridge(webhook(receiver.url))
    await turned(bridge)
    assert told(receiver) == [("still", "trigger")]
    await bridge.close()


async def test_what_nobody_can_read_is_passed(
    alerts: Any, receiver: Any, bridge: Bridge, start: datetime, make_facts: FactsOf
) -> None:
    await alerts.writer.append([OutgoingRecord("recon.alerts", b"x", b"{")])
    await alerts.says(Raised(key="a", at=start, facts=make_facts()))
    await turned(bridge)
    assert told(receiver) == [("a", "trigger")]


async def test_whatever_goes_wrong_on_the_way_the_receiver_knows_all_and_each_once(
    alerts: Any, receiver: Any, bridge: Bridge, start: datetime, make_facts: FactsOf
) -> None:
    receiver.answers.extend([202, 500, 202, 429, 503, 202, 202, 500] * 5)
    for number in range(20):
        key = f"k{number % 4}"
        facts = make_facts(Severity.CRITICAL if number % 3 else Severity.ERROR, epoch=number)
        await alerts.says(
            Gone(key=key, at=start) if number % 5 == 4 else Raised(key=key, at=start, facts=facts)
        )
    for _ in range(60):
        await alerts.forgets_to_wait()
        await bridge.turn()
    rows = await alerts.pool.fetch(
        "SELECT payload FROM book.outbox WHERE topic = 'recon.alerts' ORDER BY outbox_id"
    )
    expected = [msgspec.json.decode(row["payload"], type=Alert) for row in rows]
    first_seen = dict.fromkeys(
        (each.headers["webhook-id"], each.said["data"]["dedup_key"], each.said["data"]["version"])
        for each in receiver.requests
    )
    assert [(key, version) for _, key, version in first_seen] == [
        (each.dedup_key, each.version) for each in expected
    ]
