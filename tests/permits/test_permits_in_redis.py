"""The copy in Redis ends when its lease does, whatever happens to Redis; on a real one."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from recon_streams.permits.copy import RedisPermits
from recon_streams.permits.line import RedisLine
from recon_streams.permits.listener import CopyListener, CopyOutcome
from recon_streams.permits.reckoning import is_granted
from recon_streams.publisher.newest import ScopeStanding
from recon_streams.testing.redis import TestRedis
from topics.breaker import BreakerState

CLOSED, OPEN = BreakerState.CLOSED, BreakerState.OPEN
AED, INR = "account:AE-1:AED", "account:IN-1:INR"
DONE, SILENT = CopyOutcome.DONE, CopyOutcome.SILENT
# What a denial may wait for a Redis that does not answer, with a busy machine's share.
HELD_UP_SECONDS_MAX = 0.5


def standing(
    scope: str, state: BreakerState = CLOSED, epoch: int = 1, parents: tuple[str, ...] = ("all",)
) -> ScopeStanding:
    return ScopeStanding(scope=scope, state=state, epoch=epoch, seq=epoch, parents=parents)


class Heard(CopyListener):
    def __init__(self) -> None:
        self.rounds: list[tuple[CopyOutcome, int]] = []
        self.denials: list[CopyOutcome] = []
        self.foreign = 0

    @override
    def renewed(self, outcome: CopyOutcome, permits: int) -> None:
        self.rounds.append((outcome, permits))

    @override
    def denied(self, outcome: CopyOutcome) -> None:
        self.denials.append(outcome)

    @override
    def found_foreign(self, count: int) -> None:
        self.foreign += count


class Copy:
    """A publisher's copy, the book it reads, and the Redis it writes to."""

    def __init__(self, redis: TestRedis, url: str | None = None) -> None:
        self.redis = redis
        self.heard = Heard()
        self.book: dict[str, ScopeStanding] = {}
        self.tell(standing("all", parents=()), standing(AED), standing(INR))
        self.line = RedisLine(url or redis.url)
        self.permits = RedisPermits(self.line, self._read, self.heard)
        self.lease_seq = 0

    def tell(self, *standings: ScopeStanding) -> None:
        """Decide in the book."""
        self.book |= {each.scope: each for each in standings}

    async def deny(self, *standings: ScopeStanding) -> None:
        """Decide a denial, and announce it as a publisher does."""
        self.tell(*standings)
        began_at = time.monotonic()
        await self.permits.deny(standings)
        assert time.monotonic() - began_at < HELD_UP_SECONDS_MAX

    async def renew(self, ttl_ms: int = 15_000) -> CopyOutcome | None:
        """Give a lease, and return what came of its round; None if Redis has no time for us."""
        self.lease_seq += 1
        began_at = time.monotonic()
        now = await self.permits.clock_ms()
        assert time.monotonic() - began_at < HELD_UP_SECONDS_MAX
        if now is None:
            return None
        before = len(self.heard.rounds)
        self.permits.renew(self.lease_seq, now + ttl_ms)
        await until(lambda: len(self.heard.rounds) > before)
        return self.heard.rounds[-1][0]

    def get(self, scope: str) -> str:
        return self.redis.ask("GET", f"permit:{scope}")

    async def _read(self) -> Mapping[str, ScopeStanding]:
        return dict(self.book)


async def until(holds: Callable[[], bool], seconds_max: float = 10) -> None:
    async with asyncio.timeout(seconds_max):
        while not holds():
            await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestRedis]:
    made = TestRedis(tmp_path_factory.mktemp("redis"))
    made.start()
    yield made
    made.kill()


@pytest.fixture
def redis(server: TestRedis) -> TestRedis:
    server.ask("FLUSHALL")
    return server


@pytest.fixture
async def make_copy(redis: TestRedis) -> AsyncIterator[Callable[..., Awaitable[Copy]]]:
    made: list[tuple[Copy, asyncio.Task[None]]] = []

    async def make(url: str | None = None) -> Copy:
        copy = Copy(redis, url)
        await copy.permits.load(copy.book)
        made.append((copy, asyncio.create_task(copy.permits.run())))
        return copy

    yield make
    for copy, running in made:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await copy.line.close()


