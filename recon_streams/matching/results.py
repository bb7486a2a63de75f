"""What matching answers: matches, suggestions, ambiguities, and what stays open with the reason."""

from datetime import date
from decimal import Decimal
from enum import StrEnum, unique

import msgspec

from recon_streams.kernel.money import ZERO
from recon_streams.matching.items import ItemKey, Side


@unique
class Why(StrEnum):
    """The first thing that kept an item from its nearest candidate."""

    NO_CANDIDATE = "NO_CANDIDATE"  # the other side has nothing open that comes near
    REFERENCE = "REFERENCE"  # both have a reference, and they differ
    AMOUNT = "AMOUNT"  # the amounts differ by more than a tolerance or a fee explains
    DATE = "DATE"  # too many business days between
    SCORE = "SCORE"  # nothing contradicts, too little speaks for it
    DUPLICATE = "DUPLICATE"  # its like, with this reference and amount, is matched already
    SUGGESTED = "SUGGESTED"  # a person is asked
    AMBIGUOUS = "AMBIGUOUS"  # several are equally good
    APART = "APART"  # somebody has taken the two apart by hand
    UNSEARCHED = "UNSEARCHED"  # more open items or steps than a search may take


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """Items that are one.

    Attributes:
        rule: The pass that found it.
        difference: Bank less ledger.
        explained_by: What allows the difference: "tolerance", "fee NAME", or "" if there is none.
        because: Every predicate with its numbers.
    """

    rule: str
    score: int
    bank: tuple[ItemKey, ...]
    ledger: tuple[ItemKey, ...]
    difference: Decimal = ZERO
    explained_by: str = ""
    because: tuple[str, ...] = ()


class Ambiguity(msgspec.Struct, frozen=True, kw_only=True):
    """Items that could be matched in several ways, none better than another."""

    rule: str
    bank: tuple[ItemKey, ...]
    ledger: tuple[ItemKey, ...]
    because: str


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An item of the other side that comes near, and the first thing in its way."""

    key: ItemKey
    name: str
    amount: Decimal
    on: date
    failing: Why
    text: str
    reference_equal: bool = False


class Unmatched(msgspec.Struct, frozen=True, kw_only=True):
    """An item that stays open."""

    side: Side
    key: ItemKey
    why: Why
    text: str
    candidates: tuple[Candidate, ...] = ()


class Matching(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one account. Each item is in at most one match or suggestion."""

    matches: tuple[Match, ...]
    suggestions: tuple[Match, ...]
    ambiguous: tuple[Ambiguity, ...]
    unmatched: tuple[Unmatched, ...]
