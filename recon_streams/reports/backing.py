"""One to one over all accounts of a currency, without letting one account pay for another."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from recon_streams.kernel.money import ZERO, add, amount_text
from recon_streams.reports.account_day import AccountDay
from recon_streams.reports.account_window import AccountWindow
from recon_streams.reports.parts import Backing, Shortage
from topics.positions import Tier

# From good to bad. No figure is worse than a surplus to look into and better than a known shortage.
BY_SEVERITY: Final = (
    Tier.OK,
    Tier.MINOR,
    Tier.UNALLOCATED,
    Tier.SIGNIFICANT,
    Tier.UNKNOWN,
    Tier.CRITICAL,
    Tier.INTEGRITY,
)


def worst_of(tiers: Sequence[Tier]) -> Tier:
    """Return the worst verdict; over no account at all nothing is proven, which is UNKNOWN."""
    return max(tiers, key=BY_SEVERITY.index, default=Tier.UNKNOWN)


def backing_of(accounts: Sequence[AccountDay | AccountWindow]) -> tuple[Backing, ...]:
    """Return one row per currency, in order of the currencies."""
    by_currency: defaultdict[str, list[AccountDay | AccountWindow]] = defaultdict(list)
    for account in accounts:
        by_currency[account.currency].append(account)
    return tuple(_backing(currency, by_currency[currency]) for currency in sorted(by_currency))


def _backing(currency: str, accounts: Sequence[AccountDay | AccountWindow]) -> Backing:
    sums = dict.fromkeys(("ledger", "bank", "surplus", "shortage", "unexplained"), ZERO)
    shortages: list[Shortage] = []
    for account in accounts:
        bank, ledger, unexplained = figures_of(account)
        if account.difference is None or bank is None or ledger is None or unexplained is None:
            continue
        difference = Decimal(account.difference)
        sums["ledger"] = add(sums["ledger"], Decimal(ledger))
        sums["bank"] = add(sums["bank"], Decimal(bank))
        sums["unexplained"] = add(sums["unexplained"], Decimal(unexplained).copy_abs())
        side = "shortage" if difference < 0 else "surplus"
        sums[side] = add(sums[side], difference)
        if difference < 0:
            shortages.append(
                Shortage(
                    account_id=account.account_id,
                    difference=account.difference,
                    unexplained=unexplained,
                    tier=account.tier,
                )
            )
    return Backing(
        currency=currency,
        accounts=len(accounts),
        without_figure=tuple(a.account_id for a in accounts if a.difference is None),
        ledger=amount_text(sums["ledger"]),
        bank=amount_text(sums["bank"]),
        difference=amount_text(add(sums["surplus"], sums["shortage"])),
        surplus_total=amount_text(sums["surplus"]),
        shortage_total=amount_text(sums["shortage"]),
        shortages=tuple(sorted(shortages, key=lambda s: (Decimal(s.difference), s.account_id))),
        unexplained_total=amount_text(sums["unexplained"]),
        worst_tier=worst_of([account.tier for account in accounts]),
    )


def figures_of(account: AccountDay | AccountWindow) -> tuple[str | None, str | None, str | None]:
    """Return bank, ledger, and what is left unexplained between them."""
    if isinstance(account, AccountDay):
        return account.bank_closing, account.ledger_at_cut_off, account.proof
    return account.bank.closing, account.ledger.closing, account.unexplained
