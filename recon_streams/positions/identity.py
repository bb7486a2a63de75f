"""When two bank entries are one payment: the ladder of references.

No single reference is unique: banks reuse servicer references within a message, payers repeat
end-to-end ids, and one movement appears in several messages under other message ids and booking
dates. So each entry gets several *marks*, strongest first, each bound to currency and amount:

    UETR > servicer reference of the transaction > of the entry > clearing reference > end-to-end id

    > its parts, of a batch > what it looks like: amount, day, code, other party, text

The last rung tells apart nothing that is really alike, so only a message that lists a whole day may
use it: there a payment that another message announced must be among those listed.

Two observations are one payment when they share a mark, their booking dates are near, and on no
stronger rung both carry different marks. What a known payment carries is everything that any
observation of it gave. Equal marks within one message are never one payment: there each occurrence
stands for itself; the k-th pairs with the k-th of another message.
"""

from collections.abc import Collection
from datetime import date, timedelta
from decimal import Decimal
from enum import IntEnum, unique
from hashlib import blake2b
from typing import Final

import msgspec

from recon_streams.iso20022.values import Detail, Entry
from recon_streams.kernel.money import amount_text, normal

# References are reused across years and, rarely, across months; a payment is reported within days.
NEAR: Final = timedelta(days=10)


@unique
class Rung(IntEnum):
    """How strongly a reference identifies a payment; lower is stronger."""

    UETR = 1
    TRANSACTION_SERVICER_REFERENCE = 2
    ENTRY_SERVICER_REFERENCE = 3
    CLEARING_REFERENCE = 4
    END_TO_END_ID = 5
    PARTS = 6  # a batch without a reference of its own: its parts together name it
    COMPOSITE = 7  # no reference in common: all that the entry says of itself
    MEMBER = 8  # no way to recognise anything: a batch that came later is the sum of this too


class Mark(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One way to recognise a payment: a rung and a digest over reference, currency and amount."""

    rung: Rung
    digest: bytes


def digest_of(*parts: str) -> bytes:
    """Return 16 bytes that stand for `parts`; length-prefixed, so no two lists read the same."""
    joined = "".join([f"{len(part)}:{part}" for part in parts])
    return blake2b(joined.encode(), digest_size=16).digest()


def marks_of_entry(entry: Entry, detail: Detail | None, signed: str) -> tuple[Mark, ...]:
    """Return the marks of a whole entry, strongest first.

    `detail` is its only transaction, whose references then speak for the entry; None for a batch.
    `signed` is the text of its amount.
    """
    marks = _marks_of_detail(entry, detail, signed, entry.currency) if detail else []
    if entry.servicer_reference:
        mark = _mark(
            Rung.ENTRY_SERVICER_REFERENCE, entry.servicer_reference, entry.currency, signed
        )
        marks.append(mark)
    return tuple(sorted(marks, key=_rung_of)) if len(marks) > 1 else tuple(marks)


def marks_of_part(entry: Entry, detail: Detail, signed_amount: Decimal) -> tuple[Mark, ...]:
    """Return the marks of one transaction of a batch, strongest first."""
    currency = detail.currency or entry.currency
    return tuple(_marks_of_detail(entry, detail, amount_text(normal(signed_amount)), currency))


def mark_of_batch(entry: Entry, parts: tuple[tuple[Mark, ...], ...], signed: str) -> Mark:
    """Return the mark of a batch as the sum of its parts; `signed` is the text of its amount."""
    names = sorted(mark.digest.hex() for marks in parts for mark in marks)
    return _mark(Rung.PARTS, ",".join(names), entry.currency, signed)


def mark_of_members(number: int, sequence: int) -> Mark:
    """Return the mark of what a batch is the sum of that was known before it, by its event."""
    return Mark(Rung.MEMBER, digest_of(str(int(Rung.MEMBER)), str(number), str(sequence)))


def looks_of(entry: Entry, signed: str) -> tuple[Mark, ...]:
    """Return how an entry looks: without any reference, with some, and on a page of a statement.

    Three marks, so that a search for the first kind need not go through the others: a statement may
    a million entries that look alike. Empty without a day. `signed` is the text of the amount.
    """
    if entry.booked_on is None:
        return ()
    looks = [entry.bank_transaction_code or entry.bank_transaction_proprietary or ""]
    if len(entry.details) == 1:
        detail = entry.details[0]
        looks += [detail.counterparty_account or "", *detail.remittance]
        looks += detail.creditor_references
    texts = [" ".join(part.split()).casefold() for part in looks]
    digest = digest_of(entry.booked_on.isoformat(), entry.currency, signed, *texts)
    return (
        Mark(Rung.COMPOSITE, b"\0" + digest),
        Mark(Rung.COMPOSITE, b"\1" + digest),
        Mark(Rung.COMPOSITE, b"\2" + digest),
    )


def is_near(one: date | None, other: date | None) -> bool:
    """Return whether two booking dates may belong to one payment; an unknown date may."""
    return one is None or other is None or abs(one - other) <= NEAR


def contradicts(marks: Collection[Mark], carried: Collection[Mark], *, shared: Rung) -> bool:
    """Return whether `marks` and those a payment has `carried` differ on a rung above `shared`.

    They differ where both have marks, and none in common; where one has none, nothing is said.
    """
    for rung in {mark.rung for mark in marks if mark.rung < shared}:
        theirs = {mark for mark in carried if mark.rung == rung}
        if theirs and theirs.isdisjoint(marks):
            return True
    return False


def _marks_of_detail(entry: Entry, detail: Detail, signed: str, currency: str) -> list[Mark]:
    marks = []
    if detail.uetr:
        marks.append(_mark(Rung.UETR, detail.uetr, currency, signed))
    if detail.servicer_reference:
        reference = detail.servicer_reference
        marks.append(_mark(Rung.TRANSACTION_SERVICER_REFERENCE, reference, currency, signed))
    clearing = detail.clearing_reference or detail.transaction_id
    if clearing:
        marks.append(_mark(Rung.CLEARING_REFERENCE, clearing, currency, signed))
    if detail.end_to_end_id and detail.counterparty_account and entry.booked_on:
        # Payers repeat their ids, a standing order every month: only together with the other
        # party and the very day does this one name a payment.
        day = entry.booked_on.isoformat()
        reference = f"{detail.end_to_end_id}\n{detail.counterparty_account}\n{day}"
        marks.append(_mark(Rung.END_TO_END_ID, reference, currency, signed))
    payment_file = detail.payment_information_id or entry.batch_payment_information_id
    if detail.end_to_end_id and payment_file and entry.booked_on:
        # Within the file that it was paid with an id is the payer's own name of the payment.
        day = entry.booked_on.isoformat()
        reference = f"{detail.end_to_end_id}\n\n{payment_file}\n{day}"
        marks.append(_mark(Rung.END_TO_END_ID, reference, currency, signed))
    return marks


def _mark(rung: Rung, reference: str, currency: str, signed: str) -> Mark:
    return Mark(rung, digest_of(_NUMBERS[rung], reference, currency, signed))


def _rung_of(mark: Mark) -> int:
    return mark.rung


_NUMBERS: Final = {rung: str(int(rung)) for rung in Rung}
