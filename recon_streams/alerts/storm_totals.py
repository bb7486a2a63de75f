"""What a storm stands for: how many alerts, about how many scopes, and how much money. Pure.

On-call gets one page instead of hundreds, so that page must say how large the trouble is. Shortages
and surpluses are summed apart, for each currency: a sum of both could be zero.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Self

import msgspec
from msgspec.structs import replace

from recon_streams.alerts.alarm import Facts
from recon_streams.alerts.classes import AlertClass, Component
from recon_streams.kernel.money import ZERO, add, amount_text, multiply
from topics.alerts import Severity

# Figures of an alert that say how much money it is about; the first that is there.
MEASURES: Final = ("unexplained", "difference")
ACCOUNT: Final = "account:"
# The most urgent first.
SEVERITIES: Final = (Severity.CRITICAL, Severity.ERROR, Severity.WARNING, Severity.INFO)
# More rows than a listing shows unless it is asked to.
_LISTED_MAX: Final = 1_000
_LISTED_LIMIT: Final = 20_000
_CURRENCIES_TOLD_MAX: Final = 6
_STRIDE: Final = Decimal(2)
# What the worst of a storm was goes by the name of the figure and this.
_MOST: Final = "most_"
_SIZES: Final = ("alerts", "short_", "surplus_")


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over the alerts of a class that fire.

    Attributes:
        alerts: All of them, without those that another cause stands for.
        untold: Those that only the storm tells of.
        critical: Critical ones among those.
        severity: Of the most urgent among those.
        scopes: How many breaker scopes they are about.
        short: By currency, how much the bank holds less than it should; negative.
        surplus: By currency, how much it holds more.
    """

    alerts: int = 0
    untold: int = 0
    critical: int = 0
    severity: Severity = Severity.INFO
    scopes: int = 0
    short: Mapping[str, Decimal] = {}
    surplus: Mapping[str, Decimal] = {}

    def with_alert(self, facts: Facts, *, is_untold: bool) -> Self:
        """Return the totals with an alert of a scope that is not among them yet."""
        currency = currency_of(facts.scope)
        text = next((facts.amounts[name] for name in MEASURES if name in facts.amounts), None)
        short, surplus = dict(self.short), dict(self.surplus)
        if currency is not None and text is not None:
            amount = Decimal(text)
            side = short if amount < ZERO else surplus
            side[currency] = add(side.get(currency, ZERO), amount)
        return replace(
            self,
            alerts=self.alerts + 1,
            untold=self.untold + is_untold,
            critical=self.critical + (is_untold and facts.is_critical),
            severity=more_urgent(self.severity, facts.severity) if is_untold else self.severity,
            scopes=self.scopes + (facts.scope is not None),
            short=short,
            surplus=surplus,
        )


def more_urgent(one: Severity, other: Severity) -> Severity:
    """Return the more urgent of two."""
    return min(one, other, key=SEVERITIES.index)


def currency_of(scope: str | None) -> str | None:
    """Return the currency of the account that `scope` names; None if it names none."""
    if scope is None or not scope.startswith(ACCOUNT):
        return None
    return scope.rpartition(":")[2]


def storm_facts(alert_class: str, source: str, totals: Totals, known: Facts | None = None) -> Facts:
    """Return what is told of a storm.

    Args:
        alert_class: Of all the alerts it stands for.
        source: What led to it.
        totals: What it stands for now.
        known: What was known of the same storm before.
    """
    now = _figures(totals)
    worst = {} if known is None else known.amounts
    most = {
        f"{_MOST}{name}": _larger(text, worst.get(f"{_MOST}{name}"))
        for name, text in now.items()
        if name.startswith(_SIZES)
    }
    kept = {name: text for name, text in worst.items() if name.startswith(_MOST)}
    amounts = now | kept | most
    limit = f" --limit {_LISTED_LIMIT}" if totals.alerts > _LISTED_MAX else ""
    return Facts(
        alert_class=AlertClass.ALERT_STORM.value,
        # As urgent as the most urgent that it stands for; that there are fewer is no news.
        severity=more_urgent(totals.severity, known.severity if known else Severity.INFO),
        summary=_words(alert_class, totals, amounts),
        component=Component.ALERTS.value,
        source=source,
        amounts=amounts,
        evidence=f"recon-streams alerts list --class {alert_class}{limit}",
    )


def has_grown(facts: Facts, told: Facts, *, twice: bool) -> bool:
    """Return whether a storm is larger than what was told of it, or more than `twice` as large."""
    stride = _STRIDE if twice else Decimal(1)
    return any(
        abs(Decimal(text)) > multiply(abs(Decimal(told.amounts.get(name, "0"))), stride)
        for name, text in facts.amounts.items()
        if name.startswith(_SIZES)
    )


def _figures(totals: Totals) -> dict[str, str]:
    counts = {
        "alerts": totals.alerts,
        "told_only_here": totals.untold,
        "critical_told_only_here": totals.critical,
        "scopes": totals.scopes,
    }
    sums = [("short", totals.short), ("surplus", totals.surplus)]
    return {name: str(count) for name, count in counts.items()} | {
        f"{side}_{currency}": amount_text(amount)
        for side, by_currency in sums
        for currency, amount in sorted(by_currency.items())
        if amount != ZERO
    }


def _larger(text: str, other: str | None) -> str:
    return text if other is None or abs(Decimal(text)) >= abs(Decimal(other)) else other


def _words(alert_class: str, totals: Totals, amounts: Mapping[str, str]) -> str:
    critical = f", {totals.critical} of these critical" if totals.critical else ""
    most = amounts[f"{_MOST}alerts"]
    peak = "" if most == str(totals.alerts) else f" (at most {most})"
    money = _money(amounts, "") or _money(amounts, _MOST)
    more = len(money) - _CURRENCIES_TOLD_MAX
    told = [*money[:_CURRENCIES_TOLD_MAX], *([f"and {more} sums more"] if more > 0 else [])]
    return (
        f"{alert_class}: {totals.alerts} alerts at once{peak}, {totals.untold} told "
        f"only here{critical}; {totals.scopes} scopes; {', '.join(told) or 'no amounts'}"
    )


def _money(amounts: Mapping[str, str], prefix: str) -> list[str]:
    """Return the sums whose names begin with `prefix`, in words."""
    return [
        f"{name.replace('_', ' ')} {text}"
        for name, text in amounts.items()
        if name.startswith((f"{prefix}short_", f"{prefix}surplus_"))
    ]
