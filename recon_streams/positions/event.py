"""What can happen to an account: the gapless log its state is folded from.

Everything a fold needs is in the event. Facts that had to be looked up when it was recorded (was
this payment seen before, which legs had arrived) are written into it, so that folding the log again
needs no look-up and gives the same bytes.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum, unique

import msgspec


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The input an event came from, and the place in it."""

    topic: str
    partition: int
    offset: int
    path: str = ""


class Leg(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Part of a movement that names a payment: its reference and the signed amount."""

    reference: str
    amount: Decimal


class HeldBack(msgspec.Struct, frozen=True, array_like=True):
    """What the pages of one statement book on one day, and the balance waits for.

    `hold` names the statement; `amount` is added to what waits: less than nothing where it counts
    now, or on another day.
    """

    hold: str
    on: str  # the day, as in 2026-11-20
    amount: Decimal


class Wait(msgspec.Struct, frozen=True, array_like=True):
    """A page waits for the other pages of its statement, called `hold`, no longer than `until`."""

    hold: str
    until: datetime


class _Event(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", gc=False
):
    at: datetime  # when it arrived: the log's append time, or the due instant of a tick
    evidence: Evidence | None = None


class Registered(_Event, frozen=True, kw_only=True, gc=False, tag="registered"):
    """The account exists, with the opening figures somebody attested, if any."""

    bank: Decimal | None = None
    ledger: Decimal | None = None
    ledger_sequence: int = 0
    as_of: datetime | None = None


class RulesChanged(_Event, frozen=True, kw_only=True, gc=False, tag="rules_changed"):
    """From here on another version of the rules judges; balances stay as they are.

    `parents` are the scopes that stand above the account from now on; None if that did not change.
    """

    version: int
    parents: tuple[str, ...] | None = None


class BankMoved(_Event, frozen=True, kw_only=True, gc=False, tag="bank_moved"):
    """The bank booked an entry: the booked balance changes by `amount`, signed.

    `amount` is the entry less what earlier notifications of its parts had already booked;
    `entry_amount` is what the bank printed, signed; `remainder` is what a batch books beyond the
    transactions in it that can be recognised on their own (charges, unitemised payments).
    `message` is the kind of message that told it first.

    Or what was held back counts now: because another message told of it, because the statement in
    pages that held it turned out not to add up, or because its pages did not come in time. The last
    has no evidence: nobody spoke. `settles` names statements for which nothing waits any more.
    """

    amount: Decimal
    entry_amount: Decimal
    remainder: Decimal | None = None
    legs: tuple[Leg, ...] = ()
    message: str = "camt.054"
    held: tuple[HeldBack, ...] = ()
    settles: tuple[str, ...] = ()


class BankObserved(_Event, frozen=True, kw_only=True, gc=False, tag="bank_observed"):
    """The bank said something new that moves nothing: pending, information, future value.

    Or an entry that the bank's anchor contains, attested or stated; `legs` are the payments it
    names. They count, as those of ledger movements do that the ledger's anchor contains.

    Or a page of a statement that is known to add up, of which others are still on their way:
    `held` is what it books, which `waits` for them.
    """

    legs: tuple[Leg, ...] = ()
    message: str = "camt.054"
    held: tuple[HeldBack, ...] = ()
    waits: Wait | None = None
    settles: tuple[str, ...] = ()


class BankStated(_Event, frozen=True, kw_only=True, gc=False, tag="bank_stated"):
    """A statement that adds up closed a day: `amount` is the booked balance at the end of it.

    `moved_after` is the sum of what the bank is known to have booked on later days, without what
    still waits for other pages. `settles` names the statement itself, if it came in pages. One that
    `is_early` came before its day was over, and more of that day may follow.
    """

    amount: Decimal
    closing_on: date
    moved_after: Decimal
    is_early: bool = False
    settles: tuple[str, ...] = ()


class LedgerMoved(_Event, frozen=True, kw_only=True, gc=False, tag="ledger_moved"):
    """The ledger balance changes by `amount`, signed, at its own sequence number."""

    amount: Decimal
    ledger_sequence: int
    occurred_at: datetime
    reference: str | None = None


class LedgerBalanced(_Event, frozen=True, kw_only=True, gc=False, tag="ledger_balanced"):
    """The ledger stated its balance through `ledger_sequence`.

    `moved_after` is the sum of the movements beyond that sequence that had already arrived.
    """

    amount: Decimal
    ledger_sequence: int
    as_of: datetime
    moved_after: Decimal


@unique
class ItemKind(StrEnum):
    """What the ledger announced."""

    HOLD = "hold"
    PAYOUT = "payout"
    DEPOSIT = "deposit"


class Announced(_Event, frozen=True, kw_only=True, gc=False, tag="announced"):
    """The ledger named a payment. The legs are those that had arrived before the announcement.

    Of two announcements (or an announcement and a release) of one reference the one with the
    higher ledger sequence counts, whatever order they arrive in.
    """

    item: ItemKind
    reference: str
    amount: Decimal
    due_at: datetime
    ledger_sequence: int
    occurred_at: datetime
    bank_leg: Decimal
    ledger_leg: Decimal
    released: bool = False


class Released(_Event, frozen=True, kw_only=True, gc=False, tag="released"):
    """The announcement with this reference is over."""

    reference: str
    ledger_sequence: int
    occurred_at: datetime


class Elapsed(_Event, frozen=True, kw_only=True, gc=False, tag="elapsed"):
    """An instant the account was waiting for has passed: a due payment, a silence, a dwell."""


class Tripped(_Event, frozen=True, kw_only=True, gc=False, tag="tripped"):
    """Somebody stopped it by hand: `actor`, and what they said."""

    actor: str
    words: str


class Reset(_Event, frozen=True, kw_only=True, gc=False, tag="reset"):
    """Two people let it go, under the request `approval_id`."""

    approval_id: int
    maker: str
    checker: str
    words: str


class Overridden(_Event, frozen=True, kw_only=True, gc=False, tag="overridden"):
    """Two people force it to be CLOSED until then, whatever they knew of when they agreed."""

    approval_id: int
    maker: str
    checker: str
    words: str
    until: datetime


AccountEvent = (
    Registered
    | RulesChanged
    | BankMoved
    | BankObserved
    | BankStated
    | LedgerMoved
    | LedgerBalanced
    | Announced
    | Released
    | Elapsed
    | Tripped
    | Reset
    | Overridden
)

_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER: msgspec.json.Decoder[AccountEvent] = msgspec.json.Decoder(AccountEvent)


def event_bytes(event: AccountEvent) -> bytes:
    """Return the one spelling of `event`: JSON, amounts and instants as text."""
    return _ENCODER.encode(event)


def event_from_bytes(payload: bytes) -> AccountEvent:
    """Return the event that `event_bytes` wrote."""
    return _DECODER.decode(payload)
