"""`ledger.balances`: the ledger's own absolute figure, as of an instant and a ledger sequence."""

import msgspec

from topics.ledger_movements import SchemaVersion
from topics.words import AccountId, AmountText, CurrencyCode, Instant, LedgerSequence, RecordId


class LedgerBalance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All tokens in circulation for the account, locked ones included.

    `ledger_sequence` is the last movement the figure contains; movements with a higher sequence
    are added to it, whatever order they arrive in.

    Attributes:
        balance_id: Names this statement for ever.
        account_id: The ledger account it is about.
        currency: The account's currency; the account is registered in it.
        amount: The balance.
        as_of: When the ledger took the figure; at most five minutes ahead of the broker.
        ledger_sequence: The last record of the account that the figure contains.
        schema_version: The major version of the contract.
    """

    balance_id: RecordId
    account_id: AccountId
    currency: CurrencyCode
    amount: AmountText
    as_of: Instant
    ledger_sequence: LedgerSequence
    schema_version: SchemaVersion = 1
