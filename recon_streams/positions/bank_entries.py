"""One booked entry, ready to be looked up in the book and to be written into it. Pure."""

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from recon_streams.iso20022.values import Detail, Direction, Entry
from recon_streams.kernel.money import ZERO, amount_text, normal, subtract
from recon_streams.kernel.refusal import RefusalCode, Refused
from recon_streams.positions.bank_record import EntryRow
from recon_streams.positions.directory import Account
from recon_streams.positions.event import Leg
from recon_streams.positions.identity import (
    Mark,
    Rung,
    digest_of,
    looks_of,
    mark_of_batch,
    marks_of_entry,
    marks_of_part,
)

# A text that is longer is a document, and nobody matches by documents.
_TEXT_MAX: Final = 1_000
# ISO 20022 says 35, and banks exceed it. What keys a row of the book must have an end.
_REFERENCE_MAX: Final = 140


class PreparedPart(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One transaction of a batch that can be recognised on its own."""

    detail: Detail
    signed_amount: Decimal
    marks: tuple[Mark, ...]
    leg: Leg | None


class PreparedEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One booked entry, ready to be looked up.

    `signed_amount` is what it adds to the balance, in the one representation of that amount.
    `in_opening` says that the figure the account began with contains it; `looks` are the weakest
    marks of all, which only a message that lists a whole day may use.
    """

    entry: Entry
    signed_amount: Decimal
    in_opening: bool
    marks: tuple[Mark, ...]
    looks: tuple[Mark, ...]
    parts: tuple[PreparedPart, ...]
    legs: tuple[Leg, ...]

    def look(self, *, is_page: bool) -> Mark | None:
        """Return the one of its looks under which it will be found."""
        if not self.looks:
            return None
        plain, referenced, on_page = self.looks
        if is_page:
            return on_page
        # The strongest mark is the first.
        return referenced if self.marks and self.marks[0].rung < Rung.PARTS else plain


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Which message tells an entry, when, and where it stands.

    Attributes:
        stated: Whether the message is the record of the account's day.
        day_min: No entry of a statement counts before the statement's first day,
        day_max: or after its last.
        is_page: Whether it is one page of several.
        path: Where the report stands in the message.
    """

    message: str
    at: datetime
    origin: str
    stated: bool = False
    day_min: date | None = None
    day_max: date | None = None
    is_page: bool = False
    path: str = ""

    @property
    def arrived_on(self) -> date:
        """The day, in UTC, by which rows are kept apart."""
        return self.at.date()


def prepare_entry(entry: Entry, *, in_opening: bool) -> PreparedEntry:
    """Return `entry` with everything by which it may be recognised."""
    signed_amount = normal(entry.signed_amount)
    text = amount_text(signed_amount)
    looks = looks_of(entry, text)
    if len(entry.details) == 1:
        detail = entry.details[0]
        leg = _leg_of(detail, signed_amount)
        return PreparedEntry(
            entry=entry,
            signed_amount=signed_amount,
            in_opening=in_opening,
            marks=marks_of_entry(entry, detail, text),
            looks=looks,
            parts=(),
            legs=(leg,) if leg else (),
        )
    parts: list[PreparedPart] = []
    others: list[Leg] = []
    for detail in entry.details:
        signed = _signed_part(entry, detail)
        if signed is None:
            continue
        marks, leg = marks_of_part(entry, detail, signed), _leg_of(detail, signed)
        if marks:
            parts.append(PreparedPart(detail=detail, signed_amount=signed, marks=marks, leg=leg))
        elif leg:
            others.append(leg)
    marks = marks_of_entry(entry, None, text)
    if parts:
        marks = (*marks, mark_of_batch(entry, tuple(part.marks for part in parts), text))
    return PreparedEntry(
        entry=entry,
        signed_amount=signed_amount,
        in_opening=in_opening,
        marks=marks,
        looks=looks,
        parts=tuple(parts),
        legs=tuple(others),
    )


def check_scale(entry: Entry, account: Account) -> None:
    """Refuse an amount that is more precise than the account.

    Raises:
        Refused: AMOUNT_TOO_PRECISE.
    """
    if _digits_of(entry.amount) <= account.rules.scale:
        return
    if _digits_of(normal(entry.amount)) > account.rules.scale:
        raise Refused(
            RefusalCode.AMOUNT_TOO_PRECISE,
            f"{entry.path}/Amt",
            f"at most {account.rules.scale} digits after the point in {account.currency}",
        )


def _digits_of(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int), "amounts are finite"
    return -exponent


def day_of(entry: Entry, account: Account, told: Told) -> date:
    """Return the day on which `entry` counts."""
    day = entry.booked_on
    if day is None:
        day = told.at.astimezone(_zone(account.rules.time_zone)).date()
    if told.day_max is not None and day > told.day_max:
        return told.day_max
    if told.day_min is not None and day < told.day_min:
        return told.day_min
    return day


def rows_of(
    prepared: PreparedEntry,
    told: Told,
    *,
    key: tuple[int, int],
    day: date,
    nets: dict[int, Decimal],
) -> list[EntryRow]:
    """Return the rows of a new entry: the entry itself as part 0, and its new transactions.

    Args:
        prepared: The entry.
        told: The message it stands in.
        key: The account, and the sequence of the event that records it.
        day: The day on which it counts.
        nets: What each part adds; parts that are known already are not in it.
    """
    entry = prepared.entry
    number, sequence = key
    only = entry.details[0] if len(entry.details) == 1 else None
    look = prepared.look(is_page=told.is_page)
    base = EntryRow(
        account=number,
        sequence=sequence,
        part=0,
        arrived_on=told.arrived_on,
        booked_on=day,
        value_on=entry.value_on,
        amount=prepared.signed_amount,
        net=nets[0],
        servicer_reference=_bounded(entry.servicer_reference),
        entry_reference=_bounded(entry.servicer_reference),
        batch_reference=_batch_reference(entry),
        code=(entry.bank_transaction_code or entry.bank_transaction_proprietary or "")[:_TEXT_MAX],
        look=look.digest if look else None,
        reversal=entry.reversal,
        message=told.message,
        stated=told.stated,
        origin=told.origin,
        path=entry.path,
    )
    rows = [_with_references(base, only) if only else base]
    for part, each in enumerate(prepared.parts, start=1):
        if part in nets:
            row = replace(
                base,
                part=part,
                amount=normal(each.signed_amount),
                net=nets[part],
                path=each.detail.path,
                look=None,
                servicer_reference=None,
                batch_reference=_bounded(each.detail.payment_information_id)
                or base.batch_reference
                or base.entry_reference,
            )
            rows.append(_with_references(row, each.detail))
    return rows


def _with_references(row: EntryRow, detail: Detail) -> EntryRow:
    text = " ".join((*detail.remittance, *detail.creditor_references))
    return replace(
        row,
        uetr=detail.uetr,
        servicer_reference=_bounded(detail.servicer_reference) or row.servicer_reference,
        clearing_reference=_bounded(detail.clearing_reference or detail.transaction_id),
        end_to_end_id=_bounded(detail.end_to_end_id),
        counterparty=_bounded(detail.counterparty_account),
        remittance=text[:_TEXT_MAX] or None,
    )


def _batch_reference(entry: Entry) -> str | None:
    """Return the payer's name of the payment file, else what its transactions have in common.

    Some banks say it of the group (Btch/PmtInfId), some of each transaction (Refs/PmtInfId). The
    name of the message it was sent in (Btch/MsgId) may be that of several files.
    """
    files = {each.payment_information_id for each in entry.details}
    common = files.pop() if len(files) == 1 else None
    return _bounded(entry.batch_payment_information_id or common or entry.batch_message_id)


def _bounded(reference: str | None) -> str | None:
    """Return `reference`, or its beginning with a digest of all of it: two never become one."""
    if reference is None or len(reference) <= _REFERENCE_MAX:
        return reference
    digest = digest_of(reference).hex()
    return f"{reference[: _REFERENCE_MAX - len(digest) - 1]}~{digest}"


def _signed_part(entry: Entry, detail: Detail) -> Decimal | None:
    """Return what a transaction contributes to its entry, or None where that cannot be told."""
    if detail.amount is None or (detail.currency or entry.currency) != entry.currency:
        return None
    direction = detail.direction or entry.direction
    return detail.amount if direction is Direction.CREDIT else subtract(ZERO, detail.amount)


def _leg_of(detail: Detail, signed: Decimal) -> Leg | None:
    reference = _bounded(
        detail.end_to_end_id or detail.instruction_id or detail.payment_information_id
    )
    return Leg(reference, normal(signed)) if reference else None


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
