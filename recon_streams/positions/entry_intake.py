"""From a booked entry to an account event: known already, or new and then recorded once.

An entry books its own amount, always; the transactions in it only say which part of that was
already booked from notifications of its parts.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from msgspec.structs import replace

from recon_streams.iso20022.values import Entry
from recon_streams.kernel.disposition import Disposition
from recon_streams.kernel.money import ZERO, add, normal, subtract
from recon_streams.positions.bank_entries import PreparedEntry, Told, day_of, rows_of
from recon_streams.positions.bank_findings import (
    before_opening,
    late_announcement,
    now_confirmed,
)
from recon_streams.positions.bank_message import PreparedReport
from recon_streams.positions.bank_record import Confirmation, EntryRow, PaymentKey
from recon_streams.positions.counting import Counting
from recon_streams.positions.directory import Account
from recon_streams.positions.event import (
    BankMoved,
    BankObserved,
    Leg,
    Wait,
)
from recon_streams.positions.identity import NEAR
from recon_streams.positions.known import SeenMark
from recon_streams.positions.lumps import Seen, suspicions
from recon_streams.positions.message_intake import MessageIntake


class ReportEntries:
    """The entries of one report while they are taken in, and what became of them.

    Attributes:
        became: What became of each.
        first_known: The first payment that was known already, as `account#sequence`.
        payments: All payments that the report holds.
        booked: How many entries were new; `booked_net` is what they book.
        is_crossed: Whether a payment counted after the anchor and turned out to be in it.
    """

    def __init__(
        self,
        intake: MessageIntake,
        account: Account,
        told: Told,
        *,
        contained: bool = False,
        waits: Wait | None = None,
    ) -> None:
        """Take entries of `account`.

        `contained` ones are in a closing that comes with them; of a page that `waits` for others
        they do not count yet.
        """
        self._intake = intake
        self._account = account
        self._told = told
        self._contained = contained
        self._count = Counting(intake.working.states[account.number], waits)
        self._stated_on = intake.working.states[account.number].stated_on
        self.became: set[Disposition] = set()
        self.first_known: str | None = None
        self.payments: set[PaymentKey] = set()
        self.booked = 0
        self.booked_net = ZERO
        self.is_crossed = False
        self._new: list[PreparedEntry] = []

    @property
    def total(self) -> tuple[int, Decimal]:
        """How many entries were new, and what they book."""
        return self.booked, self.booked_net

    def take(self, entries: Sequence[PreparedEntry], *, lists_day: bool = False) -> None:
        """Recognise or book `entries`, all of one report.

        `lists_day` says that the message lists everything of its days, so that what looks like a
        payment announced before is that payment.
        """
        self._recognise_or_book(entries, lists_day=lists_day)
        told, known, number = self._told, self._intake.known, self._account.number
        through = told.day_max if told.stated else self._stated_on
        seen = Seen(self.payments, self._intake.siblings_of(number), through)
        for word in suspicions(known.lumps, number, self._new, told=told, seen=seen):
            self._intake.say(word)
        where = self._intake.at_path(told.path)
        for event in self._count.events(at=self._intake.at, evidence=where, message=told.message):
            self._intake.record(self._account, event)

    def _recognise_or_book(self, entries: Sequence[PreparedEntry], *, lists_day: bool) -> None:
        number = self._account.number
        found = [self._intake.recognise(number, each) for each in entries]
        if lists_day:
            # Only when every reference has found its payment may looks decide about the rest.
            for place, entry in enumerate(entries):
                if found[place] is None:
                    # What has a reference may stand with it on another page.
                    looks = entry.looks[:1] if self._told.is_page else entry.looks
                    found[place] = self._intake.recognise(number, entry, looks=looks)
        for entry, recognised in zip(entries, found, strict=True):
            if recognised is None:
                self.became.add(self._book(entry))
                continue
            sequence = recognised.seen.sequence
            self.first_known = self.first_known or f"{self._account.account_id}#{sequence}"
            self.became.add(Disposition.DUPLICATE)
            self._confirm(_key_of(number, recognised.seen), entry, entry.entry.path)
            for position, seen in recognised.parts:
                path = entry.parts[position - 1].detail.path
                self._confirm(_key_of(number, seen), entry, path)
            # Who says a batch says all it is the sum of, whether it lists that or not.
            for key in self._intake.claim_parts(number, recognised.seen):
                self._confirm(key, entry, entry.entry.path)

    def _confirm(self, payment: PaymentKey, prepared: PreparedEntry, path: str) -> None:
        """Note that the report says a known payment again."""
        told, bank = self._told, self._intake.known.bank
        self.payments.add(payment)
        known = bank.payments.get(payment)
        day = day_of(prepared.entry, self._account, told) if told.stated else None
        stated_on = self._stated_on
        if known is not None and day is not None:
            if stated_on is not None and day <= stated_on < known.day:
                # It is in the anchor, and was counted on top of it; somebody must count again.
                self.is_crossed = True
            if stated_on is not None and known.day <= stated_on and not known.stated:
                self._intake.say(now_confirmed(payment, told))
            self._count.restated(known, day, recounted=self._contained)
        elif known is not None and not prepared.in_opening:
            self._count.announced(known)
        bank.confirm(
            Confirmation(
                payment=payment,
                arrived_on=told.arrived_on,
                message=told.message,
                booked_on=day or prepared.entry.booked_on,
                stated=told.stated,
                origin=told.origin,
                path=path,
            )
        )

    def _book(self, prepared: PreparedEntry) -> Disposition:
        """Record an entry nobody has met before; it moves money unless an anchor contains it."""
        intake, account, told = self._intake, self._account, self._told
        number, entry = account.number, prepared.entry
        sequence = intake.working.next_sequence(account)
        nets, legs = self._nets_of(prepared, sequence)
        net = normal(_sum(nets.values())) if prepared.parts else nets[0]
        intake.learn(number, prepared.marks, (sequence, 0), entry.booked_on)
        look = prepared.look(is_page=told.is_page)
        if look is not None:
            intake.known.learn_look(number, look, sequence, entry.booked_on)
        intake.known.learn_bank_legs(number, ((leg.reference, leg.amount) for leg in legs))
        day = self._day_of_new(entry)
        self._note(prepared, rows_of(prepared, told, key=(number, sequence), day=day, nets=nets))
        self.booked += 1
        self.booked_net = add(self.booked_net, net)
        is_late = self._stated_on is not None and day <= self._stated_on
        moves = not (prepared.in_opening or self._contained or is_late)
        if moves and self._count.waits is not None:
            self._count.hold(day, net)
            moves = False
        where = intake.at_path(entry.path)
        if moves:
            event: BankMoved | BankObserved = BankMoved(
                at=intake.at,
                evidence=where,
                amount=net,
                entry_amount=prepared.signed_amount,
                remainder=nets[0] if prepared.parts else None,
                legs=tuple(legs),
                message=told.message,
            )
        else:
            event = BankObserved(
                at=intake.at, evidence=where, legs=tuple(legs), message=told.message
            )
        assert intake.record(account, event) == sequence, "an entry is one event"
        if not moves and not told.stated:
            self._say_hidden(prepared, (number, sequence, 0), net, day)
        return Disposition.APPLIED if moves else Disposition.OBSERVATION

    def _note(self, prepared: PreparedEntry, rows: Iterable[EntryRow]) -> None:
        known = self._intake.known
        for row in rows:
            known.bank.note_entry(row)
            known.lumps.note(row)
            self.payments.add((row.account, row.sequence, row.part))
        if not prepared.in_opening:
            self._new.append(prepared)

    def _say_hidden(
        self, prepared: PreparedEntry, payment: PaymentKey, net: Decimal, day: date
    ) -> None:
        """Say that an entry was announced, and that the anchor must contain it, if that is odd."""
        stated_on, opened_at = self._stated_on, self._account.bank_opened_at
        if prepared.in_opening:
            if opened_at is not None and self._intake.at - opened_at > NEAR:
                self._intake.say(before_opening(payment, net, day, self._told))
        elif stated_on is not None and day <= stated_on:
            self._intake.say(late_announcement(payment, net, day, self._told, stated_on))

    def _day_of_new(self, entry: Entry) -> date:
        """Return the day on which a new entry counts.

        What comes after a statement that was made before its day was over is not in it: it counts
        on the day after, until a statement says where it belongs.
        """
        day = day_of(entry, self._account, self._told)
        state = self._intake.working.states[self._account.number]
        if state.stated_early and day == state.stated_on and not self._told.stated:
            return day + timedelta(days=1)
        return day

    def _nets_of(
        self, prepared: PreparedEntry, sequence: int
    ) -> tuple[dict[int, Decimal], list[Leg]]:
        """Return what each part of a new entry adds, and the payments it names."""
        intake, number = self._intake, self._account.number
        booked_on = prepared.entry.booked_on
        nets = {0: prepared.signed_amount}
        legs = list(prepared.legs)
        if not prepared.parts:
            return nets, legs
        for position, part in enumerate(prepared.parts, start=1):
            nets[0] = subtract(nets[0], part.signed_amount)
            seen = intake.pair(number, part.marks, booked_on=booked_on)
            if seen is not None:
                self._confirm(_key_of(number, seen), prepared, part.detail.path)
                intake.join_batch(number, sequence, seen)
                continue
            intake.learn(number, part.marks, (sequence, position), booked_on)
            nets[position] = normal(part.signed_amount)
            if part.leg:
                legs.append(part.leg)
        nets[0] = normal(nets[0])
        return nets, legs


def _key_of(number: int, seen: SeenMark) -> PaymentKey:
    return number, seen.sequence, seen.part


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for amount in amounts:
        total = add(total, amount)
    return total


def told_of(report: PreparedReport, intake: MessageIntake) -> Told:
    """Return which message tells the entries of `report`.

    Where it has the closing of a day, its entries count on no later one; the same for the opening.
    """
    statement = report.statement
    # Of a report or notification the pages are like messages of their own.
    is_page = statement is not None and statement.pages is not None
    told = Told(
        message=report.message,
        at=intake.at,
        origin=intake.origin,
        is_page=is_page,
        path=report.path,
    )
    if statement is None or not statement.is_record:
        return told
    equation = statement.equation
    # A page that was cut from a statement has the balances of the whole.
    is_whole = statement.pages is None or statement.pages.balanced is True
    # What a page holds is in the balance at its end, whatever that is called.
    closes = equation.closing_code == "CLBD" or is_whole or is_page
    day_max = statement.closing_on if equation.closing is not None and closes else None
    if day_max is None and is_page:
        day_max = statement.until_on
    opens = equation.opening_code in {"OPBD", "PRCD"} or is_whole
    return replace(
        told,
        stated=True,
        day_min=statement.first_on if equation.opening is not None and opens else None,
        day_max=day_max,
    )
