"""Asks banks what sweeps want to know, so many at a time, and writes what they said to the log.

The poller keeps nothing: questions are rows of the book and answers are records of the log. Killed
in between, it leaves leases that end, and each question is asked again; its answer counts once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import msgspec
import structlog

from recon_streams.book.connection import Session
from recon_streams.connectors.port import Connector, NoBalance, Said
from recon_streams.kernel import faultpoint
from recon_streams.kernel.clock import utc_now
from recon_streams.kernel.money import amount_text
from recon_streams.log.port import LogWriter
from recon_streams.log.record import OutgoingRecord
from recon_streams.sweeps import question
from recon_streams.sweeps.question import Claimed
from topics.bank_balances import TOPIC, BankAnswer, BankBalance, BankFailure

_AHEAD_MAX: Final = timedelta(minutes=5)
_POLL_SECONDS: Final = 1.0
_ANSWERS_MAX: Final = 500
_GIVE_UP_SECONDS: Final = 5.0
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_log = structlog.get_logger()

Answer = tuple[Claimed, OutgoingRecord]


@dataclass(frozen=True, kw_only=True)
class PollerParts:
    """What a poller is made of.

    Attributes:
        concurrency: How many banks are asked at a time.
        lease: How long a question is ours; longer than any connector takes.
        on_answered: Told of every answer: its reason, or `BALANCE`.
    """

    pool: asyncpg.Pool
    writer: LogWriter
    connectors: Mapping[str, Connector]
    concurrency: int
    lease: timedelta = timedelta(seconds=240)
    on_answered: Callable[[str], None] = field(default=lambda _reason: None)


async def poll_for_ever(parts: PollerParts) -> None:
    """Answer the questions of sweeps. Runs for ever; any number of processes may.

    Raises:
        LogUnreachable: What was answered could not be written; the questions are asked again.
    """
    if not parts.connectors:
        await _give_up_for_ever(parts)
    for connector in parts.connectors.values():
        await connector.start()
    answers: asyncio.Queue[Answer] = asyncio.Queue()
    try:
        async with parts.pool.acquire() as listener, asyncio.TaskGroup() as tasks:
            tasks.create_task(_ask_for_ever(parts, listener, answers, tasks))
            tasks.create_task(_write_for_ever(parts, answers))
    except ExceptionGroup as failures:
        # One of the two failed and the other was cancelled; the first failure is the cause.
        raise failures.exceptions[0] from failures
    finally:
        for connector in parts.connectors.values():
            await connector.stop()


async def _ask_for_ever(
    parts: PollerParts,
    listener: Session,
    answers: "asyncio.Queue[Answer]",
    tasks: asyncio.TaskGroup,
) -> None:
    wanted = asyncio.Event()
    asking: set[asyncio.Task[None]] = set()

    def hear(*_: object) -> None:
        wanted.set()

    await listener.add_listener(question.CHANNEL, hear)
    try:
        while True:
            wanted.clear()
            room = parts.concurrency - len(asking)
            claimed = await question.claim(
                parts.pool, parts.connectors, rows_max=room, now=utc_now(), lease=parts.lease
            )
            for each in claimed:
                task = tasks.create_task(_ask(parts, each, answers))
                asking.add(task)
                task.add_done_callback(asking.discard)
            if len(claimed) == room:
                # A quarter free at a time: a question to the book for each would cost more.
                while len(asking) > parts.concurrency * 3 // 4:
                    await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
                continue
            await _any(wanted.wait(), _POLL_SECONDS)
            # A notification can be missed over a lost connection; then this says so.
            await listener.fetchval("SELECT 1")
    finally:
        if not listener.is_closed():
            await listener.remove_listener(question.CHANNEL, hear)


async def _give_up_for_ever(parts: PollerParts) -> None:
    """Answer what is over because nobody could ask: the sweep waits for this answer too."""
    while True:
        claimed = await question.claim(
            parts.pool, (), rows_max=_ANSWERS_MAX, now=utc_now(), lease=parts.lease
        )
        await _write(parts, [await _answered(parts, each) for each in claimed])
        await asyncio.sleep(0 if len(claimed) == _ANSWERS_MAX else _GIVE_UP_SECONDS)


async def _any(waiting: Awaitable[object], seconds: float) -> None:
    try:
        await asyncio.wait_for(waiting, seconds)
    except TimeoutError:
        return


async def _ask(parts: PollerParts, claimed: Claimed, answers: "asyncio.Queue[Answer]") -> None:
    await answers.put(await _answered(parts, claimed))


async def _answered(parts: PollerParts, claimed: Claimed) -> Answer:
    said = await answer_of(parts.connectors.get(claimed.connector), claimed)
    parts.on_answered("BALANCE" if isinstance(said, BankBalance) else said.reason)
    key = claimed.definition.account_id.encode()
    return claimed, OutgoingRecord(TOPIC, key, _ENCODER.encode(said))


async def answer_of(connector: Connector | None, claimed: Claimed) -> BankAnswer:
    """Return what the bank said, or why it said nothing, as a record."""
    definition = claimed.definition
    try:
        said, obtained_at = await _said(connector, claimed)
    except NoBalance as failure:
        return BankFailure(
            account_id=definition.account_id,
            currency=definition.currency,
            obtained_at=utc_now(),
            connector=claimed.connector,
            request_id=question.name_of(claimed.question_id),
            reason=failure.reason,
            detail=failure.detail,
        )
    return BankBalance(
        account_id=definition.account_id,
        currency=definition.currency,
        obtained_at=obtained_at,
        connector=claimed.connector,
        request_id=question.name_of(claimed.question_id),
        balance=amount_text(said.balance),
        as_of=said.as_of,
    )


async def _said(connector: Connector | None, claimed: Claimed) -> tuple[Said, datetime]:
    if connector is None:
        raise NoBalance("NOT_ASKED_IN_TIME", f"no worker has a connector {claimed.connector}")
    if utc_now() >= claimed.give_up_at:
        raise NoBalance("NOT_ASKED_IN_TIME", "the question waited until it was over")
    said = await connector.ask(claimed.definition)
    obtained_at = utc_now()
    if said.as_of > obtained_at + _AHEAD_MAX:
        raise NoBalance("FUTURE_INSTANT", "the balance is as of an instant yet to come")
    return said, obtained_at


async def _write_for_ever(parts: PollerParts, answers: "asyncio.Queue[Answer]") -> None:
    while True:
        taken = [await answers.get()]
        while not answers.empty() and len(taken) < _ANSWERS_MAX:
            taken.append(answers.get_nowait())
        await _write(parts, taken)


async def _write(parts: PollerParts, taken: Sequence[Answer]) -> None:
    if not taken:
        return
    await parts.writer.append([record for _, record in taken])
    faultpoint.hit("after_answer_before_mark")
    ids = [each.question_id for each, _ in taken]
    await question.mark_answered(parts.pool, ids, utc_now())
    _log.debug("banks_answered", count=len(taken))
