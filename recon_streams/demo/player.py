"""Plays the script against a running installation and compares the book with it after each act."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import msgspec

from recon_streams.closing.overview import DayLine, overview
from recon_streams.demo import deeds
from recon_streams.demo.accounts import bank_day
from recon_streams.demo.act import Act, Deed, Expect
from recon_streams.demo.payouts import Answer, PayoutService
from recon_streams.demo.people import TwoPeople
from recon_streams.demo.scenario import TRIPS, WAITING_AT_THE_END
from recon_streams.discrepancies import queue
from recon_streams.discrepancies.queue import Listed, Wanted
from recon_streams.kernel.clock import utc_now
from recon_streams.log.port import LogWriter
from recon_streams.log.record import OutgoingRecord
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.positions.status import AccountStatus, read_status
from recon_streams.sweeps.status import SweepStatus

_ACT_SECONDS_MAX = 20.0
_POLL_SECONDS = 0.02
_OPEN_MAX = 1000
# What was sent, without what the product tells itself.
_SENT = "FROM book.input JOIN book.stream USING (stream) WHERE topic NOT LIKE 'recon.%'"


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """One act as it went.

    `decided_seconds` is from the append of its last record to the moment every record of it was
    decided and everything it caused was published. `sweeps` and `days` are filled by the acts that
    look at them; `open` is every discrepancy open at the end, `payouts` what the payout service was
    told; `sent_at_seconds` is the monotonic instant of that last append.
    """

    title: str
    accounts: tuple[AccountStatus, ...]
    failures: tuple[str, ...]
    decided_seconds: float
    sweeps: tuple[SweepStatus, ...] = ()
    days: tuple[DayLine, ...] = ()
    open: tuple[Listed, ...] = ()
    payouts: tuple[Answer, ...] = ()
    sent_at_seconds: float = 0.0


class AccountSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How one account ended the day."""

    tier: str
    raw_tier: str
    breaker: str
    epoch: int
    unexplained: str | None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The whole day in counts, read from the book; what `demo --exit -o json` prints."""

    as_scripted: bool
    failures: tuple[str, ...]
    inputs: int
    disposed: int
    dispositions: dict[str, int]
    quarantined: int
    trips: dict[str, int]
    accounts: dict[str, AccountSummary]
    trip_seconds: float | None


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What the player needs of an installation."""

    pool: asyncpg.Pool
    writer: LogWriter
    began_at: datetime
    register_latecomer: Callable[[], Awaitable[None]]
    payouts: PayoutService
    people: TwoPeople


async def play(
    stage: Stage, script: Sequence[Act], on_act: Callable[[Act, Played], Awaitable[None]]
) -> Summary:
    """Play `script`, tell `on_act` of each act, and return what it came to."""
    failures: list[str] = []
    for act in script:
        played = await _play_act(stage, act)
        failures += played.failures
        await on_act(act, played)
    return await _summary(stage.pool, script, failures)


async def _play_act(stage: Stage, act: Act) -> Played:
    if act.deed is Deed.REGISTER:
        await stage.register_latecomer()
    before = await stage.pool.fetchval(f"SELECT count(*) {_SENT}")
    started_at = asyncio.get_running_loop().time()
    for send in act.sends:
        await stage.writer.append([OutgoingRecord(send.topic, send.key, send.value)])
        started_at = asyncio.get_running_loop().time()
    failures: list[str] = []
    try:
        async with asyncio.timeout(_ACT_SECONDS_MAX):
            await _until_decided(stage.pool, before + len(act.sends))
    except TimeoutError:
        failures.append(f"{act.title}: not decided within {_ACT_SECONDS_MAX:.0f} s")
    decided_seconds = asyncio.get_running_loop().time() - started_at
    sweeps, days = await _do(stage, act, failures)
    accounts = await _until_as_expected(stage.pool, act, failures)
    await _until_paid_as_expected(stage.payouts, act, failures)
    found = await queue.read(stage.pool, Wanted(), now=utc_now(), rows_max=_OPEN_MAX)
    if act.discrepancies is not None:
        counted = dict(Counter(each.kind.value for each in found))
        if counted != act.discrepancies:
            failures.append(f"{act.title}: open are {counted}, scripted {act.discrepancies}")
    return Played(
        title=act.title,
        accounts=tuple(accounts),
        failures=tuple(failures),
        decided_seconds=decided_seconds,
        sweeps=tuple(sweeps),
        days=tuple(days),
        open=tuple(found),
        payouts=tuple(stage.payouts.news()),
        sent_at_seconds=started_at,
    )


async def _do(
    stage: Stage, act: Act, failures: list[str]
) -> tuple[list[SweepStatus], list[DayLine]]:
    """Do what the act's deed is after its records, and return what it found."""
    if act.deed is Deed.SWEEP:
        swept = await deeds.sweep(stage.pool, "demo", now=utc_now())
        failures += [
            f"{act.title}: the table of {each.account_id} is {each.table}"
            for each in swept
            if each.table == "DISAGREES"
        ]
        return swept, []
    if act.releases is not None:
        why = "the debit was a payout that the ledger had not booked; it is booked now"
        forbidden = await stage.people.release(stage.pool, act.releases, why)
        failures += [f"{act.title}: {each}" for each in forbidden]
    if act.deed is not Deed.RUN_DAY:
        return [], []
    on = bank_day(stage.began_at)
    await deeds.run_bank_day(stage.pool, on, now=utc_now())
    days = await overview(stage.pool, on)
    for expect in act.days:
        line = next((each for each in days if each.name.startswith(expect.account_id)), None)
        is_now = line and (line.has_statement, line.proof, line.tier)
        wanted = (expect.has_statement, expect.proof, expect.tier.value)
        if is_now != wanted:
            failures.append(f"{act.title}: {expect.account_id} is {is_now}, scripted {wanted}")
    return [], days


