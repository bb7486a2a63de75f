"""The accounts of the scripted day: who they are, and the figures they open with."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from recon_streams.registry.definition import (
    AccountClearing,
    AccountDefinition,
    BankAccount,
    Opening,
)

OPERATIONS: Final = "CH-OPERATIONS"
FLOAT: Final = "NORDIC-FLOAT"
LATECOMER: Final = "CH-LATECOMER"

# A day that takes seconds needs a calm that takes one; the default is ten minutes.
_CLEARING: Final = AccountClearing(dwell_seconds_min=1)


def opening_accounts(now: datetime) -> tuple[AccountDefinition, ...]:
    """Return the accounts registered when the day begins."""
    return (
        _account(OPERATIONS, "CHF", "CH2909000000250094239", Decimal(5_000_000), now),
        _account(FLOAT, "SEK", "CH2801234000123456789", Decimal(1_000_000), now),
    )


def all_accounts(now: datetime) -> tuple[AccountDefinition, ...]:
    """Return them with the one that is registered late; `now` is when the day began."""
    late = _account(LATECOMER, "CHF", "CH160077401231234567", Decimal(0), now)
    return (*opening_accounts(now), late)


def _account(
    account_id: str, currency: str, bank_id: str, opening: Decimal, now: datetime
) -> AccountDefinition:
    return AccountDefinition(
        account_id=account_id,
        currency=currency,
        scale=2,
        bank_accounts=(BankAccount(identification=bank_id),),
        clearing=_CLEARING,
        opening=Opening(as_of=now, bank=opening, ledger=opening, ledger_sequence=0),
    )
