"""The shape of matching.yaml: which keys there are, and what each may hold."""

from typing import Annotated, Final, Literal

import pydantic
from pydantic import Field, StringConstraints

from recon_streams.matching.rules import BOTH_WAYS, BankField, Cardinality, LedgerField

AMOUNT: Final = r"^(0|[1-9][0-9]{0,17})(\.[0-9]{1,8})?$"
CURRENCY: Final = r"^[A-Z][A-Z0-9]{2,5}$"
NAME: Final = r"^[a-z][a-z0-9_]{0,31}$"

_Amount = Annotated[str, StringConstraints(pattern=AMOUNT)]
_Currency = Annotated[str, StringConstraints(pattern=CURRENCY)]
_Name = Annotated[str, StringConstraints(pattern=NAME)]
_Score = Annotated[int, Field(ge=1, le=100)]
_Weight = Annotated[int, Field(ge=0, le=100)]
_Days = Annotated[int, Field(ge=0, le=90)]
_Cardinalities = Annotated[list[Cardinality], Field(min_length=1, max_length=2)]


class _Block(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", hide_input_in_errors=True, strict=True)


class LevelsBlock(_Block):
    """From which score on what happens."""

    auto_confirm: _Score = 90
    suggest: _Score = 60


class ReferenceBlock(_Block):
    """One to one by a reference."""

    kind: Literal["reference"]
    name: _Name
    bank: BankField
    ledger: LedgerField
    score: _Score = 100
    days_max: _Days = 5


class AnchorBlock(_Block):
    """What says that several belong together."""

    bank: BankField
    ledger: LedgerField


class BatchBlock(_Block):
    """One to many by an anchor."""

    kind: Literal["batch"]
    name: _Name
    anchors: Annotated[list[AnchorBlock], Field(min_length=1, max_length=20)]
    score: _Score = 95
    cardinalities: _Cardinalities = list(BOTH_WAYS)
    days_max: _Days = 5
    legs_max: Annotated[int, Field(ge=2, le=1_000)] = 200
    candidates_max: Annotated[int, Field(ge=2, le=1_000)] = 200
    steps_max: Annotated[int, Field(ge=1, le=1_000_000)] = 50_000


class WeightsBlock(_Block):
    """What each answer is worth."""

    amount: _Weight = 50
    amount_within: _Weight = 40
    same_day: _Weight = 20
    per_day: _Weight = 5
    counterparty: _Weight = 20
    remittance: _Weight = 30
    remittance_alike: _Weight = 10


class CompositeBlock(_Block):
    """One to one by what is left."""

    kind: Literal["composite"]
    name: _Name
    days_max: _Days = 3
    alike_percent_min: Annotated[int, Field(ge=50, le=100)] = 80
    weights: WeightsBlock = WeightsBlock()


class SumBlock(_Block):
    """One to many by the sum."""

    kind: Literal["sum"]
    name: _Name
    score: _Score = 60
    counterparty: _Weight = 30
    cardinalities: _Cardinalities = list(BOTH_WAYS)
    days_max: _Days = 5
    legs_max: Annotated[int, Field(ge=2, le=12)] = 6
    candidates_max: Annotated[int, Field(ge=2, le=200)] = 40
    steps_max: Annotated[int, Field(ge=1, le=200_000)] = 20_000


class ToleranceBlock(_Block):
    """By how much amounts may differ."""

    absolute: _Amount = "0"
    percent: _Amount = "0"


class FeeBlock(_Block):
    """What a bank keeps."""

    name: _Name
    absolute: _Amount = "0"
    percent: _Amount = "0"
    currencies: list[_Currency] = []
    counterparties: list[str] = []


class MissingBlock(_Block):
    """When an item is missing."""

    bank: _Days = 0
    ledger: _Days = 1


_Pass = Annotated[
    ReferenceBlock | BatchBlock | CompositeBlock | SumBlock, Field(discriminator="kind")
]


class RulesBlock(_Block):
    """The whole file."""

    schema_version: Literal[1]
    levels: LevelsBlock = LevelsBlock()
    passes: Annotated[list[_Pass], Field(min_length=1, max_length=20)]
    tolerance: ToleranceBlock = ToleranceBlock()
    currencies: dict[_Currency, ToleranceBlock] = {}
    fees: Annotated[list[FeeBlock], Field(max_length=100)] = []
    missing_after_business_days: MissingBlock = MissingBlock()
    items_max: Annotated[int, Field(ge=100, le=100_000)] = 20_000
