"""A book, a log, publishers and payout clients in virtual time, all of them as unlucky as it gets.

The publisher is written here anew from the protocol and shares no code with the product's; the
client is the product's own `Follower`. Time is in milliseconds and only moves between events, so a
minute costs a millisecond and the same seed is the same history.

What can go wrong, by seed: any process stands still between any two steps; requests and answers are
held; an append lands late, after its sender has given up on it, or never; publishers are replaced
while they still believe in themselves; a broker leads no longer and does not know; somebody else
writes tombstones and unsigned records; the log is compacted; clients join at any time.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator
from functools import lru_cache
from random import Random
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature

from recon_streams.client.follower import Follower
from recon_streams.client.records import LogRecord

ACCOUNT: Final = "account:A:AED"
SCOPES: Final = (ACCOUNT, "all")
# No permit later than the bound after a denial; none without fresh decisions; none that rests on
# anything but the newest record heard, nor on one that denies.
PROMISES: Final = ("trip", "silence", "stale")
BOUND_MS: Final = 15_000
HORIZON_MS: Final = 45_000
# A day in the product. It must outlast a lease and a publisher's round, which it does here too.
COMPACTION_LAG_MS: Final = 25_000
ROUND_MS: Final = 3_000
GIVE_UP_MS: Final = 1_500
_GOOD: Final = (("alg", b"Ed25519"), ("kid", b"k"), ("sig", b"good"))
_BAD: Final = (("alg", b"Ed25519"), ("kid", b"k"), ("sig", b"bad"))

Process = Iterator[int]  # yields how long the next step takes
MakeFollower = Callable[[], Follower]


class FastKey:
    """A public key that costs nothing; signatures are proved elsewhere."""

    def verify(self, signature: bytes, _: bytes) -> None:
        """Raise unless `signature` says that it is good."""
        if signature != b"good":
            raise InvalidSignature


KEYS: Final = {"k": FastKey()}


class Broken(AssertionError):
    """A permit that must not have been given."""


class World:
    """One schedule. `run` plays it to the end or to the first permit that breaks a promise.

    Attributes:
        felt: What happened, and how often: a schedule in which nothing goes wrong proves nothing.
    """

    def __init__(
        self, seed: int, make_follower: MakeFollower, promises: Collection[str] = PROMISES
    ) -> None:
        self.random = Random(seed)
        self._leaders = Random(~seed)
        self._promises = promises
        self._make_follower = make_follower
        self.now = 0
        self._queue: list[tuple[int, int, Process]] = []
        self._births = 0
        # The book.
        self.state = dict.fromkeys(SCOPES, "CLOSED")
        self.epoch = dict.fromkeys(SCOPES, 1)
        self.denied_since: dict[str, int | None] = dict.fromkeys(SCOPES)
        self.outbox: list[tuple[str, str, int]] = [(scope, "CLOSED", 1) for scope in SCOPES]
        self.publisher_epoch = 0
        self.lease_seq = 0
        # The log.
        self.log: list[LogRecord | None] = []
        self.appended_at: list[int] = []
        self.last: dict[str, int] = dict.fromkeys(SCOPES, 0)  # the epoch that stands last
        # What this schedule is made of: some are calm, some are mad.
        draw = self.random.random
        self.pause_share = 0.12 * draw() ** 2
        self.hold_share = 0.25 * draw() ** 2
        self.lost_share = 0.2 * draw() ** 2
        self.clients: list[Client] = []
        self.decided_through: dict[tuple[int | None, int | None], int] = {}  # by lease
        self.felt: Counter[str] = Counter()

    def run(self) -> None:
        """Play."""
        roll = self.random
        self.start(publisher(self))
        for _ in range(roll.choice((0, 1, 1, 2))):
            self.start(publisher(self), after=roll.randrange(HORIZON_MS))
        for _ in range(roll.choice((1, 2))):
            self.start(client(self), after=roll.randrange(HORIZON_MS // 2))
        for _ in range(roll.choice((1, 2, 3))):
            self.start(trip(self), after=roll.randrange(HORIZON_MS - 16_000))
        if roll.random() < 0.3:
            self.start(vandal(self), after=roll.randrange(HORIZON_MS))
        if roll.random() < 0.5:
            self.start(cleaner(self), after=roll.randrange(COMPACTION_LAG_MS, HORIZON_MS))
        queue = self._queue
        while queue and queue[0][0] <= HORIZON_MS:
            self.now, birth, process = heapq.heappop(queue)
            delay = next(process, None)
            if delay is not None:
                heapq.heappush(queue, (self.now + delay, birth, process))

    def broken(self, promise: str, how: str) -> None:
        """Raise `Broken` if that `promise` is being watched."""
        if promise in self._promises:
            raise Broken(f"{promise}: {how}")

    def start(self, process: Process, *, after: int = 0) -> None:
        """Let `process` take its first step in a while."""
        self._births += 1
        heapq.heappush(self._queue, (self.now + after, self._births, process))

    def step(self) -> int:
        """Return how long a process takes for its next step; now and then it stands still."""
        draw = self.random.random()
        if draw < self.pause_share:
            self.felt["pause"] += 1
            return int(30_000 * self.random.random())
        return 1 + int(20 * draw)

    def way(self) -> int:
        """Return how long a request or an answer is on its way; now and then it is held."""
        draw = self.random.random()
        if draw < self.hold_share:
            self.felt["hold"] += 1
            return int(30_000 * self.random.random())
        return 1 + int(40 * draw)

    def deposition(self) -> tuple[int | None, int]:
        """Return from when until when a client is shown the log of a deposed leader, if at all."""
        if self._leaders.random() > 0.15:
            return None, 0
        self.felt["deposed leader"] += 1
        begins = self._leaders.randrange(HORIZON_MS // 2)
        return begins, begins + self._leaders.randrange(HORIZON_MS // 2)

    def decide(self, scope: str, state: str) -> None:
        """Commit a change of state, and its message in the same transaction."""
        self.epoch[scope] += 1
        was_denied, self.state[scope] = self.denied_since[scope], state
        if state == "CLOSED":
            self.denied_since[scope] = None
        elif was_denied is None:
            self.denied_since[scope] = self.now
            self.start(probe(self), after=BOUND_MS + 1)
        self.outbox.append((scope, state, self.epoch[scope]))

    def land(self, key: bytes, value: bytes | None, headers: tuple[tuple[str, bytes], ...]) -> int:
        """Append; return the offset."""
        self.log.append(LogRecord(len(self.log), key, value, headers))
        self.appended_at.append(self.now)
        scope = key.decode()
        if scope in self.last:
            is_good = value is not None and headers is _GOOD
            self.last[scope] = msgspec.json.decode(value or b"")["epoch"] if is_good else 0
        return len(self.log) - 1


class Client:
    """A payout service, and what it must remember in the eyes of the checker."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._heard: dict[str, tuple[int, bool]] = {}  # the highest epoch, and whether CLOSED
        self.follower = world._make_follower()

    def apply(self, record: LogRecord) -> None:
        """Take `record` in and ask at once."""
        assert record.key is not None
        scope = record.key.decode()
        if scope in SCOPES and record.value is not None and record.headers is _GOOD:
            said = msgspec.json.decode(record.value)
            before = self._heard.get(scope, (0, False))
            if said["epoch"] >= before[0]:
                self._heard[scope] = said["epoch"], said["state"] == "CLOSED"
            else:
                self._world.felt[f"stale {said['state']} met"] += 1
        self.follower.apply(record)
        self.ask()

    def ask(self) -> None:
        """Ask for a payout; raise `Broken` if it may not be permitted."""
        world = self._world
        answer = self.follower.permit((ACCOUNT,), world.now, None)
        if not answer.granted:
            return
        world.felt["permit"] += 1
        decided_through = world.decided_through[answer.publisher_epoch, answer.lease_seq]
        if world.now - decided_through > BOUND_MS:
            world.broken("silence", f"nothing was decided for {world.now - decided_through} ms")
        relied_on = {scope: epoch for scope, epoch, _ in answer.relied_on}
        for scope in SCOPES:
            since = world.denied_since[scope]
            if since is not None and world.now - since > BOUND_MS:
                world.broken("trip", f"{scope} was denied {world.now - since} ms before a permit")
            if (relied_on.get(scope, 0), True) != self._heard.get(scope):
                world.broken("stale", f"{scope}: {answer} after {self._heard.get(scope)} was heard")


