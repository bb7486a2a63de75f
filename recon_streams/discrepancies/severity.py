"""How urgent a finding is, by its kind and by the sign of its amount. Pure.

Amounts of two currencies cannot be measured by one limit, and small shortages are how large ones
begin; so not the size counts but the direction: money that the ledger promises and the bank does
not have is worse than money nobody has claimed yet.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from recon_streams.discrepancies.finding import Kind
from recon_streams.kernel.money import ZERO
from topics.alerts import Severity

_BY_KIND: Final[Mapping[Kind, Severity]] = MappingProxyType(
    {
        Kind.BALANCE_MISMATCH: Severity.ERROR,
        Kind.MISSING_TXN: Severity.WARNING,
        Kind.DUPLICATE_TXN: Severity.WARNING,
        Kind.AMOUNT_MISMATCH: Severity.WARNING,
        Kind.AMBIGUOUS_MATCH: Severity.WARNING,
        Kind.STATEMENT_MISSING: Severity.ERROR,
        Kind.STATEMENT_UNBALANCED: Severity.ERROR,
        Kind.STATEMENT_INCOMPLETE: Severity.WARNING,
        Kind.CONTINUITY_BROKEN: Severity.ERROR,
        Kind.LATE_NOTIFICATION: Severity.INFO,
        Kind.NOTIFICATION_UNCONFIRMED: Severity.WARNING,
        Kind.SOURCE_DISAGREEMENT: Severity.ERROR,
        Kind.STATEMENT_CORRECTED: Severity.WARNING,
        Kind.DRIFT: Severity.WARNING,
        Kind.BANK_UNREACHABLE: Severity.WARNING,
        Kind.TABLE_DISAGREEMENT: Severity.CRITICAL,
    }
)
# Of these the amount is bank less ledger, so that below zero something is not backed.
_WORSE_BELOW_ZERO: Final[Mapping[Kind, Severity]] = MappingProxyType(
    {
        Kind.BALANCE_MISMATCH: Severity.CRITICAL,
        Kind.MISSING_TXN: Severity.ERROR,
        Kind.DUPLICATE_TXN: Severity.ERROR,
        Kind.AMOUNT_MISMATCH: Severity.ERROR,
        Kind.NOTIFICATION_UNCONFIRMED: Severity.ERROR,
    }
)


def severity_of(kind: Kind, amount: Decimal | None) -> Severity:
    """Return how urgent a finding of `kind` is.

    Args:
        kind: What is wrong. One that has no urgency of its own yet is an error.
        amount: Bank less ledger, if there is one.
    """
    usual = _BY_KIND.get(kind, Severity.ERROR)
    if amount is not None and amount < ZERO:
        return _WORSE_BELOW_ZERO.get(kind, usual)
    return usual
