"""What a correction says otherwise than the version it corrects, figure by figure."""

from collections.abc import Iterator
from typing import Final

from recon_streams.reports.account_day import AccountDay
from recon_streams.reports.account_window import AccountWindow
from recon_streams.reports.backing import figures_of
from recon_streams.reports.dataset import Dataset
from recon_streams.reports.parts import Change

_Account = AccountDay | AccountWindow
_ABSENT: Final[dict[str, str | None]] = {"account": None}


def changes_between(before: Dataset, after: Dataset) -> tuple[Change, ...]:
    """Return the figures that differ, by account; empty if a correction would say nothing new.

    Compared are the figures a person signs for. That other inputs were read, or that an item is
    worded otherwise, is no change.
    """
    earlier = {(each.account_id, each.currency): each for each in before.accounts}
    later = {(each.account_id, each.currency): each for each in after.accounts}
    found: list[Change] = []
    for account_id, currency in sorted(earlier.keys() | later.keys()):
        key = (account_id, currency)
        old = dict(_figures(earlier[key])) if key in earlier else _ABSENT
        new = dict(_figures(later[key])) if key in later else _ABSENT
        found.extend(
            Change(
                account_id=account_id,
                currency=currency,
                what=what,
                before=old.get(what),
                after=new.get(what),
            )
            for what in dict.fromkeys((*old, *new))
            if old.get(what) != new.get(what)
        )
    return tuple(found)


def _figures(account: _Account) -> Iterator[tuple[str, str | None]]:
    yield "account", "in the report"
    bank, ledger, unexplained = figures_of(account)
    yield "bank", bank
    yield "ledger", ledger
    yield "difference", account.difference
    yield "explained_total", account.explained_total
    yield "unexplained", unexplained
    yield "tier", account.tier.value
    if isinstance(account, AccountDay):
        yield "uncovered", account.uncovered
        yield "shortage", account.shortage
        used = account.statement
        yield "statement", None if used is None else f"{used.statement_id} version {used.version}"
        yield "continuity", account.chain.continuity.value
        for group in account.groups:
            yield group.kind.value, f"{group.count} of {group.explains}"
    else:
        yield "bank_balance", account.bank_balance.balance
