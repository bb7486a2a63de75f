"""What a statement does to a position: its entries, its closing as the new anchor, the chain.

A statement that is whole and adds up is the bank's last word on its day. Its entries are recorded
without moving the balance, because its closing contains them; then the closing becomes the anchor,
and what the bank booked on later days is added to it. One that does not add up changes nothing.
"""

from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from recon_streams.kernel.disposition import Disposition, Held
from recon_streams.kernel.money import normal, subtract
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.positions import bank_findings as say
from recon_streams.positions import judging
from recon_streams.positions.bank_days import is_over
from recon_streams.positions.bank_entries import Told
from recon_streams.positions.bank_message import PreparedReport
from recon_streams.positions.bank_record import (
    StatementRow,
)
from recon_streams.positions.bank_statements import PreparedStatement, link_of
from recon_streams.positions.directory import Account
from recon_streams.positions.entry_intake import ReportEntries, told_of
from recon_streams.positions.event import BankMoved, BankObserved, BankStated
from recon_streams.positions.holding import given_up, held_after, name_of
from recon_streams.positions.message_intake import MessageIntake
from recon_streams.positions.state import AccountState
from recon_streams.positions.withdrawal import Withdrawal
from recon_streams.statements.chain import (
    Link,
    earlier_version,
    is_later,
    is_older_version,
)
from recon_streams.statements.equation import Equation


