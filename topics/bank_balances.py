"""`bank.balances`: what a bank answered when it was asked for a balance, or that it did not."""

from typing import Annotated

import msgspec

from topics.ledger_movements import SchemaVersion
from topics.words import AccountId, CurrencyCode, Instant, RecordId, SignedAmountText

ConnectorName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,31}(?![\s\S])",
        description="The connector that asked, as `connectors.yaml` names it.",
        examples=["house-bank"],
    ),
]
FailureReason = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Z][A-Z_]{2,39}(?![\s\S])",
        description="Why there is no figure, as a word.",
        examples=["TIMED_OUT"],
    ),
]
FailureDetail = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[^\x00-\x1f\x7f]{0,200}(?![\s\S])",
        description="More about it; never an account number, a name, or what a bank wrote.",
        examples=["no answer within 10 s"],
    ),
]


class _Answer(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """What every answer carries.

    Attributes:
        kind: Whether there is a figure.
        account_id: The ledger account the bank was asked for.
        currency: The account's currency; the account is registered in it.
        obtained_at: When the answer came, or was given up.
        connector: Who asked.
        request_id: The question it answers; absent where nobody asked.
        schema_version: The major version of the contract.
    """

    account_id: AccountId
    currency: CurrencyCode
    obtained_at: Instant
    connector: ConnectorName
    request_id: RecordId | None = None
    schema_version: SchemaVersion = 1


class BankBalance(_Answer, frozen=True, kw_only=True, tag="balance", omit_defaults=True):
    """The bank named a booked balance. It is evidence beside the position and never moves it.

    Attributes:
        balance: The booked balance, negative where the account is overdrawn.
        as_of: The instant it is true for, by the bank.
    """

    balance: SignedAmountText
    as_of: Instant


class BankFailure(_Answer, frozen=True, kw_only=True, tag="failure", omit_defaults=True):
    """The bank was asked and there is no figure.

    Attributes:
        reason: Why, as a word.
        detail: More about it.
    """

    reason: FailureReason
    detail: FailureDetail = ""


BankAnswer = BankBalance | BankFailure
BANK_ANSWER_TYPES = (BankBalance, BankFailure)
TOPIC = "bank.balances"
