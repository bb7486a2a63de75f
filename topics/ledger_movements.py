"""`ledger.movements`: what the ledger did, or announces it is about to do.

Movements (`issue`, `redeem`, `transfer`, `fee`, `adjustment`) change the tokens in circulation.
Announcements (`hold`, `release`, `payout`, `deposit`) change no balance: they name a payment with
its reference, amount and due instant, so that the seconds between its two legs can be explained.
"""

from typing import Annotated, Literal

import msgspec

from topics.words import AccountId, AmountText, CurrencyCode, Instant, LedgerSequence, RecordId
from topics.words import Reference as PaymentReference

SchemaVersion = Annotated[
    Literal[1], msgspec.Meta(description="The major version of the contract.")
]


class _LedgerRecord(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True
):
    movement_id: RecordId
    account_id: AccountId
    currency: CurrencyCode
    ledger_sequence: LedgerSequence
    occurred_at: Instant
    schema_version: SchemaVersion = 1


class Issue(_LedgerRecord, frozen=True, kw_only=True, tag="issue"):
    """Tokens came into being: the ledger balance rises by `amount`."""

    amount: AmountText
    reference: PaymentReference | None = None


class Redeem(_LedgerRecord, frozen=True, kw_only=True, tag="redeem"):
    """Tokens ceased to be: the ledger balance falls by `amount`."""

    amount: AmountText
    reference: PaymentReference | None = None


class Transfer(_LedgerRecord, frozen=True, kw_only=True, tag="transfer"):
    """One leg of a transfer between two ledger accounts; each leg is a record of its own."""

    amount: AmountText
    direction: Literal["in", "out"]
    reference: PaymentReference | None = None


class Fee(_LedgerRecord, frozen=True, kw_only=True, tag="fee"):
    """A fee taken from the account: the ledger balance falls by `amount`."""

    amount: AmountText
    reference: PaymentReference | None = None


class Adjustment(_LedgerRecord, frozen=True, kw_only=True, tag="adjustment"):
    """A correction somebody answers for."""

    amount: AmountText
    direction: Literal["in", "out"]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=140)]
    reference: PaymentReference | None = None


class Hold(_LedgerRecord, frozen=True, kw_only=True, tag="hold"):
    """Tokens locked for a payment; counted in the ledger balance, not payable again."""

    reference: PaymentReference
    amount: AmountText
    due_at: Instant | None = None
    rail: Annotated[str, msgspec.Meta(min_length=1, max_length=32)] | None = None


class Release(_LedgerRecord, frozen=True, kw_only=True, tag="release"):
    """The hold or announcement with this reference is over; it explains nothing any more."""

    reference: PaymentReference


class Payout(_LedgerRecord, frozen=True, kw_only=True, tag="payout"):
    """A payment ordered at the bank, to be debited by `due_at`."""

    reference: PaymentReference
    amount: AmountText
    due_at: Instant | None = None
    rail: Annotated[str, msgspec.Meta(min_length=1, max_length=32)] | None = None


class Deposit(_LedgerRecord, frozen=True, kw_only=True, tag="deposit"):
    """Money expected at the bank, to be issued by `due_at`; it never excuses a shortage."""

    reference: PaymentReference
    amount: AmountText
    due_at: Instant | None = None
    rail: Annotated[str, msgspec.Meta(min_length=1, max_length=32)] | None = None


Movement = Issue | Redeem | Transfer | Fee | Adjustment
Announcement = Hold | Payout | Deposit
LedgerRecord = Issue | Redeem | Transfer | Fee | Adjustment | Hold | Release | Payout | Deposit
