"""One report on a terminal: the same lines as on paper, narrower."""

from agents.cli.layout import Rows
from agents.cli.output import out, plain, print_wrapped, styled
from recon_streams.reports.account_day import AccountDay
from recon_streams.reports.account_window import AccountWindow
from recon_streams.reports.change_words import before_and_now, figure_name
from recon_streams.reports.dataset import Dataset, dataset_from_bytes, digest_of, report_id
from recon_streams.reports.figures import printed
from recon_streams.reports.reasons import covering_parts, reason_of, uncovered_parts
from recon_streams.reports.summary import summary_of
from recon_streams.reports.totals import require_ties
from recon_streams.reports.walk import steps_of
from recon_streams.reports.words import CONTINUITIES, TIERS, answer_text

# A terminal is for looking; who wants every item exports the report.
_ITEMS_MAX = 20


def print_report(content: bytes) -> None:
    """Print the report of the dataset `content`.

    Raises:
        TotalsDisagree: a total does not tie.
    """
    dataset = dataset_from_bytes(content)
    totals = require_ties(dataset)
    out.print(f"[bold]{plain(report_id(dataset))}[/]  sha256 {digest_of(content)}")
    if dataset.corrects:
        print_wrapped(f"corrects {dataset.corrects} {plain(dataset.cause)}".rstrip())
    for sentence in summary_of(dataset):
        print_wrapped(f"- {plain(sentence)}")
    _print_changes(dataset)
    for account in dataset.accounts:
        out.print()
        if isinstance(account, AccountDay):
            _print_day(account)
        else:
            _print_window(account)
    out.print()
    out.print(f"{totals} totals were reached by two roads, and agree")


def _print_changes(dataset: Dataset) -> None:
    if not dataset.changes:
        return
    shown = Rows("changed", "figure", "before", "now")
    for change in dataset.changes:
        before, now = before_and_now(change)
        name = f"{change.account_id} {change.currency}"
        shown.add_row(name, figure_name(change.what), plain(before), plain(now))
    shown.print(out)


def _print_day(day: AccountDay) -> None:
    _print_heading(day)
    shown = Rows("line", "booked on", "age", "item", day.currency)
    used = day.statement
    bank = "balance per bank"
    if used is not None:
        bank += f" ({used.message} {used.statement_id or ''}, version {used.version})"
    shown.add_row(plain(bank), "", "", "", _figure(day.bank_closing, day.currency))
    for step in steps_of(day, items_max=_ITEMS_MAX):
        shown.add_row(step.label, "", "", "", _figure(step.amount, day.currency))
        for item, effect in zip(step.items, step.effects, strict=True):
            late = " [bold red]overdue[/]" if item.overdue else ""
            cover = "" if item.covers else " (does not cover)"
            shown.add_row(
                f"  {plain(item.reference)}{late}{cover}", item.on.isoformat(),
                f"{item.age_business_days} d", _figure(effect, day.currency), "",
            )  # fmt: skip
        if step.hidden:
            hidden = _figure(step.hidden_amount, day.currency)
            shown.add_row(f"  and {step.hidden} more", "", "", hidden, "")
    shown.add_row("balance per ledger", "", "", "", _figure(day.ledger_at_cut_off, day.currency))
    shown.add_row("proof amount", "", "", "", _figure(day.proof, day.currency))
    shown.print(out)
    _print_cover(day)
    for item in day.items:
        if item.overdue:
            print_wrapped(f"  {plain(item.reference)}: {plain(item.reason)}", indent=4)
    print_wrapped(
        f"  continuity {day.chain.continuity.value}: {CONTINUITIES[day.chain.continuity]}"
    )
    _print_discrepancies(day)


def _print_cover(day: AccountDay) -> None:
    """Print what the verdict is on: the difference without what may stand between the two."""
    if day.difference is None:
        return
    shown = Rows("what the verdict is on", "items", day.currency)
    shown.add_row("bank less ledger", "", _figure(day.difference, day.currency))
    for part in covering_parts(day):
        shown.add_row(
            f"  of it covered: {part.label}", str(part.count), _figure(part.amount, day.currency)
        )
    shown.add_row("not covered", "", _figure(day.uncovered, day.currency))
    for part in uncovered_parts(day):
        count = str(part.count) if part.count else ""
        shown.add_row(f"  {part.label}", count, _figure(part.amount, day.currency))
    if day.shortage != "0":
        missing = _figure(day.shortage, day.currency)
        shown.add_row("missing, whatever else is too much", "", missing)
    shown.print(out)


def _print_window(window: AccountWindow) -> None:
    _print_heading(window)
    shown = Rows("side", "start", "in", "out", "restated", "end")
    for name, side in (("bank", window.bank), ("ledger", window.ledger)):
        amounts = (side.opening, side.credits, side.debits, side.restated, side.closing)
        shown.add_row(name, *(_figure(amount, window.currency) for amount in amounts))
    shown.print(out)
    difference = printed(window.difference, window.currency)
    explained = printed(window.explained_total, window.currency)
    left = printed(window.unexplained, window.currency)
    out.print(f"  bank less ledger {difference}, between the legs {explained}, unexplained {left}")
    print_wrapped(f"  {plain(answer_text(window.bank_balance, window.currency))}", indent=4)
    _print_discrepancies(window)


def _print_heading(account: AccountDay | AccountWindow) -> None:
    out.print(
        f"[bold]{account.account_id} {account.currency}[/]  {styled(account.tier.value)} "
        f"{TIERS[account.tier]} by rule {plain(account.rule)}"
    )
    print_wrapped(f"  because {plain(reason_of(account))}", indent=4)


def _print_discrepancies(account: AccountDay | AccountWindow) -> None:
    for each in account.discrepancies:
        at = f" at {each.counted_at:%Y-%m-%d %H:%M} UTC" if each.counted_at else ""
        out.print(
            f"  open{at}: {each.count} {each.kind}, {each.bucket} business days, "
            f"{each.overdue} past due"
        )


def _figure(amount: str | None, currency: str) -> str:
    # Columns of this program are aligned to the left; figures need their units below each other.
    return printed(amount, currency).rjust(18)
