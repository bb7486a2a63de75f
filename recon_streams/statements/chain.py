"""The chain of an account's statements: each opens with the closing of the one before.

Balances prove the chain; numbers only name what is missing from it. They are optional, restart in
January at some banks, and skip at others without a statement being lost: where the balances
connect, nothing is missing whatever the numbers say. Electronic and legal numbers count apart.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum, unique
from typing import Final

import msgspec

from recon_streams.kernel.money import normal, subtract

# More skipped numbers than this are another way of counting, not lost statements.
MISSING_MAX: Final = 31
_TWO: Final = 2
# A statement that does not say when it was made is older than any that does.
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one statement, as the chain sees it.

    Attributes:
        key: Equal for all versions of one statement.
        version: From 1, by arrival.
        content: Digest of what it says.
        origin: The input that completed it, `topic/partition/offset`; with the place in it.
        status: ACCEPTED, or why it does not count: SUPERSEDED, UNBALANCED, OBSERVED, WAITING.
    """

    closing_on: date
    opening: Decimal | None
    closing: Decimal | None
    key: bytes
    content: bytes
    origin: str
    path: str
    message: str = "camt.053"
    version: int = 1
    statement_id: str | None = None
    electronic_sequence: int | None = None
    legal_sequence: int | None = None
    opening_on: date | None = None
    opening_code: str | None = None
    closing_code: str | None = None
    created_at: datetime | None = None
    status: str = "ACCEPTED"

    @property
    def name(self) -> str:
        """What a discrepancy about this statement is called: its day and, if it has one, number."""
        sequence = self.electronic_sequence or self.legal_sequence
        return f"{self.closing_on}" + (f"#{sequence}" if sequence is not None else "")


@unique
class Relation(StrEnum):
    """How a statement follows another."""

    CONNECTED = "CONNECTED"  # it opens with the closing before it
    RENUMBERED = "RENUMBERED"  # it does, though numbers are skipped
    GAP = "GAP"  # it does not, and the numbers say what is missing
    BACKWARD = "BACKWARD"  # it does not, and its number is not a later one
    BROKEN = "BROKEN"  # it does not, and its number says that nothing is missing, or there is none
    UNKNOWN = "UNKNOWN"  # one of the two balances is not known


class Continuity(msgspec.Struct, frozen=True, kw_only=True):
    """What was found between two neighbours.

    Attributes:
        difference: The opening less the closing before it; None where one is not known.
        missing: Numbers of the statements between them.
    """

    relation: Relation
    difference: Decimal | None = None
    missing: tuple[int, ...] = ()

    @property
    def connects(self) -> bool:
        """Whether nothing is missing between the two."""
        return self.relation in {Relation.CONNECTED, Relation.RENUMBERED}


def continuity(before: Link, after: Link) -> Continuity:
    """Return how `after` follows `before`, its neighbour in the chain."""
    if before.closing is None or after.opening is None:
        return Continuity(relation=Relation.UNKNOWN)
    difference = normal(subtract(after.opening, before.closing))
    step = _step(before, after)
    if not difference:
        relation = Relation.CONNECTED if step in {None, 1} else Relation.RENUMBERED
        return Continuity(relation=relation, difference=difference)
    if step is None or step == 1:
        return Continuity(relation=Relation.BROKEN, difference=difference)
    if step < 1:
        return Continuity(relation=Relation.BACKWARD, difference=difference)
    last = _number(before, after)[1]
    missing = tuple(range(last - step + 1, last)) if step - 1 <= MISSING_MAX else ()
    relation = Relation.GAP if missing else Relation.BROKEN
    return Continuity(relation=relation, difference=difference, missing=missing)


def _number(before: Link, after: Link) -> tuple[int | None, int]:
    """Return the numbers of both, of the kind that both have."""
    if before.electronic_sequence is not None and after.electronic_sequence is not None:
        return before.electronic_sequence, after.electronic_sequence
    if before.legal_sequence is not None and after.legal_sequence is not None:
        return before.legal_sequence, after.legal_sequence
    return None, 0


def _step(before: Link, after: Link) -> int | None:
    """Return by how much the number grows; from 0 where it restarted with a new year."""
    first, second = _number(before, after)
    if first is None:
        return None
    is_new_year = after.closing_on.year > before.closing_on.year
    if second <= first and is_new_year:
        return second
    return second - first


def is_later(one: Link, other: Link, *, are_all: bool = False) -> bool:
    """Return whether `one` comes after `other` in the chain.

    By day; within a day by number, else by which of the two opens with the other's closing, else
    by when the bank made them. Where they `are_all` of their day balances speak before numbers,
    which may have restarted; of three the last may close with what the first opened with.
    """
    if one.closing_on != other.closing_on:
        return one.closing_on > other.closing_on
    goes_on, goes_back = one.opening == other.closing, one.closing == other.opening
    if are_all and goes_on != goes_back and None not in {one.opening, other.opening}:
        return goes_on
    theirs, own = _number(other, one)
    if theirs is not None and theirs != own:
        return own > theirs
    if one.opening != other.closing and one.closing == other.opening:
        return False
    if one.opening == other.closing and one.closing != other.opening:
        return True
    return _made(one) > _made(other)


def neighbours(links: Iterable[Link], link: Link) -> tuple[Link | None, Link | None]:
    """Return the statements right before and after `link` among `links`, which count."""
    others = [
        each
        for each in links
        if each.key != link.key
        and each.status == "ACCEPTED"
        and not (_covers(link, each) or _covers(each, link))
    ]
    days = Counter(each.closing_on for each in (*others, link))
    before: Link | None = None
    after: Link | None = None
    for other in others:
        are_all = days[other.closing_on] == _TWO
        if is_later(link, other, are_all=are_all):
            if before is None or is_later(other, before, are_all=are_all):
                before = other
        elif after is None or is_later(after, other, are_all=are_all):
            after = other
    return before, after


def _covers(long: Link, short: Link) -> bool:
    """Return whether `long` tells the days of `short` again, as one of a month does."""
    since, until = long.opening_on, long.closing_on
    if since is None or not since <= short.closing_on <= until:
        return False
    if short.closing_on == until:
        begins = short.opening_on or short.closing_on
        return since < begins and long.closing == short.closing and long.opening != short.opening
    if short.closing_on == since:
        # Banks print an opening under its own day or under the day before; only balances tell.
        return long.opening == short.opening != short.closing
    return True


def earlier_version(links: Sequence[Link], link: Link) -> Link | None:
    """Return the version of the same statement that counts now, or None.

    It is the same statement if the day and the number are the same; without numbers, if the day
    and the id, or the day and the opening are. One that opens with the closing of another is never
    a version of it.
    """
    for other in links:
        if other.closing_on != link.closing_on or other.status != "ACCEPTED":
            continue
        if _is_same_statement(other, link):
            return other
    return None


def _is_same_statement(one: Link, other: Link) -> bool:
    goes_on = one.closing == other.opening or other.closing == one.opening
    if goes_on and one.opening != other.opening:
        # It goes on where the other one ended, whatever they are called: a second one of the day.
        return False
    first, second = _number(one, other)
    if first is not None:
        return first == second
    if one.statement_id and one.statement_id == other.statement_id:
        return True
    return one.opening == other.opening


def is_older_version(link: Link, other: Link) -> bool:
    """Return whether the bank made `link` before `other`, which was known first."""
    return _made(link) < _made(other)


def _made(link: Link) -> datetime:
    return link.created_at or _EPOCH
