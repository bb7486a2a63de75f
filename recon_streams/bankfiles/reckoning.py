"""One message while it is inspected: figures, oddities and movements of its reports, as they come.

The same object serves a message that is in memory and one that streams by.
"""

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec

from recon_streams.bankfiles import printed
from recon_streams.bankfiles.figures import ReportFigures
from recon_streams.bankfiles.oddities import Oddities
from recon_streams.bankfiles.printed import Printed, Unprintable
from recon_streams.iso20022.balances import balance_of
from recon_streams.iso20022.reading import Reading
from recon_streams.iso20022.safe_xml import Element, namespace_of
from recon_streams.iso20022.values import Entry, Report
from recon_streams.kernel.money import amount_text
from recon_streams.kernel.refusal import Refused
from recon_streams.statements.equation import Equation, currency_of, ends_of, equation_of
from recon_streams.statements.tally import Tally

# Of a larger report only the first entries are compared with other files.
MOVEMENTS_MAX: Final = 20_000


class Movement(msgspec.Struct, frozen=True, gc=False):
    """One entry as files are compared by it."""

    reference: str | None
    amount: str
    currency: str
    indicator: str
    booking: str | None


class ReportFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One report as files are compared by it; texts as printed."""

    shown: Printed
    net: Decimal
    transactions: int
    movements: tuple[Movement, ...]


class Reckoning:
    """Collects what entries and reports say."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._figures = ReportFigures()
        self._tallies: dict[str, Tally] = {}
        self._movements: list[Movement] = []
        self._references: Counter[str] = Counter()
        self.oddities = Oddities()
        self.reports: list[ReportFacts] = []
        self.is_printable = True

    def see_entry(self, element: Element, entry: Entry | None) -> None:
        """Take in an entry; None where something was refused, and only figures are wanted."""
        if not self.is_printable:
            return
        try:
            self._figures.add(element)
        except Unprintable:
            self.is_printable = False
            return
        if entry is None:
            return
        self.oddities.see_entry(entry)
        tally = self._tallies.get(entry.currency)
        if tally is None:
            closing_on = self._closing_on(element, entry.currency)
            tally = self._tallies[entry.currency] = Tally(entry.currency, closing_on)
        tally.add(entry)
        self._remember(entry, element)

    def see_report(self, element: Element, report: Report | None) -> None:
        """Take in a report after all its entries, which `element` need not hold any more."""
        if self.is_printable:
            try:
                shown = self._figures.result(element)
            except Unprintable:
                self.is_printable = False
            else:
                if report is not None:
                    equation = self._equation_of(report)
                    shown["equation"] = _shown_equation(equation)
                    self.oddities.see_report(report, equation, shown)
                    self.oddities.see_references(report.path, self._references)
                self._keep(shown)
        self._figures = ReportFigures()
        self._tallies, self._movements, self._references = {}, [], Counter()

    def _keep(self, shown: Printed) -> None:
        facts = ReportFacts(
            shown=shown,
            net=Decimal(str(shown["net"])),
            transactions=int(str(shown["tx_details_count"])),
            movements=tuple(self._movements),
        )
        self.reports.append(facts)

    def _remember(self, entry: Entry, element: Element) -> None:
        if len(self._movements) >= MOVEMENTS_MAX:
            return
        if entry.servicer_reference:
            self._references[entry.servicer_reference] += 1
        amount = printed.at(element, "Amt")
        movement = Movement(
            entry.servicer_reference,
            (amount.text or "").strip() if amount is not None else "",
            entry.currency,
            entry.direction.value,
            str(entry.booked_on) if entry.booked_on else None,
        )
        self._movements.append(movement)

    def _closing_on(self, element: Element, currency: str) -> date | None:
        """Return the day of the closing, which stands before the entries where it stands right."""
        parent = element.getparent()
        assert parent is not None, "an entry is in a report"
        reading = Reading("", namespace_of(parent))
        try:
            balances = [balance_of(each, "", reading) for each in printed.each(parent, "Bal")]
        except Refused:
            return None
        closing = ends_of(balances, currency).closing
        return closing.on if closing else None

    def _equation_of(self, report: Report) -> Equation:
        # A report that streamed by holds no entries, and its account need not name a currency.
        currency = currency_of(report) or next(iter(self._tallies), None)
        ends = ends_of(report.balances, currency)
        tally = self._tallies.get(currency or "") or Tally(currency)
        tally.foreign = sum(t.count for c, t in self._tallies.items() if c != currency)
        return equation_of(ends, tally)


def _shown_equation(equation: Equation) -> Printed:
    amounts = {
        name: None if amount is None else amount_text(amount)
        for name, amount in (
            ("opening", equation.opening),
            ("booked", equation.booked),
            ("closing", equation.closing),
            # What the bank says beyond what its entries say.
            ("difference", equation.difference),
        )
    }
    return {
        "currency": equation.currency,
        "opening_code": equation.opening_code,
        "closing_code": equation.closing_code,
        **amounts,
        "hints": [hint.value for hint in equation.hints],
    }