def the_product() -> Follower:
    """Return the product's own client, as keen as it can be set."""
    return Follower(KEYS, safety_ms=1)


def play(
    seeds: range,
    make_follower: MakeFollower = the_product,
    promises: Collection[str] = PROMISES,
) -> Counter[str]:
    """Play one schedule for each of `seeds`; return what was felt. Raises `Broken`, with a seed."""
    felt: Counter[str] = Counter()
    for seed in seeds:
        world = World(seed, make_follower, promises)
        try:
            world.run()
        except Broken as broken:
            raise Broken(f"schedule {seed}: {broken}") from None
        felt += world.felt
    return felt


def publisher(world: World) -> Process:
    """Round after round: what waits, the tail, a lease, as the protocol has it."""
    world.publisher_epoch += 1
    epoch = world.publisher_epoch
    world.lease_seq = 0
    numbers, in_haste = 1, True
    while True:
        yield from publish_waiting(world)
        yield from repair_tail(world)
        # One statement on the database, at one instant.
        if world.publisher_epoch != epoch:
            world.felt["publisher found itself replaced"] += 1
            return
        if not world.outbox:
            age_ms = int(9_000 * world.random.random() ** 3)
            world.lease_seq += numbers
            world.decided_through[epoch, world.lease_seq] = world.now - age_ms
            record = lease_record(epoch, world.lease_seq, BOUND_MS - age_ms)
            yield world.step()
            acknowledged = yield from append(world, *record)
            numbers = 1 if acknowledged else 2  # after an unknown outcome one is skipped
            if acknowledged and in_haste:  # the second lease follows on the first at once
                in_haste = False
                continue
        yield ROUND_MS


