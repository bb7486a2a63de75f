"""What a bank's balance proves, as of its own instant and whatever order events came in."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_streams.positions.event import (
    AccountEvent,
    BankMoved,
    BankObserved,
    BankStated,
    LedgerMoved,
    Registered,
)
from recon_streams.positions.rules import Rules
from recon_streams.positions.step import register, step
from recon_streams.sweeps.answer import (
    Judged,
    Recent,
    figures_since,
    judge,
    ledger_as_of,
    without_answer,
    worse_of,
)
from recon_streams.sweeps.sweep import BankState
from topics.bank_balances import BankBalance, BankFailure
from topics.positions import Tier

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
RULES = Rules()


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def moved(minute: int, amount: object) -> BankMoved:
    amount = Decimal(str(amount))
    return BankMoved(at=at(minute), amount=amount, entry_amount=amount)


def issued(minute: int, amount: object, sequence: int) -> LedgerMoved:
    return LedgerMoved(
        at=at(minute), amount=Decimal(str(amount)), ledger_sequence=sequence, occurred_at=at(minute)
    )


OPENED = Registered(
    at=START, bank=Decimal(1000), ledger=Decimal(1000), ledger_sequence=0, as_of=START
)


def judged(balance: str, as_of: int, *events: AccountEvent, given_at: int | None = None) -> Judged:
    state = register("A", "AED", OPENED, RULES).state
    for event in events:
        state = step(state, event, RULES).state
    said = BankBalance(
        account_id="A", currency="AED", connector="stub", balance=balance, as_of=at(as_of),
        obtained_at=at(as_of if given_at is None else given_at),
    )  # fmt: skip
    recent = Recent((*reversed(events), OPENED))
    return judge(said, state, recent, rules=RULES, age_max=timedelta(minutes=15))


def test_what_was_booked_after_the_banks_instant_is_not_in_its_figure() -> None:
    found = judged("1000", 10, issued(5, 0, 1), moved(11, -300), issued(11, -300, 2))
    assert (found.state, found.verdict) == (BankState.AGREES, Tier.OK)
    assert (found.ours, found.ledger) == (1000, 1000)


def test_what_was_announced_after_the_banks_instant_may_be_in_its_figure() -> None:
    found = judged("700", 10, moved(11, -300), issued(11, -300, 1))
    assert found.state is BankState.AGREES


def test_a_figure_we_had_before_the_banks_instant_is_no_agreement() -> None:
    found = judged("1000", 10, moved(5, -300), issued(5, -300, 1))
    assert (found.state, found.ours, found.disagreement) == (BankState.DIFFERS, 700, 300)
    assert found.verdict is Tier.CRITICAL  # 300 of 1000 more than the ledger says


def test_less_than_the_ledger_says_is_a_shortage_at_any_size() -> None:
    assert judged("999.99", 10).verdict is Tier.CRITICAL


def test_a_statement_ends_the_walk_back_and_a_word_of_the_past_does_not() -> None:
    stated = BankStated(
        at=at(12), amount=Decimal(500), closing_on=START.date(), moved_after=Decimal(0)
    )
    heard = BankObserved(at=at(1))
    events = Recent((moved(13, 5), heard, moved(12, 7), OPENED))
    assert figures_since(Decimal(100), events, at(10)) == [100, 95, 88]
    assert figures_since(Decimal(100), Recent((moved(13, 5), stated, OPENED)), at(10)) == [100, 95]
    assert figures_since(Decimal(100), Recent((moved(13, 5),), is_whole=False), at(10)) is None


def test_the_ledger_is_taken_as_of_what_occurred_and_not_of_what_arrived() -> None:
    state = register("A", "AED", OPENED, RULES).state
    late = LedgerMoved(at=at(20), amount=Decimal(5), ledger_sequence=1, occurred_at=at(5))
    state = step(state, late, RULES).state
    assert ledger_as_of(state, Recent((late, OPENED)), at(10)) == 1005
    assert ledger_as_of(state, Recent((late, OPENED)), at(4)) == 1000


@pytest.mark.parametrize(("given_at", "state"), [(25, "AGREES"), (26, "STALE")])
def test_a_figure_is_evidence_up_to_its_limit(given_at: int, state: str) -> None:
    assert judged("1000", 10, given_at=given_at).state == state


@pytest.mark.parametrize(
    ("reason", "state"),
    [("TIMED_OUT", "UNREACHABLE"), ("UNREACHABLE", "UNREACHABLE"), ("NO_AMOUNT", "REFUSED")],
)
def test_no_answer_is_unknown(reason: str, state: str) -> None:
    failure = BankFailure(
        account_id="A", currency="AED", connector="stub", obtained_at=at(1), reason=reason
    )
    account = register("A", "AED", OPENED, RULES).state
    found = judge(failure, account, Recent(()), rules=RULES, age_max=timedelta(minutes=15))
    assert (found.state, found.verdict) == (state, Tier.UNKNOWN)


def test_silence_never_softens_a_verdict() -> None:
    assert without_answer(Tier.OK) is Tier.UNKNOWN
    assert without_answer(Tier.CRITICAL) is Tier.CRITICAL
    assert worse_of(Tier.SIGNIFICANT, Tier.UNKNOWN) is Tier.UNKNOWN


@given(
    st.lists(st.integers(-100, 100), min_size=1, max_size=8),
    st.data(),
)
def test_any_figure_we_had_since_the_banks_instant_agrees(
    amounts: list[int], data: st.DataObject
) -> None:
    events = [moved(number + 1, amount) for number, amount in enumerate(amounts)]
    since = data.draw(st.integers(0, len(amounts)))
    known = data.draw(st.integers(since, len(amounts)))
    balance = 1000 + sum(amounts[:known])
    found = judged(str(balance), since, *events)
    assert found.state is BankState.AGREES
