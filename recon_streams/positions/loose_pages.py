"""Pages of a report or notification: one that overtook those before it waits for them.

Nothing in such a message closes a day, so pages in their order count as they come. What a later
page books may be taken back by what an earlier one books, and a breaker would have opened between.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from recon_streams.kernel.money import ZERO, add, normal, subtract
from recon_streams.positions import bank_findings as say
from recon_streams.positions.bank_message import PreparedReport
from recon_streams.positions.bank_pages import PreparedPages
from recon_streams.positions.bank_statements import page_of
from recon_streams.positions.entry_intake import told_of
from recon_streams.positions.event import Wait
from recon_streams.positions.holding import AHEAD_WAIT_MAX, given_up, name_of
from recon_streams.positions.message_intake import MessageIntake
from recon_streams.positions.page_intake import waiting_for
from recon_streams.statements.equation import Equation
from recon_streams.statements.pages import Page, is_complete, join, missing_pages


class LoosePages:
    """The pages of which one is being taken in."""

    def __init__(self, intake: MessageIntake, report: PreparedReport) -> None:
        """Take in `report`, a page, inside `intake`."""
        assert report.pages is not None, "it is a page"
        self._intake = intake
        self._report = report
        self._place: PreparedPages = report.pages
        self._number = report.account.number

    @property
    def origins(self) -> Iterable[str]:
        """The inputs that brought the pages that are there."""
        return (page.origin for page in self._known.values())

    def wait(self) -> Wait | None:
        """Return for what the entries of the page wait; None if they count as they come.

        The page that the others wait for counts together with them.
        """
        own, known = self._place.number, self._known
        is_next = sum(1 for number in known if number < own) == own - 1
        held = self._intake.working.states[self._number].held
        if own in known or (is_next and name_of(self._place.key) not in held):
            return None
        return waiting_for(self._place, known.values(), at=self._intake.at, wait_max=AHEAD_WAIT_MAX)

    def settle(self) -> Equation | None:
        """Note the page; if none is missing before it, let all count. Return the whole, if so."""
        intake, number = self._intake, self._number
        if self._place.number not in self._known:
            intake.known.bank.note_page(number, self._place.key, self._page())
        pages = self._known
        told, name = told_of(self._report, intake), f"pages {self._place.key.hex()[:12]}"
        missing = missing_pages(pages.values())
        if missing:
            intake.say(say.incomplete(number, name, missing, told))
            return None
        intake.say(say.complete(number, name, told))
        self._let_go()
        return join(pages, self._report.account.currency) if is_complete(pages.values()) else None

    def _let_go(self) -> None:
        """Let what waited for this page count."""
        state, name = self._intake.working.states[self._number], name_of(self._place.key)
        if name not in state.held:
            return
        event = given_up(
            state,
            name,
            at=self._intake.at,
            evidence=self._intake.at_path(self._report.path),
            message=self._report.message,
        )
        self._intake.record(self._report.account, event)

    @property
    def _known(self) -> Mapping[int, Page]:
        return self._intake.known.bank.pages.get((self._number, self._place.key), {})

    def _page(self) -> Page:
        report, intake = self._report, self._intake
        if report.statement is not None:
            return page_of(report.statement, origin=intake.origin, path=report.path, at=intake.at)
        amounts = [entry.signed_amount for entry in report.booked]
        return Page(
            number=self._place.number,
            is_last=self._place.is_last,
            credits=_sum(amount for amount in amounts if amount > 0),
            debits=subtract(ZERO, _sum(amount for amount in amounts if amount < 0)),
            entry_count=len(amounts),
            content=report.content,
            origin=intake.origin,
            path=report.path,
            arrived_at=intake.at,
        )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for amount in amounts:
        total = add(total, amount)
    return normal(total)