async def _until_decided(pool: asyncpg.Pool, inputs: int) -> None:
    # Asked of the database, because that is where an outsider would look.
    while not await pool.fetchval(  # noqa: ASYNC110 - the condition lives in the database
        f"SELECT (SELECT count(*) {_SENT}) >= $1 AND NOT EXISTS "  # noqa: S608 - ours
        "(SELECT FROM book.outbox WHERE published_at IS NULL)",
        inputs,
    ):
        await asyncio.sleep(_POLL_SECONDS)


async def _until_as_expected(
    pool: asyncpg.Pool, act: Act, failures: list[str]
) -> list[AccountStatus]:
    """Wait for what the passing of time still has to do: a calm ends, a suspension clears."""
    deadline = asyncio.get_running_loop().time() + _ACT_SECONDS_MAX
    while True:
        directory = await DirectoryCache().current(pool)
        accounts = await read_status(pool, directory, now=utc_now())
        missing = [text for expect in act.expects for text in _missing(accounts, expect)]
        if not missing or asyncio.get_running_loop().time() > deadline:
            failures += [f"{act.title}: {text}" for text in missing]
            return accounts
        await asyncio.sleep(_POLL_SECONDS)


async def _until_paid_as_expected(payouts: PayoutService, act: Act, failures: list[str]) -> None:
    """Wait until the payout service has heard what it must."""
    deadline = asyncio.get_running_loop().time() + _ACT_SECONDS_MAX
    for account_id, pays in act.pays.items():
        while payouts.pays(account_id) is not pays:
            if asyncio.get_running_loop().time() > deadline:
                wanted = "pays" if pays else "does not pay"
                failures.append(f"{act.title}: scripted that the payout service {wanted}")
                break
            await asyncio.sleep(_POLL_SECONDS)


def _missing(accounts: Sequence[AccountStatus], expect: Expect) -> list[str]:
    found = next((a for a in accounts if a.position.account_id == expect.account_id), None)
    if found is None:
        return [f"{expect.account_id} is not registered"]
    position = found.position
    facts = (
        ("tier", expect.tier, position.tier),
        ("raw tier", expect.raw_tier, position.raw_tier),
        ("breaker", expect.breaker, found.breaker_state),
        ("unexplained", expect.unexplained, position.unexplained),
    )
    return [
        f"{expect.account_id}: {name} is {is_now}, scripted {wanted}"
        for name, wanted, is_now in facts
        if wanted is not None and wanted != is_now
    ]


async def _summary(pool: asyncpg.Pool, script: Sequence[Act], failures: list[str]) -> Summary:
    directory = await DirectoryCache().current(pool)
    accounts = await read_status(pool, directory, now=utc_now())
    rows = await pool.fetch(f"SELECT disposition, count(*) AS n {_SENT} GROUP BY 1")
    dispositions = {row["disposition"]: row["n"] for row in rows}
    waiting = await pool.fetchval(
        "SELECT count(*) FROM book.quarantine q WHERE NOT EXISTS (SELECT FROM "
        "book.quarantine_action a WHERE a.quarantine_id = q.quarantine_id)"
    )
    rows = await pool.fetch(
        "SELECT to_state, count(*) AS n FROM breaker.transition "
        "WHERE from_state = 'CLOSED' GROUP BY 1"
    )
    trips = {row["to_state"]: row["n"] for row in rows}
    sent = sum(len(act.sends) for act in script)
    checks = (
        ("inputs", sent, sum(dispositions.values())),
        ("duplicates", sum(act.duplicates for act in script), dispositions.get("DUPLICATE", 0)),
        ("waiting in quarantine", WAITING_AT_THE_END, waiting),
        ("trips", TRIPS, trips),
    )
    failures += [
        f"{n}: {found}, scripted {wanted}" for n, wanted, found in checks if wanted != found
    ]
    return Summary(
        as_scripted=not failures,
        failures=tuple(failures),
        inputs=sent,
        disposed=sum(dispositions.values()),
        dispositions=dispositions,
        quarantined=waiting,
        trips=trips,
        accounts={a.position.account_id: _account_summary(a) for a in accounts},
        trip_seconds=await _trip_seconds(pool),
    )


def _account_summary(found: AccountStatus) -> AccountSummary:
    return AccountSummary(
        tier=found.position.tier.value,
        raw_tier=found.position.raw_tier.value,
        breaker=found.breaker_state,
        epoch=found.breaker_epoch,
        unexplained=found.position.unexplained,
    )


async def _trip_seconds(pool: asyncpg.Pool) -> float | None:
    """Return how long after its notification arrived the OPEN record could be read."""
    opened: datetime | None = await pool.fetchval(
        "SELECT min(decided_at) FROM breaker.transition WHERE to_state = 'OPEN'"
    )
    if opened is None:
        return None
    published: datetime | None = await pool.fetchval(
        "SELECT min(published_at) FROM book.outbox WHERE topic = 'recon.breaker' "
        "AND convert_from(payload, 'UTF8')::json->>'state' = 'OPEN'"
    )
    return None if published is None else (published - opened).total_seconds()