class StatementIntake:
    """One statement that is the record of its account's day."""

    def __init__(self, intake: MessageIntake, report: PreparedReport) -> None:
        """Decide `report` inside `intake`."""
        assert report.statement is not None, "it is a statement"
        self._intake = intake
        self._bank = intake.known.bank
        self._report = report
        self._statement: PreparedStatement = report.statement
        self._account: Account = report.account
        self._number = report.account.number
        self._withdrawal = Withdrawal(intake, report.account, self._told)
        self.first_known: str | None = None

    def take(self) -> Disposition | Held:
        """Decide the statement, which is not a page of one."""
        equation = self._statement.equation
        if equation.difference:
            return self._refuse(equation)
        link = self._link(equation)
        before = earlier_version(self._links, link)
        if before is not None and before.content == link.content:
            self.first_known = before.origin
            return Disposition.DUPLICATE
        if before is not None:
            link = replace(link, key=before.key, version=self._next_version(before))
            if is_older_version(link, before):
                self._keep(link, equation, "SUPERSEDED")
                self._observe()
                return Disposition.OBSERVATION
        entries = ReportEntries(self._intake, self._account, self._told, contained=True)
        entries.take(self._report.booked, lists_day=True)
        if before is not None:
            self.correct(before, link, entries, added=entries.total)
        return self.accept(link, equation, entries, before)

    def accept(
        self, link: Link, equation: Equation, entries: ReportEntries, before: Link | None = None
    ) -> Disposition:
        """Let the statement count: as the anchor if it is the newest, and in the chain."""
        if before is not None:
            self._bank.restate(self._number, before, "SUPERSEDED")
        became = self._anchor(link, entries)
        judging.judge_chain(self._intake, self._number, link)
        judging.judge_entries(self._intake, self._report, link, entries)
        self._keep(link, equation, "ACCEPTED")
        return became

    def versioned(self, link: Link, content: bytes) -> Link:
        """Return `link` with the digest of the whole, and as a version of what it corrects."""
        link = replace(link, content=content)
        before = earlier_version(self._links, link)
        if before is None:
            return link
        return replace(link, key=before.key, version=self._next_version(before))

    def note_unbalanced(self, link: Link, equation: Equation) -> Disposition:
        """Say by how much pages do not add up together; what they booked counts provisionally."""
        self._keep(link, equation, "UNBALANCED")
        if equation.difference is not None:
            self._say_unbalanced(link, equation)
        return self.let_go()

    def _refuse(self, equation: Equation) -> Held:
        """Change nothing, and say by how much the statement does not add up."""
        link = self._link(equation)
        self._keep(link, equation, "UNBALANCED")
        self._say_unbalanced(link, equation)
        numbers = ", ".join(f"{name} {text}" for name, text in say.sums_of(equation).items())
        return Held(
            code=RefusalCode.STATEMENT_UNBALANCED,
            field=f"{self._report.path}/Bal",
            rule="opening plus booked entries is the closing, exactly",
            detail=numbers,
        )

    def _say_unbalanced(self, link: Link, equation: Equation) -> None:
        told = self._told
        self._intake.say(say.unbalanced(self._number, link.closing_on, equation, told))

    def _anchor(self, link: Link, entries: ReportEntries) -> Disposition:
        """Make the closing the anchor; if a later day is closed, count again what follows that."""
        state = self._intake.working.states[self._number]
        assert link.closing is not None, "what adds up has a closing"
        if self._is_newest(link):
            is_early = not is_over(link.closing_on, self._account, self._intake.at)
            self._state(link.closing, link.closing_on, is_early=is_early)
            return Disposition.APPLIED
        if entries.is_crossed and state.stated_on is not None and state.bank.anchor is not None:
            self._state_again(state)
            return Disposition.APPLIED
        if self._hold in state.held:
            return self.let_go()
        if not entries.booked or self._withdrawal.has_any:
            self._observe()
        return Disposition.OBSERVATION

    def let_go(self) -> Disposition:
        """Let what the pages held back count as far as no anchor contains it; return what it did.

        Of a statement older than the anchor that is nothing.
        """
        state = self._intake.working.states[self._number]
        if self._hold is None or self._hold not in state.held:
            return Disposition.OBSERVATION
        event = given_up(
            state,
            self._hold,
            at=self._intake.at,
            evidence=self._intake.at_path(self._report.path),
            message=self._report.message,
        )
        self._intake.record(self._account, event)
        return Disposition.APPLIED if isinstance(event, BankMoved) else Disposition.OBSERVATION

    def _state_again(self, state: AccountState) -> None:
        """Count again what follows the anchor there is."""
        assert state.stated_on is not None, "it was stated"
        assert state.bank.anchor is not None, "with a balance"
        self._state(state.bank.anchor, state.stated_on, is_early=state.stated_early)

    def _state(self, amount: Decimal, closing_on: date, *, is_early: bool) -> None:
        state = self._intake.working.states[self._number]
        booked_after = self._bank.moved_after(self._number, closing_on)
        waiting = held_after(state, closing_on, but=self._hold)
        event = BankStated(
            at=self._intake.at,
            evidence=self._intake.at_path(self._report.path),
            amount=amount,
            closing_on=closing_on,
            moved_after=normal(subtract(booked_after, waiting)),
            is_early=is_early,
            settles=(self._hold,) if self._hold in state.held else (),
        )
        self._intake.record(self._account, event)

    def _observe(self) -> None:
        # Nothing moves, but the bank has spoken: that alone is evidence that its feed lives.
        where = self._intake.at_path(self._report.path)
        waits = self._hold in self._intake.working.states[self._number].held
        event = BankObserved(
            at=self._intake.at,
            evidence=where,
            message=self._report.message,
            settles=(self._hold,) if self._hold and waits else (),
        )
        self._intake.record(self._account, event)

    def _is_newest(self, link: Link) -> bool:
        state = self._intake.working.states[self._number]
        if state.stated_on is None:
            opened_at = self._account.bank_opened_at
            return opened_at is None or link.closing_on >= opened_at.date()
        if link.closing_on != state.stated_on:
            return link.closing_on > state.stated_on
        same_day = [
            other
            for other in self._links
            if other.closing_on == link.closing_on and other.status == "ACCEPTED"
        ]
        return all(is_later(link, other, are_all=len(same_day) == 1) for other in same_day)

    def correct(
        self, before: Link, link: Link, entries: ReportEntries, *, added: tuple[int, Decimal]
    ) -> None:
        """Take back what the version before held and this one does not.

        `added` is how many entries of it are new, and their sum.
        """
        own = self._bank.held_by(self._number, self._places_of(link)) | entries.payments
        gone = self._withdrawal.take_back(
            self._bank.held_by(self._number, self._places_of(before)) - own, link
        )
        is_same = (before.opening, before.closing) == (link.opening, link.closing)
        if is_same and not added[0] and not gone[0]:
            return  # other words about the same money
        self._intake.say(say.corrected(self._number, before, link, added=added, gone=gone))

    def supersede(self, link: Link, equation: Equation) -> Disposition:
        """Let pages that are whole not count: the bank made a later version, which came first.

        What only they hold is taken back.
        """
        self._keep(link, equation, "SUPERSEDED")
        places = self._places_of(link)
        origins = {origin for origin, _ in places}
        own = {
            key
            for key in self._bank.held_by(self._number, places)
            if {self._bank.payments[key].origin, self._bank.payments[key].stated_by} <= origins
        }
        self._withdrawal.take_back(own, link)
        state = self._intake.working.states[self._number]
        if state.stated_on is not None and state.bank.anchor is not None:
            self._state_again(state)
        else:
            self._observe()
        return Disposition.OBSERVATION

    def _places_of(self, link: Link) -> list[tuple[str, str]]:
        return self._bank.places_of(self._number, link.origin, link.path)

    def _keep(self, link: Link, equation: Equation, status: str) -> None:
        row = StatementRow(
            account=self._number,
            link=replace(link, status=status),
            equation=equation,
            status=status,
            arrived_at=self._intake.at,
        )
        self._bank.note_statement(row)

    def _link(self, equation: Equation) -> Link:
        return link_of(
            self._statement,
            equation,
            message=self._report.message,
            origin=self._intake.origin,
            path=self._report.path,
        )

    def _next_version(self, before: Link) -> int:
        versions = (other.version for other in self._links if other.key == before.key)
        return max(versions, default=before.version) + 1

    @property
    def _hold(self) -> str | None:
        pages = self._statement.pages
        return None if pages is None else name_of(pages.key)

    @property
    def _links(self) -> list[Link]:
        return self._bank.links.get(self._number, [])

    @property
    def _told(self) -> Told:
        return told_of(self._report, self._intake)
