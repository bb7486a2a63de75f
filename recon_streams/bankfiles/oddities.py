"""What is odd about a file that can be read: each with where it is, and the exact figures."""

from collections import Counter
from enum import StrEnum, unique
from typing import Final

import msgspec

from recon_streams.bankfiles.printed import Printed
from recon_streams.iso20022.values import Direction, Entry, GroupHeader, Report
from recon_streams.kernel.money import ZERO, add, amount_text, subtract
from recon_streams.statements.equation import Equation, Hint

ODDITIES_MAX: Final = 100

# A central bank cuts its notifications silently at this number of transactions.
_TRUNCATED_AT: Final = 500
_BALANCE_CODES: Final = frozenset(
    ["OPBD", "PRCD", "CLBD", "ITBD", "XPCD", "OPAV", "ITAV", "CLAV", "FWAV", "INFO"]
)
_HINTS: Final = {
    Hint.REVERSALS_FLIPPED: "it would be exact if reversals carried the sign of their original",
    Hint.VALUED_LATER_LEFT_OUT: "it would be exact without the entries valued after the closing",
    Hint.PENDING_COUNTED: "it would be exact with the pending entries",
}


@unique
class OddityCode(StrEnum):
    """What a file that can be read may still be asked about at the bank."""

    STATEMENT_UNBALANCED = "STATEMENT_UNBALANCED"
    BALANCE_MISSING = "BALANCE_MISSING"
    BALANCE_TYPE_UNUSUAL = "BALANCE_TYPE_UNUSUAL"
    CURRENCIES_DIFFER = "CURRENCIES_DIFFER"
    CLOSING_BEFORE_OPENING = "CLOSING_BEFORE_OPENING"
    PAGE_MISSING = "PAGE_MISSING"
    COPY_OR_DUPLICATE = "COPY_OR_DUPLICATE"
    BATCH_COUNT_DIFFERS = "BATCH_COUNT_DIFFERS"
    BATCH_TOTAL_DIFFERS = "BATCH_TOTAL_DIFFERS"
    DETAILS_DIFFER = "DETAILS_DIFFER"
    SUMMARY_DIFFERS = "SUMMARY_DIFFERS"
    TRUNCATION_SUSPECTED = "TRUNCATION_SUSPECTED"
    REFERENCE_REPEATED = "REFERENCE_REPEATED"
    VALIDITY_UNCHECKED = "VALIDITY_UNCHECKED"
    ODDITIES_CUT = "ODDITIES_CUT"


class Oddity(msgspec.Struct, frozen=True):
    """One thing that is odd, where it is, and the figures that say so."""

    code: OddityCode
    path: str
    text: str


