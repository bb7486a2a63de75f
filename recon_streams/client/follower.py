"""The rules of the guard, pure: records, ends of the log and instants in, permits out.

Nothing here reads a clock or a network. Safe from any thread; a question waits for the few
microseconds in which a record is taken in, and for nothing else.
"""

import threading
from collections import Counter, deque
from typing import Any, Final

import msgspec

from recon_streams.client.permit import Permit
from recon_streams.client.records import Keys, LogRecord, Number, Unusable, read
from topics.breaker import LEASE_KEY, LEASE_MS_MAX, BreakerRecord, LeaseRecord

SAFETY_MS: Final = 500


class _Known(msgspec.Struct):
    """What is known of one scope: its highest (epoch, seq), and its state or what is wrong."""

    number: Number = ()
    verdict: str = "UNKNOWN_SCOPE"
    parents: tuple[str, ...] = ()


class Follower:
    """Follows one log of breaker records and answers for it.

    Attributes:
        next_offset: Everything below it has been applied.
        is_caught_up: Whether the log has been read to where it ended at the first look.
        counts: How often a reason was answered, and a record left out (`dropped:REASON`, of leases
            `dropped:LEASE_REASON`).
    """

    def __init__(self, keys: Keys, *, safety_ms: int = SAFETY_MS) -> None:
        if not 1 <= safety_ms < LEASE_MS_MAX:
            raise ValueError(f"safety_ms: {safety_ms} is not between 1 and {LEASE_MS_MAX - 1}")
        self._keys, self._safety_ms, self._lock = keys, safety_ms, threading.Lock()
        self.counts: Counter[str] = Counter()
        self._scopes: dict[str, _Known] = {}
        # What was verified last of each scope: written again byte for byte, it need not be anew.
        self._verified: dict[bytes | None, tuple[Any, ...]] = {}
        # Leases by (publisher epoch, lease seq): the highest on the log, with the last instant at
        # which it was known not to be there; and the one in force, with the instant it runs out.
        self._seen: tuple[Number, int | None] = (), None
        self._in_force: tuple[Number, int | None] = (), None
        self.read_again()

    def read_again(self) -> None:
        """Read from 0: it may be another log, and what it says below the offset we know is new.

        No lower number is believed than was heard, and a yes must be read again: an older book that
        is back undoes no stop, and those it has still to make may be numbered below that yes.
        """
        for known in self._scopes.values():
            known.verdict = "UNKNOWN_SCOPE" if known.verdict == "CLOSED" else known.verdict
        self.next_offset, self.is_caught_up = 0, False
        self._goal: int | None = None
        # (asked at, end), both rising. That the oldest drop out may void a lease, not lengthen it.
        self._ends: deque[tuple[int, int]] = deque(maxlen=1_000)

    def note_end(self, asked_at_ms: int, end: int | None) -> bool:
        """Note that a question sent at `asked_at_ms` was answered: the log ends before `end`.

        No `end`: somebody else answers now, and what was said before is no proof any more.

        Returns:
            False if the log has gone back: it is another one, see `read_again`.
        """
        with self._lock:
            if end is None:
                self._ends.clear()
                return True
            if went_back := end < max(self.next_offset, self._ends[-1][1] if self._ends else 0):
                self.read_again()
            self._ends.append((asked_at_ms, end))
            self._goal = end if self._goal is None else self._goal
        self.pass_over(self.next_offset)
        return not went_back

    def pass_over(self, next_offset: int) -> None:
        """Note that there is nothing more below `next_offset`."""
        self.next_offset = max(self.next_offset, next_offset)
        self.is_caught_up = self._goal is not None and self.next_offset >= self._goal

    def apply(self, record: LogRecord) -> BreakerRecord | None:
        """Take in the next record; return what it says if that is news of a scope."""
        said, *source = self._verified.get(record.key, (None,))
        if source != [record.value, record.headers]:
            said = read(record, self._keys)
        with self._lock:
            if record.offset < self.next_offset:
                return None
            self.pass_over(record.offset + 1)
            if isinstance(said, LeaseRecord):
                dropped = self._apply_lease(said, record.offset)
            else:
                dropped = self._apply_state(record.key or b"", said)
                if isinstance(said, BreakerRecord) and not dropped:
                    self._verified[record.key] = said, record.value, record.headers
            if dropped:
                self.counts[f"dropped:{dropped}"] += 1
            return said if dropped is None and isinstance(said, BreakerRecord) else None

    def permit(self, scopes: tuple[str, ...], now_ms: int | None, payout_id: str | None) -> Permit:
        """Return the answer for a payout that needs all `scopes`; no instant: nobody reads."""
        with self._lock:
            reason, denied_by, relied_on = self._judge(scopes, now_ms)
            self.counts[reason] += 1
            number = self._scopes.get(scopes[0], _Known()).number or (None, None)
            numbers = *number, *(self._in_force[0] or (None, None))
            said = reason == "GRANTED", reason, scopes[0], denied_by, payout_id, relied_on
            return Permit(*said, *numbers)

    def _anchor_ms(self, offset: int) -> int | None:
        """Return the last instant at which `offset` was known not to be there yet."""
        while len(self._ends) > 1 and self._ends[1][1] <= offset:
            self._ends.popleft()
        return self._ends[0][0] if self._ends and self._ends[0][1] <= offset else None

    def _apply_lease(self, lease: LeaseRecord, offset: int) -> str | None:
        (before, anchor_ms), number = self._seen, (lease.publisher_epoch, lease.lease_seq)
        if lease.covers != "all" or lease.state_head.offset >= offset:
            return "LEASE_OF_ANOTHER_LOG"
        if number <= before:
            return "STALE_LEASE"
        self._seen = number, self._anchor_ms(offset)
        if before != (number[0], number[1] - 1) or anchor_ms is None:
            return "LEASE_FOLLOWS_ON_NONE"
        until_ms = anchor_ms + min(lease.ttl_ms, LEASE_MS_MAX) - self._safety_ms
        if self._in_force[1] is None or until_ms > self._in_force[1]:
            self._in_force = number, until_ms
        return None

    def _apply_state(self, key: bytes, said: BreakerRecord | Unusable) -> str | None:
        """Return why it is left out; nothing if it is only repeated, None if it is news."""
        scope = key.decode(errors="replace")
        if key in {b"", LEASE_KEY} or scope.encode() != key:
            return f"{'LEASE_' * (key == LEASE_KEY)}{getattr(said, 'reason', 'UNREADABLE')}"
        known = self._scopes.setdefault(scope, _Known())
        if isinstance(said, Unusable):
            known.verdict, known.number = said.reason, max(known.number, said.number)
            return said.reason
        number, before = (said.epoch, said.seq), known.number
        is_denied = known.verdict in {"OPEN", "SUSPENDED"}
        if number < before or (number == before and is_denied and said.state == "CLOSED"):
            return "STALE_RECORD"  # of two that say one number the one that denies is believed
        known.number, known.verdict, known.parents = number, said.state.value, said.parent_scopes
        return None if number > before else ""

    def _judge(self, scopes: tuple[str, ...], now_ms: int | None) -> tuple[Any, ...]:
        if now_ms is None or not self.is_caught_up:
            return "NOT_RUNNING" if now_ms is None else "NOT_CAUGHT_UP", None, ()
        until_ms = self._in_force[1]
        if until_ms is None or now_ms >= until_ms:
            return "NO_LEASE" if until_ms is None else "LEASE_EXPIRED", None, ()
        wanted, relied_on = list(dict.fromkeys(scopes)), []
        for scope in wanted:  # parents join its end while it is read
            known = self._scopes.get(scope, _Known())
            if known.verdict != "CLOSED":
                return f"{'' if scope in scopes else 'PARENT_'}{known.verdict}", scope, ()
            relied_on += [(scope, *known.number)]
            wanted += [each for each in known.parents if each not in wanted]
        return "GRANTED", None, tuple(relied_on)
