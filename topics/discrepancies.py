"""`recon.discrepancies`: what is wrong, for how long and what became of it; absolute, versioned."""

from enum import StrEnum, unique

import msgspec

from topics.alerts import Severity
from topics.words import AccountId, CurrencyCode, Instant, SignedAmountText


@unique
class DiscrepancyState(StrEnum):
    """Where in its life a discrepancy is. An unknown value must be read as OPEN."""

    OPEN = "OPEN"  # nobody works on it
    ASSIGNED = "ASSIGNED"  # somebody does
    ESCALATED = "ESCALATED"  # it is overdue, or somebody asked for help
    RESOLVED = "RESOLVED"  # proven gone, or ended by a person with a reason


class DiscrepancyRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One discrepancy as it is now. Of two records of one id the higher `version` counts.

    Attributes:
        id: Given once; a cause that comes back keeps it.
        version: Rises with everything that happens to it.
        kind: What is wrong, such as `BALANCE_MISMATCH`; new kinds may appear.
        account_id: The account it is about.
        currency: Of the account and of `amount`.
        subject: What it is about within kind and account: a day, a statement, a payment.
        state: Where in its life it is.
        severity: How urgent it is.
        opened_at: When its present life began; a reopening begins a new one.
        first_seen: When it was found first.
        last_seen: When it was found last.
        occurrences: How often it was found.
        reopenings: How often it came back after it had been resolved.
        due_at: When it should be resolved.
        facts: What a person needs to understand it; amounts as decimal text, no names of people and
            no account numbers of banks.
        amount: Bank less ledger, or said less expected, where there is one.
        on: The business day it belongs to, if it belongs to one.
        snoozed_until: Until when it waits by somebody's decision.
        resolved_at: When it was resolved.
        reason_code: Why it counts as resolved.
        schema_version: The major version of the contract.
    """

    id: int
    version: int
    kind: str
    account_id: AccountId
    currency: CurrencyCode
    subject: str
    state: DiscrepancyState
    severity: Severity
    opened_at: Instant
    first_seen: Instant
    last_seen: Instant
    occurrences: int
    reopenings: int
    due_at: Instant
    facts: dict[str, str]
    amount: SignedAmountText | None = None
    on: str | None = None
    snoozed_until: Instant | None = None
    resolved_at: Instant | None = None
    reason_code: str | None = None
    schema_version: int = 1