@pytest.fixture
async def copy(make_copy: Callable[..., Awaitable[Copy]]) -> Copy:
    return await make_copy()


async def test_every_closed_scope_has_a_permit_that_names_its_record_and_its_lease(
    copy: Copy,
) -> None:
    assert await copy.renew() is DONE
    value = json.loads(copy.get(AED))
    assert value.pop("expires_at_ms") > time.time() * 1000
    assert value == {"scope": AED, "epoch": 1, "seq": 1, "lease_seq": 1}
    assert 0 < int(copy.redis.ask("PTTL", f"permit:{AED}")) <= 15_000
    assert copy.heard.rounds == [(DONE, 3)]


async def test_a_permit_that_is_not_renewed_is_gone_when_its_lease_is(copy: Copy) -> None:
    await copy.renew(ttl_ms=300)
    assert copy.get(AED)
    await asyncio.sleep(0.35)
    assert copy.get(AED) == ""


async def test_a_permit_is_gone_when_its_denial_is_announced(copy: Copy) -> None:
    await copy.renew()
    await copy.deny(standing(AED, OPEN, epoch=2))
    assert copy.get(AED) == ""
    assert copy.get(INR)
    assert copy.heard.denials == [DONE]


async def test_without_its_parent_no_scope_has_a_permit(copy: Copy) -> None:
    await copy.renew()
    await copy.deny(standing("all", OPEN, epoch=2, parents=()))
    assert [copy.get(scope) for scope in ("all", AED, INR)] == ["", "", ""]
    await copy.renew()
    assert [copy.get(scope) for scope in ("all", AED, INR)] == ["", "", ""]


async def test_a_round_that_read_the_book_before_a_denial_brings_nothing_back(copy: Copy) -> None:
    await copy.renew()
    before = copy.book[AED]
    await copy.deny(standing(AED, OPEN, epoch=2))
    copy.tell(before)
    await copy.renew()
    assert copy.get(AED) == ""
    copy.tell(standing(AED, CLOSED, epoch=3))
    await copy.renew()
    assert json.loads(copy.get(AED))["epoch"] == 3


async def test_a_redis_that_was_killed_holds_nobody_up_and_comes_back_empty(copy: Copy) -> None:
    await copy.renew()
    copy.redis.kill()
    assert await copy.renew() is None
    await copy.deny(standing(AED, OPEN, epoch=2))
    assert copy.heard.denials == [SILENT]
    copy.redis.start()
    assert copy.get(INR) == ""
    await asyncio.sleep(0.6)
    assert await copy.renew() is DONE
    assert copy.get(INR)
    assert copy.get(AED) == ""


async def test_a_redis_that_was_flushed_is_filled_again_by_the_next_lease(copy: Copy) -> None:
    await copy.renew()
    copy.redis.ask("FLUSHALL")
    assert copy.get(AED) == ""
    await copy.renew()
    assert copy.get(AED)
    assert copy.heard.foreign == 0


async def test_what_a_frozen_redis_carries_out_late_has_ended_by_itself(copy: Copy) -> None:
    await copy.renew()
    now = await copy.permits.clock_ms()
    assert now is not None
    copy.redis.ask("DEL", f"permit:{AED}")
    copy.redis.freeze()
    try:
        # Sent in full, and in the buffer of the connection from here on.
        copy.permits.renew(2, now + 1_500)
        await until(lambda: copy.heard.rounds[-1][0] is SILENT)
        await copy.deny(standing(AED, OPEN, epoch=2))
        assert await copy.renew() is None
        await asyncio.sleep(max(0.0, now / 1000 + 1.6 - time.time()))
    finally:
        copy.redis.thaw()
    assert copy.get(AED) == ""


