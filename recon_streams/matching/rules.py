"""The rules of matching as values: templates with parameters, never code in a file."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Literal, TypeAlias

import msgspec

from recon_streams.kernel.money import EXACT, ZERO, add, multiply

BankField: TypeAlias = Literal[
    "uetr",
    "servicer_reference",
    "entry_reference",
    "clearing_reference",
    "end_to_end_id",
    "batch_reference",
]
LedgerField: TypeAlias = Literal["uetr", "bank_reference", "reference", "batch_reference"]
Cardinality: TypeAlias = Literal["1:N", "N:1"]

# What all transactions of one entry share: two that are equal in it are not one payment twice.
SHARED: Final[frozenset[BankField]] = frozenset({"entry_reference", "batch_reference"})
_HUNDREDTH: Final = Decimal("0.01")
BOTH_WAYS: Final[tuple[Cardinality, ...]] = ("1:N", "N:1")


class Tolerance(msgspec.Struct, frozen=True, kw_only=True):
    """By how much two amounts of one payment may differ; the larger of the two counts.

    Attributes:
        percent: Of the ledger amount.
    """

    absolute: Decimal = ZERO
    percent: Decimal = ZERO

    def limit(self, amount: Decimal) -> Decimal:
        """Return the largest difference allowed for a ledger amount."""
        return max(self.absolute, _percent_of(self.percent, amount))


class Fee(msgspec.Struct, frozen=True, kw_only=True):
    """What a bank keeps of a payment: the ledger holds it gross, the bank books it net.

    Attributes:
        currencies: The account currencies it is for; empty for all.
        counterparties: Whose payments it is for, as the ledger spells them; empty for all.
    """

    name: str
    absolute: Decimal = ZERO
    percent: Decimal = ZERO
    currencies: tuple[str, ...] = ()
    counterparties: tuple[str, ...] = ()

    def of(self, gross: Decimal, scale: int) -> Decimal:
        """Return the fee on `gross`, rounded half up to the decimals of the account."""
        fee = add(self.absolute, _percent_of(self.percent, gross))
        return fee.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)


class ReferencePass(msgspec.Struct, frozen=True, kw_only=True):
    """One to one by a reference that both sides carry, the k-th equal one with the k-th.

    Attributes:
        days_max: Business days that may lie between the two.
    """

    name: str
    bank: BankField
    ledger: LedgerField
    score: int = 100
    days_max: int = 5


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """What says that several items belong to one."""

    bank: BankField
    ledger: LedgerField


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How far a search for a sum may go; what lies behind is told, not guessed."""

    days_max: int = 5
    legs_max: int = 6
    candidates_max: int = 40
    steps_max: int = 50_000


class BatchPass(msgspec.Struct, frozen=True, kw_only=True):
    """One to many and many to one by an anchor: whole if it adds up, else one exact part of it."""

    name: str
    anchors: tuple[Anchor, ...]
    cardinalities: tuple[Cardinality, ...] = BOTH_WAYS
    bounds: Bounds = Bounds()
    score: int = 95


class SumPass(msgspec.Struct, frozen=True, kw_only=True):
    """One to many and many to one by nothing but the sum, which is exact and the only one.

    Attributes:
        score: Of a sum of any items.
        counterparty: Added if all of them have the counterparty of the one.
    """

    name: str
    cardinalities: tuple[Cardinality, ...] = BOTH_WAYS
    bounds: Bounds = Bounds()
    score: int = 60
    counterparty: int = 30


class CompositePass(msgspec.Struct, frozen=True, kw_only=True):
    """One to one by what is left: amount, day, counterparty, a reference inside the remittance.

    Attributes:
        amount: For equal amounts; `amount_within` if a tolerance or a fee explains the difference.
        same_day: For the same day; each business day between takes `per_day` off.
        counterparty: For equal counterparties.
        remittance: If the bank's free text holds the ledger's reference as a word.
        remittance_alike: If it only seems to; that alone never makes a match.
        alike_percent_min: How much of the reference must be there for that.
    """

    name: str
    days_max: int = 3
    amount: int = 50
    amount_within: int = 40
    same_day: int = 20
    per_day: int = 5
    counterparty: int = 20
    remittance: int = 30
    remittance_alike: int = 10
    alike_percent_min: int = 80


class Levels(msgspec.Struct, frozen=True, kw_only=True):
    """From which score on a pair is a match, and from which on it is shown to a person."""

    auto_confirm: int = 90
    suggest: int = 60


class MatchingRules(msgspec.Struct, frozen=True, kw_only=True):
    """One version of the rules.

    Attributes:
        version: 0 for rules that nobody has applied.
        sha256: Of the file's bytes.
        currencies: Tolerances that replace the default one, by account currency.
        missing_bank: Business days after which an unmatched bank item counts as missing in the
            ledger.
        missing_ledger: The same of a ledger item, which is on its way to the bank for a while.
        items_max: Open items of one side of one account beyond which only references are looked at.
    """

    version: int = 0
    sha256: str = ""
    levels: Levels = Levels()
    references: tuple[ReferencePass, ...] = ()
    batch: BatchPass | None = None
    composite: CompositePass | None = None
    sums: SumPass | None = None
    tolerance: Tolerance = Tolerance()
    currencies: dict[str, Tolerance] = {}
    fees: tuple[Fee, ...] = ()
    missing_bank: int = 0
    missing_ledger: int = 1
    items_max: int = 20_000

    @property
    def alternatives(self) -> tuple[tuple[ReferencePass, ...], ...]:
        """Return the reference passes in order, those together that look at one ledger field."""
        found: dict[str, list[ReferencePass]] = {}
        for each in self.references:
            found.setdefault(each.ledger, []).append(each)
        return tuple(map(tuple, found.values()))

    def tolerance_of(self, currency: str) -> Tolerance:
        """Return the tolerance for accounts in `currency`."""
        return self.currencies.get(currency, self.tolerance)

    def fees_of(self, currency: str) -> tuple[Fee, ...]:
        """Return the fees that accounts in `currency` may be charged."""
        return tuple(f for f in self.fees if not f.currencies or currency in f.currencies)


def _percent_of(percent: Decimal, amount: Decimal) -> Decimal:
    return EXACT.abs(multiply(multiply(percent, amount), _HUNDREDTH))
