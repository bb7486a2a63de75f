"""`ledger.movements`: what the ledger did, or announces it is about to do.

Movements (`issue`, `redeem`, `transfer`, `fee`, `adjustment`) change the tokens in circulation.
Announcements (`hold`, `release`, `payout`, `deposit`) change no balance: they name a payment with
its reference, amount and due instant, so that the seconds between its two legs can be explained.
"""

from typing import Annotated, Literal

import msgspec

from topics.words import (
    AccountId,
    AmountText,
    CurrencyCode,
    Instant,
    LedgerSequence,
    Rail,
    Reason,
    RecordId,
    Uetr,
)
from topics.words import Reference as PaymentReference

SchemaVersion = Annotated[
    Literal[1], msgspec.Meta(description="The major version of the contract.")
]


class _LedgerRecord(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True
):
    """What every record of the ledger carries.

    Attributes:
        kind: What the record says; it chooses the fields below.
        movement_id: Names this record for ever.
        account_id: The ledger account it is about.
        currency: The account's currency; the account is registered in it.
        ledger_sequence: The record's place in the account's history.
        occurred_at: When the ledger did or decided it; at most five minutes ahead of the broker.
        schema_version: The major version of the contract.
    """

    movement_id: RecordId
    account_id: AccountId
    currency: CurrencyCode
    ledger_sequence: LedgerSequence
    occurred_at: Instant
    schema_version: SchemaVersion = 1


class _Movement(_LedgerRecord, frozen=True, kw_only=True, omit_defaults=True):
    """What every movement may say of the bank's side of it; the day's matching looks for it there.

    Attributes:
        reference: The payment it belongs to, if it belongs to one.
        uetr: The payment's UETR, if the ledger knows it.
        bank_reference: The reference the bank itself gave to the booking, if the ledger knows it.
        batch_reference: What the movements share that the bank books in one sum, as a settlement
            or payment file. Of a bank's batch it is the `PmtInfId`, else the `MsgId`, that names
            the file.
    """

    reference: PaymentReference | None = None
    uetr: Uetr | None = None
    bank_reference: PaymentReference | None = None
    batch_reference: PaymentReference | None = None


class Issue(_Movement, frozen=True, kw_only=True, tag="issue"):
    """Tokens came into being: the ledger balance rises by `amount`.

    Attributes:
        amount: How much was issued.
    """

    amount: AmountText


class Redeem(_Movement, frozen=True, kw_only=True, tag="redeem"):
    """Tokens ceased to be: the ledger balance falls by `amount`.

    Attributes:
        amount: How much was redeemed.
    """

    amount: AmountText


class Transfer(_Movement, frozen=True, kw_only=True, tag="transfer"):
    """One leg of a transfer between two ledger accounts; each leg is a record of its own.

    Attributes:
        amount: How much moved.
        direction: `in` raises the ledger balance of the account, `out` lowers it.
    """

    amount: AmountText
    direction: Literal["in", "out"]


class Fee(_Movement, frozen=True, kw_only=True, tag="fee"):
    """A fee taken from the account: the ledger balance falls by `amount`.

    Attributes:
        amount: How much was taken.
    """

    amount: AmountText


class Adjustment(_Movement, frozen=True, kw_only=True, tag="adjustment"):
    """A correction somebody answers for.

    Attributes:
        amount: How much was corrected.
        direction: `in` raises the ledger balance of the account, `out` lowers it.
        reason: Why, for whoever reads the account's history.
    """

    amount: AmountText
    direction: Literal["in", "out"]
    reason: Reason


class Hold(_LedgerRecord, frozen=True, kw_only=True, tag="hold"):
    """Tokens locked for a payment; counted in the ledger balance, not payable again.

    Attributes:
        reference: The payment. A later record with the same reference replaces this one.
        amount: How much is locked; the most that this payment can explain.
        due_at: From when on a leg still missing counts as a difference. Without it: `occurred_at`
            plus the rail's due time from the account registry.
        rail: How the payment will travel.
    """

    reference: PaymentReference
    amount: AmountText
    due_at: Instant | None = None
    rail: Rail | None = None


class Release(_LedgerRecord, frozen=True, kw_only=True, tag="release"):
    """The hold or announcement with this reference is over; it explains nothing any more.

    Attributes:
        reference: The payment that will not happen, or is done with.
    """

    reference: PaymentReference


class Payout(_LedgerRecord, frozen=True, kw_only=True, tag="payout"):
    """A payment ordered at the bank, to be debited by `due_at`.

    Attributes:
        reference: The payment. A later record with the same reference replaces this one.
        amount: How much the bank will debit; the most that this payment can explain.
        due_at: From when on a leg still missing counts as a difference. Without it: `occurred_at`
            plus the rail's due time from the account registry.
        rail: How the payment travels.
    """

    reference: PaymentReference
    amount: AmountText
    due_at: Instant | None = None
    rail: Rail | None = None


class Deposit(_LedgerRecord, frozen=True, kw_only=True, tag="deposit"):
    """Money expected at the bank, to be issued by `due_at`; it never excuses a shortage.

    Attributes:
        reference: The payment. A later record with the same reference replaces this one.
        amount: How much the bank will credit; the most that this payment can explain.
        due_at: From when on a leg still missing counts as a difference. Without it: `occurred_at`
            plus the rail's due time from the account registry.
        rail: How the payment travels.
    """

    reference: PaymentReference
    amount: AmountText
    due_at: Instant | None = None
    rail: Rail | None = None


Movement = Issue | Redeem | Transfer | Fee | Adjustment
Announcement = Hold | Payout | Deposit
LedgerRecord = Issue | Redeem | Transfer | Fee | Adjustment | Hold | Release | Payout | Deposit

LEDGER_RECORD_TYPES = (Issue, Redeem, Transfer, Fee, Adjustment, Hold, Release, Payout, Deposit)
