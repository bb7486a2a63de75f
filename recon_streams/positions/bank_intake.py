"""From a prepared camt.052, 053 or 054 to account events: seen before or new, and what it means."""

from collections.abc import Collection
from datetime import datetime

from recon_streams.kernel.disposition import Disposition, Held, Outcome, quarantined
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.positions.bank_message import Prepared, PreparedReport
from recon_streams.positions.bank_statements import link_of
from recon_streams.positions.cross_check import compare_balance, compare_total, keep_report
from recon_streams.positions.directory import Account
from recon_streams.positions.entry_intake import ReportEntries, told_of
from recon_streams.positions.event import BankObserved, Evidence
from recon_streams.positions.holding import overdue
from recon_streams.positions.known import SeenReport
from recon_streams.positions.loose_pages import LoosePages
from recon_streams.positions.message_intake import MessageIntake
from recon_streams.positions.page_intake import PageIntake
from recon_streams.positions.statement_intake import StatementIntake
from recon_streams.positions.working_set import WorkingSet
from recon_streams.statements.chain import earlier_version, is_older_version


def take(prepared: Prepared, working: WorkingSet, *, at: datetime, evidence: Evidence) -> Outcome:
    """Decide a prepared message on the accounts of `working`, and return what became of it.

    What the same input did before, when a part of it was held, counts as done by it: a replay ends
    as if all had been decided at once.
    """
    message = _Message(working, at, evidence)
    held = [*prepared.held, *message.take(prepared.reports)]
    if held:
        return quarantined(*held, events=message.events)
    became = _disposition_of(message.became)
    duplicate_of = message.duplicate_of if became is Disposition.DUPLICATE else None
    return Outcome(disposition=became, duplicate_of=duplicate_of, events=message.events)


def _disposition_of(parts: Collection[Disposition]) -> Disposition:
    for stronger in (Disposition.APPLIED, Disposition.OBSERVATION, Disposition.DUPLICATE):
        if stronger in parts:
            return stronger
    return Disposition.OBSERVATION


class _Message:
    """One message while it is decided.

    Attributes:
        became: What became of its parts.
        duplicate_of: Where the first thing stands that was known already.
    """

    def __init__(self, working: WorkingSet, at: datetime, evidence: Evidence) -> None:
        self._intake = MessageIntake(working, at, evidence)
        self._known = working.known
        self.became: set[Disposition] = set()
        self.duplicate_of: str | None = None

    @property
    def events(self) -> int:
        """How many events the message added."""
        return self._intake.events

    def take(self, reports: Collection[PreparedReport]) -> list[Held]:
        """Decide `reports` and return those that must wait."""
        where = self._intake.origin
        before = self._taken_before(reports, where)
        held = []
        for report in reports:
            key = (report.account.number, report.key)
            seen = self._known.reports.get(key)
            if seen is None or self._says_it_again(report):
                became = self._take_report(report)
                if isinstance(became, Held):
                    held.append(became)
                    continue
                if seen is None:
                    self._known.learn_report(*key, SeenReport(report.content, where, became))
                self.became.add(became)
            elif seen.content != report.content:
                held.append(_conflict(report, seen))
            elif key in before:
                self.became.add(seen.became)
            else:
                self._note_known(seen.where)
        return held

    def _says_it_again(self, report: PreparedReport) -> bool:
        """Return whether the bank takes a correction back, by saying what it said before it."""
        statement = report.statement
        if statement is None or statement.pages is not None or not statement.closes_day:
            return False
        place = (self._intake.origin, report.path)
        link = link_of(
            statement, statement.equation, message=report.message, origin=place[0], path=place[1]
        )
        now = earlier_version(self._known.bank.links.get(report.account.number, []), link)
        return now is not None and now.content != link.content and is_older_version(now, link)

    def _taken_before(
        self, reports: Collection[PreparedReport], where: str
    ) -> set[tuple[int, bytes]]:
        """Return the reports that this input brought before, and claim their payments again."""
        before = set()
        for report in reports:
            key = (report.account.number, report.key)
            seen = self._known.reports.get(key)
            if seen is None or (seen.content, seen.where) != (report.content, where):
                continue
            if key not in before:
                before.add(key)
                self._claim_again(report, seen)
        return before

    def _claim_again(self, report: PreparedReport, seen: SeenReport) -> None:
        for prepared in report.booked:
            known = self._intake.recognise(report.account.number, prepared)
            if known is not None and seen.became is Disposition.DUPLICATE:
                self._note_known(f"{report.account.account_id}#{known.seen.sequence}")

    def _note_known(self, where: str) -> None:
        self.became.add(Disposition.DUPLICATE)
        self.duplicate_of = self.duplicate_of or where

    def _take_report(self, report: PreparedReport) -> Disposition | Held:
        self._let_go(report.account)
        statement = report.statement
        if statement is not None and statement.closes_day:
            if statement.pages is not None:
                return self._take_page(report)
            whole = StatementIntake(self._intake, report)
            became = whole.take()
            if whole.first_known is not None:
                self._note_known(whole.first_known)
            return became
        return self._take_provisional(report)

    def _let_go(self, account: Account) -> None:
        """Let what waited too long for the pages of a statement count."""
        state = self._intake.working.states[account.number]
        released = overdue(state, self._intake.at) if state.held else None
        if released is not None:
            self._intake.record(account, released)

    def _take_page(self, report: PreparedReport) -> Disposition | Held:
        became, entries, held = PageIntake(self._intake, report).take()
        if held is not None:
            return held
        if entries is not None and entries.first_known is not None:
            self._note_known(entries.first_known)
        if not became:
            self._observe(report)
        return _disposition_of(became)

    def _take_provisional(self, report: PreparedReport) -> Disposition:
        """Take in what is booked until a statement says more; then compare what it says of sums."""
        number, statement = report.account.number, report.statement
        state = self._intake.working.states[number]
        pages = None if report.pages is None else LoosePages(self._intake, report)
        told, waits = told_of(report, self._intake), pages.wait() if pages else None
        entries = ReportEntries(self._intake, report.account, told, waits=waits)
        self._intake.set_siblings(number, None if pages is None else pages.origins)
        entries.take(report.booked, lists_day=statement is not None and statement.lists_day)
        self._intake.set_siblings(number, None)
        if entries.first_known is not None:
            self._note_known(entries.first_known)
        if not entries.became:
            self._observe(report)
        equation = statement.equation if statement is not None else None
        if pages is not None:
            equation = pages.settle()
        if statement is not None:
            keep_report(self._intake, report)
            if equation is not None:
                compare_balance(self._intake, report, equation, before=state)
        if report.total is not None:
            compare_total(self._intake, report, report.total)
        return _disposition_of(entries.became)

    def _observe(self, report: PreparedReport) -> None:
        # Nothing booked, but the bank has spoken: that alone is evidence that its feed lives.
        where = self._intake.at_path(report.path)
        event = BankObserved(at=self._intake.at, evidence=where, message=report.message)
        self._intake.record(report.account, event)


def _conflict(report: PreparedReport, seen: SeenReport) -> Held:
    return Held(
        code=RefusalCode.ID_CONFLICT,
        field=f"{report.path}/Id",
        rule="a notification sent again says the same; another content needs another id",
        detail=f"first seen at {seen.where}",
    )