def publish_waiting(world: World) -> Process:
    """Publish what waits in the outbox, in its order, as far as it is acknowledged."""
    waiting = list(world.outbox)
    yield world.step()
    for row in waiting:
        acknowledged = yield from append(world, *state_record(*row))
        if not acknowledged:
            return
        if row in world.outbox:
            world.outbox.remove(row)
        yield world.step()


def repair_tail(world: World) -> Process:
    """Read the tail; write again what stands there last and is lower than the book, or unusable."""
    yield world.step()
    for _ in range(5):
        stale = [scope for scope in SCOPES if world.last[scope] < world.epoch[scope]]
        if not stale:
            break
        for scope in stale:
            row = scope, world.state[scope], world.epoch[scope]
            yield world.step()
            yield from append(world, *state_record(*row))
    yield world.step()


def append(world: World, key: bytes, value: bytes) -> Generator[int, None, bool]:
    """Send a record. Return whether it was acknowledged; if not, it may still land, or never."""
    there, back = world.way(), world.way()
    landed: list[int] = []
    if world.random.random() >= world.lost_share / 2:
        world.start(landing(world, key, value, landed), after=there)
    if there + back <= GIVE_UP_MS:
        yield there + back
        return bool(landed)
    yield GIVE_UP_MS
    world.felt["append of unknown outcome"] += 1
    return False


def landing(world: World, key: bytes, value: bytes, landed: list[int]) -> Process:
    """Arrive at the log."""
    landed.append(world.land(key, value, _GOOD))
    return
    yield


