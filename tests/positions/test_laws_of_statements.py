"""Laws: whatever the order in which a bank tells its days, the figure at the end is the same."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from statement_office import KINDS, message_of

from recon_streams.bankfiles.splitting import pages_of, plan_of
from recon_streams.log.record import Record
from recon_streams.positions.directory import Account, Directory
from recon_streams.positions.event import Registered, event_bytes, event_from_bytes
from recon_streams.positions.known import Known
from recon_streams.positions.rules import Rules
from recon_streams.positions.state import state_bytes
from recon_streams.positions.step import register, step
from recon_streams.positions.working_set import WorkingSet

AT = datetime(2026, 11, 29, 9, tzinfo=UTC)
OPENED = datetime(2026, 11, 18, tzinfo=UTC)
ACCOUNT = Account(number=1, account_id="A", currency="AED", rules=Rules(), bank_opened_at=OPENED)
FIRST = 19


class Books:
    """A book in memory that takes in one message after the other."""

    def __init__(self) -> None:
        opening = Registered(at=OPENED, bank=Decimal(1000), ledger=Decimal(1000), as_of=OPENED)
        state = register("A", "AED", opening, ACCOUNT.rules).state
        self.opening, self.offset = state, 0
        directory = Directory([(ACCOUNT, ("BANK",))], version=1)
        self.working = WorkingSet(directory, {1: state}, Known())

    def tell(self, lines: Sequence[str]) -> "Books":
        for line in lines:
            self.take(line[:3], message_of(line, "BANK", self.offset + 1))
        return self

    def take(self, name: str, *values: bytes) -> "Books":
        for value in values:
            self.offset += 1
            kind = KINDS[name]()
            record = Record(kind.name, 0, self.offset, b"k", value, (), AT)
            reading = kind.read(record)
            prepared = kind.prepare(reading, record, self.working.directory)
            outcome = kind.take(prepared, self.working, record)
            assert not outcome.held, (value, outcome.held)
        return self

    @property
    def bank(self) -> Decimal:
        figure = self.working.states[1].bank.figure
        assert figure is not None
        return figure

    def chain(self) -> list[tuple[str, str]]:
        links = self.working.known.bank.links.get(1, [])
        accepted = [link for link in links if link.status == "ACCEPTED"]
        return sorted((str(link.closing_on), str(link.closing)) for link in accepted)

    def open_causes(self) -> set[str]:
        """Return what was found in the chain and not cleared, in order of what was said."""
        wrong: dict[str, bool] = {}
        for said in self.working.said.values():
            for cause, word in said.words.items():
                if cause.kind.value in {"CONTINUITY_BROKEN", "STATEMENT_MISSING"}:
                    wrong[f"{cause.kind} {cause.subject}"] = hasattr(word, "facts")
        return {name for name, is_wrong in wrong.items() if is_wrong}

    def refolded(self) -> bytes:
        """Return the state that the log of events alone gives."""
        state = self.opening
        for recorded in self.working.steps:
            event = event_from_bytes(event_bytes(recorded.event))
            state = step(state, event, ACCOUNT.rules).state
        return state_bytes(state)


@st.composite
def bank_days(draw: st.DrawFn) -> list[list[tuple[str, int]]]:
    """Return for each day its bookings: a reference and a signed amount."""
    serial = 0
    days = []
    for _ in range(draw(st.integers(1, 4))):
        amounts = draw(st.lists(st.integers(-40, 40).filter(bool), max_size=4))
        named = []
        for amount in amounts:
            serial += 1
            named.append((f"R{serial}", amount))
        days.append(named)
    return days


def entries(booked: Sequence[tuple[str, int]]) -> str:
    return " ".join(f"{name}{amount:+d}" for name, amount in booked)


def statements(days: Sequence[Sequence[tuple[str, int]]]) -> list[str]:
    lines, balance = [], 1000
    for number, booked in enumerate(days):
        closing = balance + sum(amount for _, amount in booked)
        day = FIRST + number
        lines.append(f"053 {day} #{number + 1}: {balance} > {closing} | {entries(booked)}")
        balance = closing
    return lines


def notifications(days: Sequence[Sequence[tuple[str, int]]]) -> list[str]:
    return [
        f"054 {FIRST + number}: | {entries([each])}"
        for number, booked in enumerate(days)
        for each in booked
    ]


@given(bank_days(), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_the_order_of_statements_does_not_matter(
    days: list[list[tuple[str, int]]], chance: Random
) -> None:
    lines = statements(days)
    told = Books().tell(lines)
    chance.shuffle(lines)
    shuffled = Books().tell(lines)
    assert shuffled.bank == told.bank == 1000 + sum(a for day in days for _, a in day)
    assert shuffled.chain() == told.chain()
    assert shuffled.open_causes() == told.open_causes() == set()


@given(bank_days(), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_notifications_and_statements_in_any_order_equal_the_statements_alone(
    days: list[list[tuple[str, int]]], chance: Random
) -> None:
    lines = statements(days) + notifications(days)
    chance.shuffle(lines)
    both = Books().tell(lines)
    assert both.bank == Books().tell(statements(days)).bank
    assert both.refolded() == state_bytes(both.working.states[1]), "the log is sufficient"


@given(bank_days(), st.data())
@settings(max_examples=60)
def test_what_is_delivered_again_changes_nothing(
    days: list[list[tuple[str, int]]], data: st.DataObject
) -> None:
    lines = statements(days) + notifications(days)
    lines = data.draw(st.permutations(lines))
    books = Books().tell(lines)
    before = books.working.states[1].bank
    books.tell(data.draw(st.lists(st.sampled_from(lines), max_size=6)))
    after = books.working.states[1].bank
    assert (after.anchor, after.figure) == (before.anchor, before.figure)


@given(st.lists(st.integers(-40, 40).filter(bool), min_size=2, max_size=6), st.data())
@settings(max_examples=60)
def test_pages_in_any_order_are_the_statement(amounts: list[int], data: st.DataObject) -> None:
    balance, lines = 1000, []
    for number, amount in enumerate(amounts, start=1):
        ends = "" if number == 1 else "open=ITBD "
        ends += "" if number == len(amounts) else "close=ITBD"
        lines.append(
            f"053 19: {balance} > {balance + amount} | P{number}{amount:+d} "
            f"id=S page={number}/{len(amounts)} {ends}"
        )
        balance += amount
    books = Books().tell(data.draw(st.permutations(lines)))
    assert books.bank == balance
    assert str(books.working.states[1].stated_on) == "2026-11-19"


@given(st.lists(st.integers(-40, 40).filter(bool), min_size=3, max_size=9), st.data())
@settings(max_examples=60)
def test_pages_of_a_file_with_announcements_between_them_are_the_statement(
    amounts: list[int], data: st.DataObject
) -> None:
    named = [(f"R{number}", amount) for number, amount in enumerate(amounts)]
    line = statements([named])[0]
    payload = message_of(line, "BANK", 0)
    plan = plan_of(lambda: io.BytesIO(payload), entries_max=2)
    pages = [("053", page.payload) for page in pages_of(lambda: io.BytesIO(payload), plan)]
    heard = data.draw(st.lists(st.sampled_from([*named, ("S1", 7)]), unique=True))
    told = [
        ("054", message_of(f"054 19: | {entries([each])} id={each[0]}", "BANK", 0))
        for each in heard
    ]
    again = data.draw(st.lists(st.sampled_from([*pages, *told]), max_size=5))
    split = Books()
    for name, value in data.draw(st.permutations([*pages, *told, *again])):
        split.take(name, value)
    whole = Books().tell([line])
    state = split.working.states[1]
    assert split.bank == whole.bank == 1000 + sum(amounts)
    assert (state.bank.anchor, state.held) == (whole.working.states[1].bank.anchor, {})
    assert split.chain() == whole.chain()
    assert split.refolded() == state_bytes(state), "the log is sufficient"
