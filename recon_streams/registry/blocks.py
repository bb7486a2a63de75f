"""The shape of accounts.yaml: which keys there are, and what each may hold."""

from typing import Annotated

import pydantic
from pydantic import AwareDatetime, Field, StringConstraints

_Amount = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,17})(\.[0-9]{1,8})?$")]
_Seconds = Annotated[int, Field(ge=0, le=31_622_400)]


class _Block(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", hide_input_in_errors=True, strict=True)


class BankBlock(_Block):
    """One name the bank has for the account."""

    iban: str | None = None
    other: Annotated[str, StringConstraints(min_length=1, max_length=70)] | None = None
    servicer_bic: str | None = None


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

    due_seconds_default: _Seconds = 900
    due_seconds_max: _Seconds = 86_400
    rails: dict[str, _Seconds] = {}
    open_items_max: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000


class OpeningBlock(_Block):
    """The figures attested on the first day."""

    as_of: Annotated[AwareDatetime, Field(strict=False)]
    bank: _Amount | None = None
    ledger: _Amount | None = None
    ledger_sequence: Annotated[int, Field(ge=0)] = 0


class AccountBlock(_Block):
    """One account as the file writes it."""

    account_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{2,5}$")]
    scale: Annotated[int, Field(ge=0, le=8)] | None = None
    bank_accounts: Annotated[list[BankBlock], Field(min_length=1)]
    limits: LimitsBlock = LimitsBlock()
    clearing: ClearingBlock = ClearingBlock()
    silence: SilenceBlock = SilenceBlock()
    in_flight: InFlightBlock = InFlightBlock()
    calendar: str | None = None
    time_zone: str = "UTC"
    opening: OpeningBlock | None = None
