"""The numbers a verdict depends on, per account: data from the registry, not constants."""

from datetime import timedelta
from decimal import Decimal
from hashlib import sha256

import msgspec

from recon_streams.registry.definition import AccountDefinition, definition_bytes


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Where the tiers begin.

    Percentages are of the bank balance, as numbers of percent (`0.01` is one in ten thousand); a
    difference *equal* to a limit still belongs to the lower tier. The absolute limits, in the
    account's currency, can only make a verdict stricter.
    """

    minor_percent: Decimal = Decimal("0.01")
    significant_percent: Decimal = Decimal("0.05")
    critical_percent: Decimal = Decimal("0.5")
    minor_amount: Decimal | None = None
    significant_amount: Decimal | None = None
    critical_amount: Decimal | None = None
    unallocated_amount: Decimal | None = None


class Clearing(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes for a suspension to heal: proof, more than once, and time."""

    clean_evaluations_min: int = 3
    dwell_seconds_min: int = 600
    clear_below_ratio: Decimal = Decimal("0.5")


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """One version of the rules of one account.

    `sha256` is of the whole definition they are taken from, as the registry keeps it.
    `day_record` is the message whose closing balance counts; `unsigned_is_credit` that a balance
    without a direction is in credit; `time_zone` is the bank's, and at `cut_off` its day ends.
    """

    version: int = 1
    sha256: str = ""
    scale: int = 2
    limits: Limits = Limits()
    clearing: Clearing = Clearing()
    bank_silence_seconds_max: int = 86_400
    ledger_silence_seconds_max: int = 86_400
    due_seconds_default: int = 900
    due_seconds_max: int = 86_400
    rail_due_seconds: dict[str, int] = {}
    open_items_max: int = 10_000
    day_record: str = "camt.053"
    unsigned_is_credit: bool = False
    time_zone: str = "UTC"
    cut_off: str = "24:00"

    def due_within(self, rail: str | None) -> timedelta:
        """Return how long a payment on `rail` may be between its two legs."""
        return timedelta(seconds=self.rail_due_seconds.get(rail or "", self.due_seconds_default))


def rules_of(definition: AccountDefinition, version: int) -> Rules:
    """Return the rules that `definition` sets, as version `version` of the registry."""
    limits, clearing = definition.limits, definition.clearing
    return Rules(
        version=version,
        sha256=sha256(definition_bytes(definition)).hexdigest(),
        scale=definition.scale,
        limits=Limits(
            minor_percent=limits.minor_percent,
            significant_percent=limits.significant_percent,
            critical_percent=limits.critical_percent,
            minor_amount=limits.minor_amount,
            significant_amount=limits.significant_amount,
            critical_amount=limits.critical_amount,
            unallocated_amount=limits.unallocated_amount,
        ),
        clearing=Clearing(
            clean_evaluations_min=clearing.clean_evaluations_min,
            dwell_seconds_min=clearing.dwell_seconds_min,
            clear_below_ratio=clearing.clear_below_ratio,
        ),
        bank_silence_seconds_max=definition.silence.bank_seconds_max,
        ledger_silence_seconds_max=definition.silence.ledger_seconds_max,
        due_seconds_default=definition.in_flight.due_seconds_default,
        due_seconds_max=definition.in_flight.due_seconds_max,
        rail_due_seconds=dict(definition.in_flight.rails),
        open_items_max=definition.in_flight.open_items_max,
        day_record=definition.statements.day_record,
        unsigned_is_credit=definition.statements.unsigned_balances == "credit",
        time_zone=definition.time_zone,
        cut_off=definition.statements.cut_off,
    )
