"""What a camt.052, 053 or 054 says, in one shape for every version and bank.

Amounts carry no trailing zeros, so that equal amounts have equal text. Instants are in UTC; where
the bank printed no zone they are read as UTC and may be off by the bank's offset. Paths count
elements of one name from 1 (`Ntfctn[1]/Ntry[2]`). All values are frozen and compare by content.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum, unique
from typing import Final

import msgspec

from recon_streams.kernel.money import ZERO, subtract

# Max5NumericText of ISO 20022; what is missing below a larger number could not even be listed.
PAGE_NUMBER_MAX: Final = 99_999


@unique
class Direction(StrEnum):
    """Which way money moves, as seen by the owner of the account; the ISO code is the value."""

    CREDIT = "CRDT"
    DEBIT = "DBIT"


@unique
class EntryStatus(StrEnum):
    """Whether an entry is on the books; the ISO code is the value."""

    BOOKED = "BOOK"
    PENDING = "PDNG"
    INFORMATION = "INFO"
    FUTURE = "FUTR"


@unique
class FindingCode(StrEnum):
    """What is odd about a message that can be read without ambiguity all the same."""

    TEST_MESSAGE = "TEST_MESSAGE"
    SCHEMA_INVALID = "SCHEMA_INVALID"
    SCHEMA_UNKNOWN = "SCHEMA_UNKNOWN"
    NAMESPACE_UNUSUAL = "NAMESPACE_UNUSUAL"
    HEADER_DISAGREES = "HEADER_DISAGREES"
    MARKUP_BETWEEN_ELEMENTS = "MARKUP_BETWEEN_ELEMENTS"
    FOREIGN_ELEMENT = "FOREIGN_ELEMENT"
    ACCOUNT_UNIDENTIFIED = "ACCOUNT_UNIDENTIFIED"
    IBAN_MALFORMED = "IBAN_MALFORMED"
    STATUS_MISSING = "STATUS_MISSING"
    DIRECTION_MISSING = "DIRECTION_MISSING"
    CURRENCY_UNKNOWN = "CURRENCY_UNKNOWN"
    CURRENCY_SCALE = "CURRENCY_SCALE"
    UETR_INVALID = "UETR_INVALID"
    NUMBER_INVALID = "NUMBER_INVALID"
    INSTANT_INVALID = "INSTANT_INVALID"
    ZONE_MISSING = "ZONE_MISSING"
    FINDINGS_CUT = "FINDINGS_CUT"


# None of these values can refer to itself, so the cycle collector need not look at them.
class Finding(msgspec.Struct, frozen=True, gc=False):
    """One oddity, where it is, and the rule it departs from; never a value of the message."""

    code: FindingCode
    path: str
    text: str


class GroupHeader(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What is said once for the whole message."""

    message_id: str | None = None
    created_at: datetime | None = None
    page_number: int | None = None
    last_page: bool | None = None
    additional_information: str | None = None