def client(world: World) -> Process:
    """Look at the log again and again; forget everything now and then."""
    here = Client(world)
    world.clients.append(here)
    # A leader that was deposed and does not know: it shows the log as it was then.
    deposed_from, deposed_until = world.deposition()
    shown = None
    while True:
        asked_at, is_sure = world.now, True
        if deposed_from is not None and deposed_from <= world.now:
            is_sure = shown is not None and world.now < deposed_until  # else it has just changed
            shown = len(world.log) if shown is None else shown
            if world.now >= deposed_until:
                deposed_from = shown = None
        yield world.way()
        end = len(world.log) if shown is None else shown
        yield world.way()
        first = here.follower.next_offset
        last = min(len(world.log) if shown is None else shown, first + 50)
        found = [each for each in world.log[first:last] if each is not None]
        next_offset = max(first, last)
        yield world.way()
        here.follower.note_end(asked_at, end if is_sure else None)
        for record in found:
            here.apply(record)
        here.follower.pass_over(next_offset)
        here.ask()
        yield world.step()
        here.ask()
        if world.random.random() < 0.01:
            world.felt["client restarted"] += 1
            here.__init__(world)  # type: ignore[misc] # it was restarted
        yield 300 + int(1_500 * world.random.random())


def trip(world: World) -> Process:
    """Stop a scope; open it again after a while."""
    scope = world.random.choice(SCOPES)
    world.decide(scope, world.random.choice(("OPEN", "OPEN", "SUSPENDED")))
    yield 1 + int(30_000 * world.random.random())
    if world.state[scope] == "SUSPENDED" and world.random.random() < 0.3:
        world.decide(scope, "OPEN")
        yield 1 + int(20_000 * world.random.random())
    world.decide(scope, "CLOSED")


def vandal(world: World) -> Process:
    """Somebody who may write to the log but has no key."""
    key = world.random.choice((*SCOPES, "_lease")).encode()
    is_tombstone = world.random.random() < 0.5
    world.felt["vandalism"] += 1
    world.land(key, None if is_tombstone else b'{"scope":"x"}', () if is_tombstone else _BAD)
    return
    yield


def cleaner(world: World) -> Process:
    """Compact: of what is old enough, only the newest record of a key stays."""
    while True:
        kept: set[bytes | None] = set()
        for offset in range(len(world.log) - 1, -1, -1):
            record = world.log[offset]
            if record is None or world.now - world.appended_at[offset] < COMPACTION_LAG_MS:
                continue
            if record.key in kept:
                world.log[offset] = None
                world.felt["record compacted"] += 1
            kept.add(record.key)
        yield 2_000


def probe(world: World) -> Process:
    """Ask everybody just after the bound, when the first wrong permit would be given."""
    for each in world.clients:
        each.ask()
    return
    yield


@lru_cache(maxsize=512)
def state_record(scope: str, state: str, epoch: int) -> tuple[bytes, bytes]:
    """Return key and value of a state."""
    said = {
        "scope": scope,
        "state": state,
        "epoch": epoch,
        "seq": epoch,
        "reason_code": "SIMULATED",
        "evidence_hash": "",
        "decided_at": "2026-11-21T08:00:00Z",
        "inputs_through": {},
        "parent_scopes": ("all",) if scope == ACCOUNT else (),
    }
    return scope.encode(), msgspec.json.encode(said)


@lru_cache(maxsize=4_096)
def lease_record(epoch: int, number: int, ttl_ms: int) -> tuple[bytes, bytes]:
    """Return key and value of a lease."""
    said = {
        "publisher_id": f"p{epoch}",
        "publisher_epoch": epoch,
        "lease_seq": number,
        "ttl_ms": ttl_ms,
        "state_head": {"offset": -1, "seq": 0},
    }
    return b"_lease", msgspec.json.encode(said)
