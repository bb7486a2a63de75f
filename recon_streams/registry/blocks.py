"""The shape of accounts.yaml: which keys there are, and what each may hold."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

import pydantic
from pydantic import BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

_AMOUNT: Final = r"^(0|[1-9][0-9]{0,17})(\.[0-9]{1,8})?$"
_ACCOUNT_ID: Final = r"^[A-Za-z0-9._:-]{1,64}$"
_CURRENCY: Final = r"^[A-Z][A-Z0-9]{2,5}$"
_CLOCK: Final = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
_CONNECTOR: Final = r"^[a-z0-9][a-z0-9_-]{0,31}$"
_CORRIDOR: Final = r"^[A-Za-z0-9._-]{1,32}$"
_BIC: Final = r"^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$"

FORMS: Final[Mapping[str, str]] = {
    _AMOUNT: 'write digits with at most 8 decimals, no sign, in quotes: "1000.00"',
    _ACCOUNT_ID: "write 1 to 64 of A-Z a-z 0-9 . _ : -",
    _CURRENCY: "write an ISO 4217 code such as AED, or a token of 3 to 6 of A-Z 0-9",
    _CLOCK: 'write a time of the bank\'s clock, in quotes: "17:30", or "24:00" for midnight',
    _CONNECTOR: "write its name in connectors.yaml: 1 to 32 of a-z 0-9 _ -",
    _CORRIDOR: "write its name, such as AE-IN: 1 to 32 of A-Z a-z 0-9 . _ -",
    _BIC: "write a BIC of 8 or 11 characters, such as EBILAEAD",
}

_MINUTE: Final = timedelta(minutes=1)
_YEARS: Final = range(1970, 9999)  # beyond, an offset may lead out of the calendar


def _instant(value: object) -> datetime:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    offset = None if found is None else found.utcoffset()
    # The book keeps offsets in whole minutes, as RFC 3339 writes them.
    if found is None or offset is None or offset % _MINUTE or found.year not in _YEARS:
        example = 'write an instant with its offset, in quotes: "2026-11-20T08:00:00Z"'
        raise PydanticCustomError("instant", example)
    return found


_Amount = Annotated[str, StringConstraints(pattern=_AMOUNT)]
_Seconds = Annotated[int, Field(ge=0, le=31_622_400)]
# A payment that may be longer on its way would explain a shortage away.
_DueSeconds = Annotated[int, Field(ge=0, le=14 * 86_400)]
_Instant = Annotated[datetime, BeforeValidator(_instant)]
_Clock = Annotated[str, StringConstraints(pattern=_CLOCK)]
_Rail = Annotated[str, StringConstraints(min_length=1, max_length=35)]
_Corridor = Annotated[str, StringConstraints(pattern=_CORRIDOR)]
_Own = Annotated[str, StringConstraints(min_length=1, max_length=70)]


class _Block(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", hide_input_in_errors=True, strict=True)


class BankBlock(_Block):
    """One name the bank has for the account."""

    iban: _Own | None = None
    other: _Own | None = None
    servicer_bic: Annotated[str, StringConstraints(pattern=_BIC)] | None = None

    @property
    def identification(self) -> str:
        """Return the name as messages of the bank are read: without spaces, an IBAN in capitals."""
        return "".join((self.other or (self.iban or "").upper()).split())


class LimitsBlock(_Block):
    """Where the tiers begin."""

    minor_percent: _Amount = "0.01"
    significant_percent: _Amount = "0.05"
    critical_percent: _Amount = "0.5"
    minor_amount: _Amount | None = None
    significant_amount: _Amount | None = None
    critical_amount: _Amount | None = None
    unallocated_amount: _Amount | None = None


class ClearingBlock(_Block):
    """What a suspension needs to heal."""

    clean_evaluations_min: Annotated[int, Field(ge=1, le=1000)] = 3
    dwell_seconds_min: _Seconds = 600
    clear_below_ratio: _Amount = "0.5"


class SilenceBlock(_Block):
    """How long a side may say nothing."""

    bank_seconds_max: _Seconds = 86_400
    ledger_seconds_max: _Seconds = 86_400


class InFlightBlock(_Block):
    """How long a payment may be between its legs."""

    due_seconds_default: _DueSeconds = 900
    due_seconds_max: _DueSeconds = 86_400
    rails: dict[_Rail, _DueSeconds] = {}
    open_items_max: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000


class StatementsBlock(_Block):
    """Which statements the bank owes, and by when."""

    day_record: Literal["camt.053", "camt.052"] = "camt.053"
    cut_off: _Clock = "24:00"
    expected_by: _Clock = "10:00"
    expected_after_business_days: Annotated[int, Field(ge=0, le=30)] = 1
    late_after_minutes: Annotated[int, Field(ge=0, le=44_640)] = 0
    required: bool = True
    unsigned_balances: Literal["unknown", "credit"] = "unknown"


class SweepBlock(_Block):
    """How often the account is looked at, and who asks the bank."""

    every_minutes: Annotated[int, Field(ge=15, le=60)] = 30
    connector: Annotated[str, StringConstraints(pattern=_CONNECTOR)] | None = None
    answer_age_seconds_max: Annotated[int, Field(ge=1, le=86_400)] = 900


class OpeningBlock(_Block):
    """The figures attested on the first day."""

    as_of: _Instant
    bank: _Amount | None = None
    ledger: _Amount | None = None
    ledger_sequence: Annotated[int, Field(ge=0, lt=2**63)] = 0


class AccountBlock(_Block):
    """One account as the file writes it."""

    account_id: Annotated[str, StringConstraints(pattern=_ACCOUNT_ID)]
    currency: Annotated[str, StringConstraints(pattern=_CURRENCY)]
    scale: Annotated[int, Field(ge=0, le=8)] | None = None
    # The names of one bank account; see `checks`.
    bank_accounts: Annotated[list[BankBlock], Field(min_length=1, max_length=100)]
    corridors: Annotated[list[_Corridor], Field(max_length=100)] = []
    limits: LimitsBlock = LimitsBlock()
    clearing: ClearingBlock = ClearingBlock()
    silence: SilenceBlock = SilenceBlock()
    in_flight: InFlightBlock = InFlightBlock()
    statements: StatementsBlock = StatementsBlock()
    sweep: SweepBlock = SweepBlock()
    calendar: _Own | None = None
    time_zone: str = "UTC"
    opening: OpeningBlock | None = None


def known_keys(path: tuple[Any, ...]) -> list[str]:
    """Return the keys of the block at `path` inside an account."""
    field = AccountBlock.model_fields.get(str(path[0])) if path else None
    if path and path[0] == "bank_accounts":
        return list(BankBlock.model_fields)
    block = OpeningBlock if path and path[0] == "opening" else field and field.annotation
    if isinstance(block, type) and issubclass(block, pydantic.BaseModel):
        return list(block.model_fields)
    return list(AccountBlock.model_fields)