class Account(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Whose account a report is about.

    Attributes:
        identification: Without spaces, an IBAN in upper case, otherwise as printed; "" if the
            bank gave none.
        scheme: "IBAN", "OTHER", "PROXY", or "" if there is no identification.
        currency: The account's currency; Swiss banks leave it out.
        servicer_bic: The bank that keeps the account.
    """

    identification: str
    scheme: str
    currency: str | None = None
    servicer_bic: str | None = None


class Balance(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One balance of a report.

    Attributes:
        code: OPBD, PRCD, CLBD, ITBD, OPAV, ..., or None where the type is the bank's own.
        proprietary: The bank's own type.
        sub_type: Either kind of sub-type code.
        amount: Signed by `direction`; positive where the direction is missing.
        direction: None where the bank left it out, which is not the same as a credit.
        on: The day, as printed, in the bank's own zone.
        at: The instant, where the bank gave one.
        credit_line: The part of `amount` that is credit the bank grants, not money.
    """

    code: str | None
    proprietary: str | None
    amount: Decimal
    currency: str
    direction: Direction | None
    on: date | None = None
    at: datetime | None = None
    sub_type: str | None = None
    credit_line: Decimal | None = None


class Charge(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One charge; `included` says whether the amount of the entry already contains it."""

    amount: Decimal
    currency: str
    direction: Direction | None = None
    included: bool | None = None


class Detail(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One transaction inside an entry. It explains the entry; it is never booked by itself.

    Attributes:
        amount: Unsigned; `TxDtls/Amt`, in old versions `AmtDtls/TxAmt/Amt`; None if neither.
        direction: Its own, which may be the opposite of the entry's; None if not said.
        uetr: In lower case, only if it is a UUID.
        uetr_text: What stood there instead, if it was not.
        counterparty_account: The debtor's account of a credit, the creditor's of a debit.
        return_reason: Code of a returned payment, ISO or the bank's own.
        remittance: Unstructured lines in their order.
        creditor_references: Structured references (ISO 11649, QRR, ISR, KID).
    """

    path: str
    amount: Decimal | None = None
    currency: str | None = None
    direction: Direction | None = None
    message_id: str | None = None
    servicer_reference: str | None = None
    payment_information_id: str | None = None
    instruction_id: str | None = None
    end_to_end_id: str | None = None
    transaction_id: str | None = None
    uetr: str | None = None
    uetr_text: str | None = None
    clearing_reference: str | None = None
    mandate_id: str | None = None
    counterparty_account: str | None = None
    return_reason: str | None = None
    remittance: tuple[str, ...] = ()
    creditor_references: tuple[str, ...] = ()
    charges: tuple[Charge, ...] = ()
    charges_total: Decimal | None = None


class Entry(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One booking, expected booking or piece of information.

    Attributes:
        amount: Unsigned; what is booked, whatever the details add up to.
        reversal: That the entry undoes another. It does not change the sign.
        booked_on: The booking day as printed, which is the day in the bank's own zone.
        booked_at: The booking instant, where the bank gave one.
        reference: `NtryRef`; a running number at some banks.
        servicer_reference: `AcctSvcrRef` of the entry.
        bank_transaction_code: ISO `domain/family/sub-family`, or "".
        bank_transaction_proprietary: The bank's own code.
        batch_count: Number of transactions the bank says the entry holds; the sum if it said so
            of several groups.
        batch_total: Their total without sign, unless groups differ in direction or currency.
    """

    path: str
    amount: Decimal
    currency: str
    direction: Direction
    status: EntryStatus
    reversal: bool = False
    booked_on: date | None = None
    booked_at: datetime | None = None
    value_on: date | None = None
    reference: str | None = None
    servicer_reference: str | None = None
    bank_transaction_code: str = ""
    bank_transaction_proprietary: str | None = None
    batch_count: int | None = None
    batch_total: Decimal | None = None
    batch_message_id: str | None = None
    batch_payment_information_id: str | None = None
    charges: tuple[Charge, ...] = ()
    charges_total: Decimal | None = None
    details: tuple[Detail, ...] = ()

    @property
    def signed_amount(self) -> Decimal:
        """The amount as the owner gains it: positive for a credit, negative for a debit."""
        if self.direction is Direction.CREDIT:
            return self.amount
        return subtract(ZERO, self.amount)


class Report(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One statement, intraday report or notification: what one account is told at one time.

    Attributes:
        electronic_sequence: Grows by one per report at banks that number them; may restart.
        legal_sequence: Counts the legal (printed) statements.
        copy_duplicate: COPY, DUPL or CODU; a hint, never a reason to drop or accept a report.
        from_at: Start of the period, `until_at` its end.
    """

    path: str
    account: Account
    id: str | None = None
    electronic_sequence: int | None = None
    legal_sequence: int | None = None
    created_at: datetime | None = None
    from_at: datetime | None = None
    until_at: datetime | None = None
    page_number: int | None = None
    last_page: bool | None = None
    copy_duplicate: str | None = None
    balances: tuple[Balance, ...] = ()
    entries: tuple[Entry, ...] = ()


class FilePage(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Which piece of which file a message was cut from; the bank knows nothing of it.

    Attributes:
        sha256: Of the whole file, in hexadecimal digits.
        statement: Which statement of the file it is of, from 1; pages count per statement.
        number: Which page of the statement it is, from 1 to `of`.
        balanced: Whether opening plus all booked entries of the whole statement was its closing;
            None where it has no such pair.
        entries: How many entries the whole statement has.
        first_entry: The position in the whole statement of the first entry of this page, from 1.
    """

    sha256: str
    statement: int
    number: int
    of: int
    balanced: bool | None
    entries: int
    first_entry: int


class Message(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One message of a bank.

    Attributes:
        message: "camt.052", "camt.053" or "camt.054".
        version: Two digits as the namespace says, "" where it says nothing.
        page: Set where it is a page cut from a larger file.
    """

    message: str
    version: str
    group_header: GroupHeader
    reports: tuple[Report, ...]
    findings: tuple[Finding, ...] = ()
    page: FilePage | None = None
