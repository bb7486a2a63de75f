"""The accounts of the scripted day: who they are, and the figures they open with."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from recon_streams.registry.definition import (
    AccountClearing,
    AccountDefinition,
    AccountInFlight,
    AccountSilence,
    AccountStatements,
    BankAccount,
    Opening,
)

OPERATIONS: Final = "CH-OPERATIONS"
FLOAT: Final = "NORDIC-FLOAT"
LATECOMER: Final = "CH-LATECOMER"

# A day that takes seconds needs a calm that takes one; the default is ten minutes.
_CLEARING: Final = AccountClearing(dwell_seconds_min=1)
# The day that is played is over, or nobody could end it: it may be four days old.
_WEEK_SECONDS: Final = 7 * 86_400
_SILENCE: Final = AccountSilence(bank_seconds_max=_WEEK_SECONDS, ledger_seconds_max=_WEEK_SECONDS)
_IN_FLIGHT: Final = AccountInFlight(due_seconds_max=_WEEK_SECONDS)
# A statement that is owed on the evening of its own day is late whenever the demo is played.
_STATEMENTS: Final = AccountStatements(
    cut_off="17:00", expected_by="18:00", expected_after_business_days=0
)
_FRIDAY: Final = 4


def bank_day(now: datetime) -> date:
    """Return the day that is played: the last one before `now` on which banks worked."""
    day = now.date() - timedelta(days=1)
    return day - timedelta(days=max(0, day.weekday() - _FRIDAY))


def morning_of(now: datetime) -> datetime:
    """Return when the ledger of that day begins to work."""
    return datetime.combine(bank_day(now), time(8), UTC)


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
        silence=_SILENCE,
        in_flight=_IN_FLIGHT,
        statements=_STATEMENTS,
        opening=Opening(
            as_of=datetime.combine(bank_day(now), time(0), UTC),
            bank=opening,
            ledger=opening,
            ledger_sequence=0,
        ),
    )
