"""The rules of the guard, pure: records, ends of the log and instants in, permits out.

Nothing here reads a clock or a network. Safe from any thread; a question waits for the few
microseconds in which a record is taken in, and for nothing else.
"""

import threading
from collections import Counter, deque
from typing import Final

import msgspec

from recon_streams.client.permit import Permit
from recon_streams.client.records import Keys, LogRecord, Number, Unusable, read
from topics.breaker import LEASE_KEY, LEASE_MS_MAX, BreakerRecord, BreakerState, LeaseRecord

SAFETY_MS: Final = 500
_ENDS_MAX: Final = 1_000  # answers without a record behind them; leaving out the oldest only denies


class _Known(msgspec.Struct):
    """What is known of one scope: its highest (epoch, seq), and what follows from it."""

    number: Number = ()
    verdict: str = "UNKNOWN_SCOPE"
    parents: tuple[str, ...] = ()


class Follower:
    """Follows one log of breaker records and answers for it.

    Attributes:
        next_offset: Everything below it has been applied.
        is_caught_up: Whether the log has been read to where it ended at the first look.
        counts: What was answered (`granted`, `denied:REASON`) and left out (`dropped:REASON`).
    """

    def __init__(self, keys: Keys, *, safety_ms: int = SAFETY_MS) -> None:
        if not 1 <= safety_ms < LEASE_MS_MAX:
            raise ValueError(f"safety_ms: {safety_ms} is not between 1 and {LEASE_MS_MAX - 1}")
        self._keys, self._safety_ms, self._lock = keys, safety_ms, threading.Lock()
        self.counts: Counter[str] = Counter()
        self._start_over()

    def _start_over(self) -> None:
        self.next_offset, self.is_caught_up = 0, False
        self._goal: int | None = None
        self._ends: deque[tuple[int, int]] = deque(maxlen=_ENDS_MAX)  # (asked at, end), both rise
        self._scopes: dict[str, _Known] = {}
        # Leases by (publisher epoch, lease seq): the highest on the log, and the one in force.
        self._seen: Number = ()
        self._in_force: Number = ()
        self._seen_anchor_ms: int | None = None
        self._until_ms: int | None = None

    def note_end(self, asked_at_ms: int, end: int | None) -> bool:
        """Note that a question sent at `asked_at_ms` was answered: the log ends before `end`.

        No `end`: somebody else answers now, and what was said before is no proof any more.

        Returns:
            False if the log has gone back: it is another one, all is forgotten, read from 0.
        """
        with self._lock:
            if end is None:
                self._ends.clear()
                return True
            went_back = end < max(self.next_offset, self._ends[-1][1] if self._ends else 0)
            if went_back:
                self._start_over()
            if self._ends and self._ends[-1][1] == end:
                self._ends.pop()
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
        said = read(record, self._keys)
        with self._lock:
            if record.offset < self.next_offset:
                return None
            self.pass_over(record.offset + 1)
            if isinstance(said, LeaseRecord):
                dropped = self._apply_lease(said, record.offset)
            else:
                dropped = self._apply_state(record.key or b"", said)
            if dropped:
                self.counts[f"dropped:{dropped}"] += 1
            return said if dropped is None and isinstance(said, BreakerRecord) else None

    def permit(self, scopes: tuple[str, ...], now_ms: int | None, payout_id: str | None) -> Permit:
        """Return the answer for a payout that needs all `scopes`; no instant: nobody reads."""
        with self._lock:
            relied_on: list[tuple[str, int, int]] = []
            reason, denied_by = self._judge(scopes, now_ms, relied_on)
            granted = reason == "GRANTED"
            self.counts["granted" if granted else f"denied:{reason}"] += 1
            epoch, seq = self._scopes.get(scopes[0], _Known()).number or (None, None)
            publisher_epoch, lease_seq = self._in_force or (None, None)
            lease = publisher_epoch, lease_seq, tuple(relied_on) if granted else ()
            return Permit(granted, reason, scopes[0], denied_by, payout_id, epoch, seq, *lease)

    def _anchor_ms(self, offset: int) -> int | None:
        """Return the last instant at which `offset` was known not to be there yet."""
        while len(self._ends) > 1 and self._ends[1][1] <= offset:
            self._ends.popleft()
        return self._ends[0][0] if self._ends and self._ends[0][1] <= offset else None

    def _apply_lease(self, lease: LeaseRecord, offset: int) -> str | None:
        number, before = (lease.publisher_epoch, lease.lease_seq), self._seen
        if lease.covers != "all" or lease.state_head.offset >= offset:
            return "LEASE_OF_ANOTHER_LOG"
        if number <= before:
            return "STALE_LEASE"
        self._seen, anchor_ms = number, self._seen_anchor_ms
        self._seen_anchor_ms = self._anchor_ms(offset)
        if before != (number[0], number[1] - 1) or anchor_ms is None:
            return "LEASE_FOLLOWS_ON_NONE"
        until_ms = anchor_ms + min(lease.ttl_ms, LEASE_MS_MAX) - self._safety_ms
        if self._until_ms is None or until_ms > self._until_ms:
            self._until_ms, self._in_force = until_ms, number
        return None

    def _apply_state(self, key: bytes, said: BreakerRecord | Unusable) -> str | None:
        """Return why it is left out; nothing if it is only repeated, None if it is news."""
        scope = key.decode(errors="replace")
        if key in {b"", LEASE_KEY} or scope.encode() != key:
            return said.reason if isinstance(said, Unusable) else "UNREADABLE"
        known = self._scopes.setdefault(scope, _Known())
        if isinstance(said, Unusable):
            known.verdict, known.number = said.reason, max(known.number, said.number)
            return said.reason
        number, before = (said.epoch, said.seq), known.number
        if number < before:
            return "STALE_RECORD"
        verdict = "GRANTED" if said.state == BreakerState.CLOSED else said.state.value
        known.number, known.verdict, known.parents = number, verdict, said.parent_scopes
        return None if number > before else ""

    def _judge(
        self, scopes: tuple[str, ...], now_ms: int | None, relied_on: list[tuple[str, int, int]]
    ) -> tuple[str, str | None]:
        """Return the reason and the scope that denies, if one does; note what it hangs on."""
        if now_ms is None or not self.is_caught_up:
            return "NOT_RUNNING" if now_ms is None else "NOT_CAUGHT_UP", None
        if self._until_ms is None or now_ms >= self._until_ms:
            return "NO_LEASE" if self._until_ms is None else "LEASE_EXPIRED", None
        wanted = list(dict.fromkeys(scopes))
        for scope in wanted:  # parents join its end while it is read
            known = self._scopes.get(scope, _Known())
            if known.verdict != "GRANTED":
                return known.verdict if scope in scopes else f"PARENT_{known.verdict}", scope
            relied_on += [(scope, *known.number)] if known.number else []
            wanted += [each for each in known.parents if each not in wanted]
        return "GRANTED", None