async def test_a_permit_that_a_redis_wrote_late_ends_with_its_lease_or_the_next_round(
    copy: Copy,
) -> None:
    await copy.renew()
    now = await copy.permits.clock_ms()
    assert now is not None
    copy.redis.ask("DEL", f"permit:{AED}")
    copy.redis.freeze()
    try:
        copy.permits.renew(2, now + 6_000)
        await until(lambda: copy.heard.rounds[-1][0] is SILENT)
        await copy.deny(standing(AED, OPEN, epoch=2))
        assert copy.heard.denials == [SILENT]
    finally:
        copy.redis.thaw()
    # The fault was felt: what was queued is carried out, behind a denial that could not be sent.
    left = int(copy.redis.ask("PTTL", f"permit:{AED}"))
    assert left <= now + 6_000 - (now + 1_000)
    await until(lambda: copy.get(AED) == "", seconds_max=3)
    await asyncio.sleep(0.6)
    assert await copy.renew() is DONE
    assert copy.get(AED) == ""
    assert copy.get(INR)


async def test_a_slow_redis_holds_nobody_up_and_lengthens_nothing(
    make_copy: Callable[..., Awaitable[Copy]], redis: TestRedis
) -> None:
    async with SlowProxy(redis.port) as proxy:
        copy = await make_copy(f"redis://127.0.0.1:{proxy.port}/0")
        await copy.renew(ttl_ms=2_000)
        proxy.seconds = 0.6
        now = await copy.permits.clock_ms()
        assert now is None
        copy.permits.renew(2, round(time.time() * 1000) + 2_000)
        await copy.deny(standing(AED, OPEN, epoch=2))
        assert copy.heard.denials == [SILENT]
        await asyncio.sleep(2.1)
        assert copy.get(AED) == ""


async def test_what_somebody_else_writes_lasts_until_the_next_round_and_is_counted(
    copy: Copy,
) -> None:
    await copy.renew()
    await copy.deny(standing(AED, OPEN, epoch=2))
    copy.redis.ask("SET", f"permit:{AED}", "yes")
    copy.redis.ask("SET", f"permit:{INR}", "for ever")
    copy.redis.ask("LPUSH", "permit:all:of:them", "x")
    await copy.renew()
    assert copy.get(AED) == ""
    assert json.loads(copy.get(INR))["lease_seq"] == 2
    assert int(copy.redis.ask("PTTL", f"permit:{INR}")) <= 15_000
    assert copy.heard.foreign == 2


async def test_a_value_of_another_kind_is_written_over(copy: Copy) -> None:
    copy.redis.ask("LPUSH", f"permit:{INR}", "x")
    assert await copy.renew() is DONE
    assert json.loads(copy.get(INR))["lease_seq"] == 1


async def test_many_scopes_are_written_in_pieces(copy: Copy) -> None:
    copy.tell(*(standing(f"account:AE-{n}:AED") for n in range(1_000)))
    assert await copy.renew() is DONE
    assert copy.heard.rounds == [(DONE, 1_002)]
    copy.tell(standing("all", OPEN, epoch=2, parents=()))
    assert await copy.renew() is DONE
    assert copy.redis.ask("DBSIZE") == "0"


@given(
    states=st.fixed_dictionaries(
        {scope: st.sampled_from(BreakerState) for scope in ("all", "corridor:X", AED)}
    ),
    known=st.sets(st.sampled_from(["all", "corridor:X"])),
)
def test_a_scope_has_a_permit_only_if_it_and_all_above_it_are_known_and_closed(
    states: dict[str, BreakerState], known: set[str]
) -> None:
    standings = {
        scope: standing(scope, states[scope], parents=("corridor:X", "all") * (scope == AED))
        for scope in {AED, *known}
    }
    expected = known == {"all", "corridor:X"} and set(states.values()) == {CLOSED}
    assert is_granted(AED, standings, {}) == expected
    for denied in standings:
        assert not is_granted(AED, standings, {denied: (9, 9)})


class SlowProxy:
    """Carries bytes to a port, each way `seconds` late."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._tasks: set[asyncio.Task[None]] = set()
        self.seconds = 0.0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._carry(source, sink))
            self._tasks.add(task)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while chunk := await source.read(65_536):
            await asyncio.sleep(self.seconds)
            sink.write(chunk)
            await sink.drain()
        sink.close()
