"""Pages of a statement: each is taken in as it comes, and the last one to come closes the day.

Pages wait for each other: what they book counts with the closing. If they do not come in time, or
do not add up together, what they book moves the balance as a report during the day does; a closing
that comes later replaces that.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from recon_streams.kernel.disposition import Disposition, Held
from recon_streams.kernel.money import ZERO, add
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.positions import bank_findings as say
from recon_streams.positions.bank_message import PreparedReport
from recon_streams.positions.bank_pages import PreparedPages
from recon_streams.positions.bank_statements import link_of, page_of
from recon_streams.positions.entry_intake import ReportEntries, told_of
from recon_streams.positions.event import Wait
from recon_streams.positions.holding import WAIT_MAX, name_of
from recon_streams.positions.identity import digest_of
from recon_streams.positions.message_intake import MessageIntake
from recon_streams.positions.statement_intake import StatementIntake
from recon_streams.statements.chain import Link, earlier_version, is_older_version
from recon_streams.statements.equation import Equation
from recon_streams.statements.pages import Page, is_complete, join, missing_pages


class PageIntake:
    """One page of a statement that is the record of its account's day."""

    def __init__(self, intake: MessageIntake, report: PreparedReport) -> None:
        """Decide `report` inside `intake`."""
        assert report.statement is not None, "it is a statement"
        assert report.statement.pages is not None, "it is a page"
        self._intake = intake
        self._report = report
        self._statement = report.statement
        self._place: PreparedPages = report.statement.pages
        self._number = report.account.number
        self._bank = intake.known.bank

    def take(self) -> tuple[set[Disposition], ReportEntries | None, Held | None]:
        """Decide the page; return what became of it, its entries, and why it is held if it is."""
        if self._place.balanced is False:
            return set(), None, self._refuse()
        known = self._bank.pages.get((self._number, self._place.key), {})
        there = known.get(self._place.number)
        if there is not None and there.content != self._statement.content:
            return set(), None, self._conflict(there)
        entries = ReportEntries(
            self._intake,
            self._report.account,
            told_of(self._report, self._intake),
            waits=self._wait(known),
        )
        self._intake.set_siblings(self._number, (page.origin for page in known.values()))
        entries.take(self._report.booked, lists_day=True)
        self._intake.set_siblings(self._number, None)
        became = set(entries.became)
        if there is None:
            page = replace(
                page_of(
                    self._statement,
                    origin=self._intake.origin,
                    path=self._report.path,
                    at=self._intake.at,
                ),
                unannounced=entries.booked,
                unannounced_net=entries.booked_net,
            )
            self._bank.note_page(self._number, self._place.key, page)
        pages = self._bank.pages[self._number, self._place.key]
        if not is_complete(pages.values()):
            self._note_missing(pages)
            return became, entries, None
        became.add(self._close(pages, entries))
        return became, entries, None

    def _wait(self, known: Mapping[int, Page]) -> Wait | None:
        """Return for what and until when the entries wait; None if they count as they come.

        They wait for their closing, which contains them, but not for ever.
        """
        return waiting_for(self._place, known.values(), at=self._intake.at, wait_max=WAIT_MAX)

    def _close(self, pages: dict[int, Page], entries: ReportEntries) -> Disposition:
        """Let the whole statement count, if it adds up."""
        account = self._report.account
        told = told_of(self._report, self._intake)
        equation = join(pages, account.currency)
        self._intake.say(say.complete(self._number, self._name(), told))
        whole = StatementIntake(self._intake, self._report)
        contents = (pages[number].content.hex() for number in sorted(pages))
        link = whole.versioned(self._link(equation), digest_of(*contents))
        if not equation.is_exact:
            return whole.note_unbalanced(link, equation)
        before = earlier_version(self._bank.links.get(self._number, []), link)
        if before is not None and is_older_version(link, before):
            return whole.supersede(link, equation)
        booked = _unannounced(pages)
        if booked[0] and self._intake.working.states[self._number].notified:
            self._intake.say(say.late_notification(self._number, link, booked))
        if before is not None:
            whole.correct(before, link, entries, added=booked)
        return whole.accept(link, equation, entries, before)

    def _note_missing(self, pages: dict[int, Page]) -> None:
        missing = missing_pages(pages.values())
        if missing:
            told = told_of(self._report, self._intake)
            self._intake.say(say.incomplete(self._number, self._name(), missing, told))

    def _link(self, equation: Equation) -> Link:
        return link_of(
            self._statement,
            equation,
            message=self._report.message,
            origin=self._intake.origin,
            path=self._report.path,
        )

    def _name(self) -> str:
        return f"pages {self._place.key.hex()[:12]}"

    def _conflict(self, there: Page) -> Held:
        return Held(
            code=RefusalCode.ID_CONFLICT,
            field=f"{self._report.path}/StmtPgntn",
            rule="a page sent again says the same",
            detail=f"page {there.number} first seen at {there.origin}",
        )

    def _refuse(self) -> Held:
        told = told_of(self._report, self._intake)
        on = self._statement.closing_on or self._intake.at.date()
        self._intake.say(say.unbalanced_file(self._number, on, told))
        return Held(
            code=RefusalCode.STATEMENT_UNBALANCED,
            field=f"{self._report.path}/Bal",
            rule="opening plus booked entries of the whole file is the closing, exactly",
            detail="",
        )


def waiting_for(
    place: PreparedPages, known: Collection[Page], *, at: datetime, wait_max: timedelta
) -> Wait | None:
    """Return for what, and until when, a page waits that came `at`; None if that is over."""
    first_at = min((page.arrived_at for page in known), default=at)
    until = first_at + wait_max
    return Wait(name_of(place.key), until) if at < until else None


def _unannounced(pages: Mapping[int, Page]) -> tuple[int, Decimal]:
    """Return how many entries nobody had told of, and their sum."""
    net = ZERO
    for page in pages.values():
        net = add(net, page.unannounced_net)
    return sum(page.unannounced for page in pages.values()), net
