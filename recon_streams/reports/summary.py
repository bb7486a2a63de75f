"""The report in a few sentences: what somebody must know who reads nothing else."""

from collections.abc import Iterator, Sequence
from typing import Final

from recon_streams.reports.account_day import AccountDay, Continuity
from recon_streams.reports.account_window import AccountWindow, BankAnswer
from recon_streams.reports.backing import BY_SEVERITY, figures_of
from recon_streams.reports.dataset import Dataset
from recon_streams.reports.figures import printed
from recon_streams.reports.reasons import reason_of, uncovered_parts
from topics.positions import Tier

_Account = AccountDay | AccountWindow
# More names than this make no sentence; the table below has them all.
_NAMES_MAX: Final = 5
# Of these a person has to know the reason. UNKNOWN has none but the want of a figure.
_JUDGED: Final = frozenset({Tier.INTEGRITY, Tier.CRITICAL, Tier.SIGNIFICANT, Tier.UNALLOCATED})
_FINE: Final = frozenset({Tier.OK, Tier.MINOR})


def summary_of(dataset: Dataset) -> tuple[str, ...]:
    """Return the sentences, the worst first."""
    return tuple(_sentences(dataset.accounts))


def _sentences(accounts: Sequence[_Account]) -> Iterator[str]:
    judged = [a for a in accounts if a.tier in _JUDGED]
    yield from _reasons(judged)
    short = [
        a
        for a in accounts
        if a.tier not in _JUDGED and a.difference is not None and a.difference.startswith("-")
    ]
    unknown = [a for a in accounts if a.difference is None]
    open_ = [a for a in accounts if figures_of(a)[2] not in {"0", None}]
    if short:
        yield f"Short at the bank, and covered: {_list(short, 'difference')}."
    if open_:
        yield f"Explained by nothing: {_list(open_, 'unexplained')}."
    if unknown:
        yield f"Not proven, for want of a figure: {_list(unknown, '')}."
    yield from _evidence(accounts)
    yield from _conclusion(accounts, explained=len(accounts) - len(open_) - len(unknown))


def _reasons(judged: Sequence[_Account]) -> Iterator[str]:
    ordered = sorted(judged, key=lambda account: -BY_SEVERITY.index(account.tier))
    for account in ordered[:_NAMES_MAX]:
        name = f"{account.account_id} {account.currency} is {account.tier.value}"
        yield f"{name}: {reason_of(account)}{_made_of(account)}."
    for tier in reversed(BY_SEVERITY):
        more = sum(account.tier is tier for account in ordered[_NAMES_MAX:])
        if more:
            yield f"{more} more {'is' if more == 1 else 'are'} {tier.value}; see the table."


def _made_of(account: _Account) -> str:
    if not isinstance(account, AccountDay):
        return ""
    parts = [
        f"{part.label} {printed(part.amount, account.currency)}"
        + (f" ({part.count} items)" if part.count > 1 else "")
        for part in uncovered_parts(account)
    ]
    return f". Not covered: {'; '.join(parts)}" if parts else ""


def _conclusion(accounts: Sequence[_Account], *, explained: int) -> Iterator[str]:
    fine = sum(account.tier in _FINE for account in accounts)
    all_explained = explained == len(accounts)
    if not accounts:
        yield "There is no account in this report."
    elif all_explained and fine == len(accounts):
        yield "Every account is backed, and every difference is explained to the last unit."
    elif all_explained:
        yield (
            "Every difference is explained to the last unit. To be explained is not to be covered: "
            f"backed are {fine} of {len(accounts)} accounts."
        )
    else:
        yield (
            f"{explained} of {len(accounts)} differences are explained to the last unit; "
            f"backed are {fine} of {len(accounts)} accounts."
        )


def _evidence(accounts: Sequence[_Account]) -> Iterator[str]:
    days = [a for a in accounts if isinstance(a, AccountDay)]
    torn = [a for a in days if a.chain.continuity in {Continuity.BROKEN, Continuity.GAP}]
    if torn:
        yield f"The chain of statements is broken: {_list(torn, '')}."
    windows = [a for a in accounts if isinstance(a, AccountWindow)]
    apart = [a for a in windows if a.bank_balance.disagreement not in {"0", None}]
    if apart:
        yield f"The bank names another balance than its own messages: {_list(apart, '')}."
    silent = [
        a
        for a in windows
        if a.bank_balance.answer not in {BankAnswer.ANSWERED, BankAnswer.NOT_ASKED}
    ]
    if silent:
        yield f"The bank was asked and gave no evidence: {_list(silent, '')}."


def _list(accounts: Sequence[_Account], figure: str) -> str:
    named = ", ".join(_named(account, figure) for account in accounts[:_NAMES_MAX])
    more = len(accounts) - _NAMES_MAX
    return named + (f" and {more} more" if more > 0 else "")


def _named(account: _Account, figure: str) -> str:
    if not figure:
        return account.account_id
    amount = account.difference if figure == "difference" else figures_of(account)[2]
    return f"{account.account_id} {account.currency} {printed(amount, account.currency)}"
