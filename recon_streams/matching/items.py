"""The two kinds of things that are matched, and an order of them that no arrival can change."""

from datetime import date
from decimal import Decimal
from enum import StrEnum, unique
from typing import NamedTuple, TypeAlias

import msgspec


@unique
class Side(StrEnum):
    """Where an item comes from; the letter is what tables hold."""

    BANK = "B"
    LEDGER = "L"


class ItemKey(NamedTuple):
    """Names an item within its account.

    Of a bank item: the account event that brought it and the part of it. Of a ledger item: its
    ledger sequence, and part 0.
    """

    sequence: int
    part: int = 0


class BankItem(msgspec.Struct, frozen=True, kw_only=True):
    """What the bank booked once: a whole entry, or a transaction of a batch.

    Attributes:
        on: The booking day of the statement; until there is one, of whoever told it first.
        servicer_reference: The bank's own, of the transaction; else of the entry it is in.
        entry_reference: The bank's own of the entry; a ledger may know either of the two.
        amount: Signed: what the booked balance rose by.
    """

    key: ItemKey
    on: date
    amount: Decimal
    value_on: date | None = None
    uetr: str | None = None
    servicer_reference: str | None = None
    entry_reference: str | None = None
    clearing_reference: str | None = None
    end_to_end_id: str | None = None
    batch_reference: str | None = None
    counterparty: str | None = None
    remittance: str | None = None
    arrived_on: date | None = None

    @property
    def side(self) -> Side:
        """Return the side it is on."""
        return Side.BANK

    @property
    def name(self) -> str:
        """Return what people and findings call it."""
        return f"bank:{self.key.sequence}.{self.key.part}"

    @property
    def content(self) -> tuple[object, ...]:
        """Return all that can tell it from another one; equal contents are interchangeable."""
        return (
            self.on, self.amount, self.value_on or date.min, self.uetr or "",
            self.servicer_reference or "", self.entry_reference or "",
            self.clearing_reference or "", self.end_to_end_id or "", self.batch_reference or "",
            self.counterparty or "", self.remittance or "",
        )  # fmt: skip


class LedgerItem(msgspec.Struct, frozen=True, kw_only=True):
    """A movement of the ledger.

    Attributes:
        on: The day of the movement in the account's zone.
        amount: Signed: what the ledger balance rose by.
    """

    key: ItemKey
    movement_id: str
    on: date
    amount: Decimal
    kind: str = ""
    uetr: str | None = None
    bank_reference: str | None = None
    reference: str | None = None
    batch_reference: str | None = None
    counterparty: str | None = None

    @property
    def side(self) -> Side:
        """Return the side it is on."""
        return Side.LEDGER

    @property
    def name(self) -> str:
        """Return what people and findings call it."""
        return f"ledger:{self.movement_id}"

    @property
    def content(self) -> tuple[object, ...]:
        """Return all that can tell it from another one but its own id."""
        return (
            self.on, self.amount, self.uetr or "", self.bank_reference or "",
            self.reference or "", self.batch_reference or "", self.counterparty or "",
        )  # fmt: skip


Item: TypeAlias = BankItem | LedgerItem


def in_order(item: Item) -> tuple[object, ...]:
    """Return the sort key of `item`: by content; the number only where contents are equal."""
    return (*item.content, item.key)
