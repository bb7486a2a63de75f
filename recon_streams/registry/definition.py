"""One account as the registry defines it: the words of the file, checked, with exact numbers."""

from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

import msgspec

from recon_streams.kernel.money import amount_text


class BankAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One name the bank has for the account: an IBAN, or whatever identification it prints."""

    identification: str
    scheme: Literal["IBAN", "OTHER"] = "OTHER"
    servicer_bic: str | None = None


class AccountLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Where the tiers begin: percent of the bank balance, and stricter absolute amounts."""

    minor_percent: Decimal = Decimal("0.01")
    significant_percent: Decimal = Decimal("0.05")
    critical_percent: Decimal = Decimal("0.5")
    minor_amount: Decimal | None = None
    significant_amount: Decimal | None = None
    critical_amount: Decimal | None = None
    unallocated_amount: Decimal | None = None


class AccountClearing(msgspec.Struct, frozen=True, kw_only=True):
    """What a suspension needs to heal."""

    clean_evaluations_min: int = 3
    dwell_seconds_min: int = 600
    clear_below_ratio: Decimal = Decimal("0.5")


class AccountSilence(msgspec.Struct, frozen=True, kw_only=True):
    """For how long a side may say nothing before its figure is unknown."""

    bank_seconds_max: int = 86_400
    ledger_seconds_max: int = 86_400


class AccountInFlight(msgspec.Struct, frozen=True, kw_only=True):
    """How long an announced payment may be between its legs, and how many may be open."""

    due_seconds_default: int = 900
    due_seconds_max: int = 86_400
    rails: dict[str, int] = {}
    open_items_max: int = 10_000


class AccountStatements(msgspec.Struct, frozen=True, kw_only=True):
    """Which statements the bank owes for each of its days, and by when. Clock times are its own.

    Attributes:
        day_record: The message whose closing balance is the day's: some banks send no camt.053.
        cut_off: When the bank's day ends, "HH:MM" or "24:00".
        expected_by: When the statement of a day is there at the latest.
        expected_after_business_days: How many business days after its own day that is.
        late_after_minutes: How long after that it counts as missing.
        required: Whether a day without it can be closed.
        unsigned_balances: What a balance is whose direction the bank leaves out. Nothing says it is
            a credit but somebody who knows the bank.
    """

    day_record: Literal["camt.053", "camt.052"] = "camt.053"
    cut_off: str = "24:00"
    expected_by: str = "10:00"
    expected_after_business_days: int = 1
    late_after_minutes: int = 0
    required: bool = True
    unsigned_balances: Literal["unknown", "credit"] = "unknown"


class AccountSweep(msgspec.Struct, frozen=True, kw_only=True):
    """How often the account is looked at, and who is asked for the bank's own balance.

    Attributes:
        every_minutes: A divisor of the hour, so that the windows of reports are whole.
        connector: Asks the bank, as `connectors.yaml` names it; without one nobody is asked.
        answer_age_seconds_max: A balance as of longer ago proves nothing.
    """

    every_minutes: int = 30
    connector: str | None = None
    answer_age_seconds_max: int = 900


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """The figures somebody attests when the account is registered.

    Attributes:
        as_of: The instant of the figures, in the offset in which it was attested: that says which
            day it was for whoever attested, and so which bookings the bank's figure contains.
        bank: What the bank had booked.
        ledger: What the ledger had issued.
        ledger_sequence: The last ledger record that `ledger` contains.
    """

    as_of: datetime
    bank: Decimal | None = None
    ledger: Decimal | None = None
    ledger_sequence: int = 0


class AccountDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """One (account id, currency) of the registry.

    Attributes:
        corridors: The roads of payments that are fed from it, in order, each once. Whoever stops
            one of them stops this account too.
    """

    account_id: str
    currency: str
    scale: int
    bank_accounts: tuple[BankAccount, ...]
    corridors: tuple[str, ...] = ()
    limits: AccountLimits = AccountLimits()
    clearing: AccountClearing = AccountClearing()
    silence: AccountSilence = AccountSilence()
    in_flight: AccountInFlight = AccountInFlight()
    statements: AccountStatements = AccountStatements()
    sweep: AccountSweep = AccountSweep()
    calendar: str | None = None
    time_zone: str = "UTC"
    opening: Opening | None = None


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(AccountDefinition)


def definition_bytes(definition: AccountDefinition) -> bytes:
    """Return the one spelling of `definition`, so that equal definitions have equal bytes.

    Amounts are text without needless zeros, and rails stand in order. The opening's instant keeps
    its offset, which is part of what was attested.
    """
    return _ENCODER.encode(_spelled(definition))


def opening_bytes(definition: AccountDefinition) -> bytes:
    """Return the one spelling of what was attested for the opening, if anything was."""
    return _ENCODER.encode(_spelled(definition.opening))


def definition_from_bytes(payload: bytes) -> AccountDefinition:
    """Return the definition that `definition_bytes` wrote."""
    return _DECODER.decode(payload)


def _spelled(value: object) -> object:
    match value:
        case Decimal():
            return amount_text(value)
        case msgspec.Struct():
            names = value.__struct_fields__
            return {name: _spelled(getattr(value, name)) for name in names}
        case dict():
            return {name: _spelled(value[name]) for name in sorted(value)}
        case tuple():
            return [_spelled(item) for item in value]
        case _:
            return value
