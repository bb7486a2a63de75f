"""The report in a few sentences: what somebody must know who reads nothing else."""

from collections.abc import Iterator, Sequence

from recon_streams.reports.account_day import AccountDay, Continuity
from recon_streams.reports.account_window import AccountWindow, BankAnswer
from recon_streams.reports.backing import figures_of
from recon_streams.reports.dataset import Dataset
from recon_streams.reports.figures import printed

_Account = AccountDay | AccountWindow
# More names than this make no sentence; the table below has them all.
_NAMES_MAX = 5


def summary_of(dataset: Dataset) -> tuple[str, ...]:
    """Return the sentences, the worst first."""
    return tuple(_sentences(dataset.accounts))


def _sentences(accounts: Sequence[_Account]) -> Iterator[str]:
    short = [a for a in accounts if a.difference is not None and a.difference.startswith("-")]
    unknown = [a for a in accounts if a.difference is None]
    open_ = [a for a in accounts if figures_of(a)[2] not in {"0", None}]
    if short:
        yield f"Short at the bank: {_list(short, 'difference')}."
    if open_:
        yield f"Explained by nothing: {_list(open_, 'unexplained')}."
    if unknown:
        yield f"Not proven, for want of a figure: {_list(unknown, '')}."
    yield from _evidence(accounts)
    proven = len(accounts) - len(open_) - len(unknown)
    if proven == len(accounts) > 0:
        yield "Every account is accounted for to the last unit."
    else:
        yield f"{proven} of {len(accounts)} accounts are accounted for to the last unit."


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