class Oddities:
    """What is odd about one file, up to a bound."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.found: list[Oddity] = []

    def note(self, code: OddityCode, path: str, text: str) -> None:
        """Keep an oddity, unless there are too many."""
        if len(self.found) < ODDITIES_MAX:
            self.found.append(Oddity(code, path, text))
        elif len(self.found) == ODDITIES_MAX:
            text = f"only the first {ODDITIES_MAX} are kept"
            self.found.append(Oddity(OddityCode.ODDITIES_CUT, "", text))

    def see_header(self, header: GroupHeader) -> None:
        """Look at the pages of the whole message."""
        self._see_pages("GrpHdr", header.page_number, is_last=header.last_page)

    def see_entry(self, entry: Entry) -> None:
        """Compare an entry with its batch and its transactions."""
        count = len(entry.details)
        if entry.batch_count is not None and count and entry.batch_count != count:
            text = f"the batch says {entry.batch_count} transactions, {count} are there"
            self.note(OddityCode.BATCH_COUNT_DIFFERS, entry.path, text)
        if entry.batch_total is not None and entry.batch_total != entry.amount:
            total, amount = amount_text(entry.batch_total), amount_text(entry.amount)
            text = f"the batch says {total}, the entry {amount}"
            self.note(OddityCode.BATCH_TOTAL_DIFFERS, entry.path, text)
        if count == _TRUNCATED_AT:
            text = f"exactly {count} transactions: more may have been cut off"
            self.note(OddityCode.TRUNCATION_SUSPECTED, entry.path, text)
        self._see_details(entry)

    def see_report(self, report: Report, equation: Equation, figures: Printed) -> None:
        """Look at a report whose entries were all seen."""
        path = report.path
        self._see_pages(path, report.page_number, is_last=report.last_page)
        if report.copy_duplicate:
            text = f"{report.copy_duplicate}: the bank says it sent this before, or to others"
            self.note(OddityCode.COPY_OR_DUPLICATE, f"{path}/CpyDplctInd", text)
        for number, balance in enumerate(report.balances, start=1):
            if balance.code not in _BALANCE_CODES:
                text = "a balance of the bank's own type; no equation uses it"
                self.note(OddityCode.BALANCE_TYPE_UNUSUAL, f"{path}/Bal[{number}]", text)
        if figures["entry_count"] == _TRUNCATED_AT:
            text = f"exactly {_TRUNCATED_AT} entries: more may have been cut off"
            self.note(OddityCode.TRUNCATION_SUSPECTED, path, text)
        self._see_equation(path, equation, is_statement=path.startswith("Stmt"))
        self._see_summary(path, figures)

    def see_references(self, path: str, references: Counter[str]) -> None:
        """Note bank references that more than one entry of a report has."""
        for reference, count in references.items():
            if count > 1:
                text = f"{count} entries have the AcctSvcrRef {reference}: it identifies none"
                self.note(OddityCode.REFERENCE_REPEATED, path, text)

    def _see_pages(self, path: str, number: int | None, *, is_last: bool | None) -> None:
        if number is not None and number > 1:
            text = f"page {number}: the pages before it are other messages"
            self.note(OddityCode.PAGE_MISSING, path, text)
        if is_last is False:
            text = f"page {number or '?'} is not the last: more pages are other messages"
            self.note(OddityCode.PAGE_MISSING, path, text)

    def _see_details(self, entry: Entry) -> None:
        known = [each for each in entry.details if each.amount is not None]
        if not known or len(known) != len(entry.details):
            return
        if any(each.currency != entry.currency for each in known):
            if len(known) > 1:
                text = "the transactions are in another currency than the entry"
                self.note(OddityCode.DETAILS_DIFFER, entry.path, text)
            return
        total = ZERO
        for each in known:
            amount = each.amount or ZERO
            is_debit = (each.direction or entry.direction) is Direction.DEBIT
            total = subtract(total, amount) if is_debit else add(total, amount)
        if total != entry.signed_amount:
            rest = amount_text(subtract(entry.signed_amount, total))
            text = (
                f"the entry is {amount_text(entry.signed_amount)}, its transactions add up to "
                f"{amount_text(total)}: {rest} is not explained by them"
            )
            self.note(OddityCode.DETAILS_DIFFER, entry.path, text)

    def _see_equation(self, path: str, equation: Equation, *, is_statement: bool) -> None:
        if equation.difference:
            closing = equation.closing if equation.closing is not None else ZERO
            computed = subtract(closing, equation.difference)
            text = (
                f"{equation.opening_code} {_text(equation.opening)} + booked "
                f"{amount_text(equation.booked)} is {_text(computed)} "
                f"{equation.currency}, not {equation.closing_code} {_text(closing)}: difference "
                f"{amount_text(equation.difference)}"
            )
            hints = "".join(f"; {_HINTS[hint]}" for hint in equation.hints)
            self.note(OddityCode.STATEMENT_UNBALANCED, path, text + hints)
        elif equation.difference is None and is_statement:
            missing = "opening" if equation.opening is None else "closing"
            text = f"no {missing} balance that can be used: nothing proves that it is complete"
            self.note(OddityCode.BALANCE_MISSING, path, text)
        if equation.foreign_balances or equation.foreign_entries:
            text = (
                f"{equation.foreign_balances} balances and {equation.foreign_entries} entries are "
                f"not in {equation.currency}; they are never added to it"
            )
            self.note(OddityCode.CURRENCIES_DIFFER, path, text)
        if (
            equation.opening_on is not None
            and equation.closing_on is not None
            and equation.closing_on < equation.opening_on
        ):
            text = f"closing of {equation.closing_on}, opening of {equation.opening_on}"
            self.note(OddityCode.CLOSING_BEFORE_OPENING, path, text)

    def _see_summary(self, path: str, figures: Printed) -> None:
        summary = figures.get("summary")
        if not isinstance(summary, dict):
            return
        for name, found in (("total_entries", figures["entry_count"]),):
            said = summary[name]
            if isinstance(said, str) and said.isascii() and said.isdigit() and int(said) != found:
                text = f"the bank's summary says {said} entries, {found} are there"
                self.note(OddityCode.SUMMARY_DIFFERS, f"{path}/TxsSummry", text)


def _text(amount: object) -> str:
    return "nothing" if amount is None else amount_text(amount)  # type: ignore[arg-type]
