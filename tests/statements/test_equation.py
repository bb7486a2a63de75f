"""The equation of a statement, on samples that nobody here wrote and on what banks do wrong."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_streams.iso20022.reader import read
from recon_streams.iso20022.values import Account, Balance, Direction, Entry, EntryStatus, Report
from recon_streams.kernel.refusal import Refused
from recon_streams.statements.equation import Hint, balance_of

CAMT = Path(__file__).parents[1] / "data" / "camt"
EXPECTED: dict[str, Any] = json.loads((CAMT / "expected.json").read_text(encoding="utf-8"))
CHECKED = sorted(
    name
    for name, file in EXPECTED["files"].items()
    for statement in file["expected"].get("statements") or []
    if statement.get("balance_check") is not None
)
DAY, NEXT = date(2026, 11, 20), date(2026, 11, 21)


def bal(code: str, amount: str, *, on: date = DAY, currency: str = "AED", **more: Any) -> Balance:
    signed = Decimal(amount)
    direction = Direction.DEBIT if signed < 0 else Direction.CREDIT
    said = {"direction": direction, "proprietary": None, **more}
    return Balance(code=code, amount=signed, currency=currency, on=on, **said)


def booked(amount: str, **more: Any) -> Entry:
    signed = Decimal(amount)
    direction = Direction.DEBIT if signed < 0 else Direction.CREDIT
    said = {"status": EntryStatus.BOOKED, "currency": "AED", **more}
    return Entry(path="Stmt[1]/Ntry[1]", amount=abs(signed), direction=direction, **said)


def report(balances: list[Balance], entries: list[Entry]) -> Report:
    account = Account(identification="BANK-1", scheme="OTHER", currency="AED")
    return Report(path="Stmt[1]", account=account, balances=tuple(balances), entries=tuple(entries))


@pytest.mark.parametrize("sample", sorted(set(CHECKED)))
def test_samples_balance_or_differ_as_their_figures_say(sample: str) -> None:
    statements = EXPECTED["files"][sample]["expected"]["statements"]
    reports = read((CAMT / "public" / sample).read_bytes()).reports
    for found, said in zip(reports, statements, strict=True):
        if said["balance_check"] is not None:
            assert balance_of(found).is_exact is said["balance_check"]


def test_statements_without_directions_balance_once_somebody_says_they_are_credits() -> None:
    lenient = 0
    for sample, file in EXPECTED["files"].items():
        statements = file["expected"].get("statements") or []
        if not any(s.get("lenient_balance_check") for s in statements):
            continue
        try:
            reports = read((CAMT / "public" / sample).read_bytes()).reports
        except Refused:
            continue
        for found, said in zip(reports, statements, strict=True):
            if said.get("lenient_balance_check") is not None:
                assert balance_of(found).difference is None
                assert balance_of(found).unsigned
                exact = balance_of(found, missing_is_credit=True).is_exact
                assert exact is said["lenient_balance_check"]
                lenient += 1
    assert lenient > 20


def test_opening_plus_booked_is_the_closing_exactly() -> None:
    found = balance_of(
        report([bal("OPBD", "100"), bal("CLBD", "99.99")], [booked("5"), booked("-5")])
    )
    assert (found.opening, found.closing, found.difference) == (
        100,
        Decimal("99.99"),
        Decimal("-0.01"),
    )
    assert (found.booked_credits, found.booked_debits, found.booked_count) == (5, 5, 2)


def test_the_closing_of_the_day_before_opens_a_statement_without_an_opening() -> None:
    both = [bal("PRCD", "7", on=date(2026, 11, 19)), bal("OPBD", "8"), bal("CLBD", "8")]
    assert balance_of(report(both, [])).opening_code == "OPBD"
    assert balance_of(report([both[0], bal("CLBD", "7")], [])).is_exact


def test_interim_balances_are_the_edges_of_a_page() -> None:
    middle = report([bal("ITBD", "100"), bal("ITBD", "130")], [booked("30")])
    assert (balance_of(middle).opening_code, balance_of(middle).closing_code) == ("ITBD", "ITBD")
    last = report([bal("ITBD", "130"), bal("CLBD", "120")], [booked("-10")])
    assert balance_of(last).is_exact
    intraday = balance_of(report([bal("ITBD", "130")], [booked("30")]))
    assert (intraday.opening, intraday.closing, intraday.difference) == (None, 130, None)


def test_of_several_interim_balances_the_last_one_closes() -> None:
    balances = [bal("OPBD", "0"), bal("ITBD", "9", on=NEXT), bal("ITBD", "5")]
    assert balance_of(report(balances, [booked("9")])).closing == 9


def test_only_what_is_booked_counts() -> None:
    others = [
        booked("1", status=status) for status in EntryStatus if status is not EntryStatus.BOOKED
    ]
    found = balance_of(report([bal("OPBD", "0"), bal("CLBD", "5")], [booked("5"), *others]))
    assert found.is_exact


def test_a_credit_line_is_no_money() -> None:
    line = {"credit_line": Decimal(1000)}
    balances = [bal("OPBD", "1100", **line), bal("CLBD", "1105", **line)]
    assert (balance_of(report(balances, [booked("5")])).closing) == 105


def test_currencies_never_mix() -> None:
    balances = [bal("OPBD", "100"), bal("CLBD", "900", currency="USD"), bal("CLBD", "105")]
    found = balance_of(report(balances, [booked("5"), booked("9", currency="USD")]))
    assert (found.is_exact, found.foreign_balances, found.foreign_entries) == (True, 1, 1)


def test_an_overdrawn_account_balances_too() -> None:
    assert balance_of(report([bal("OPBD", "-5"), bal("CLBD", "-12")], [booked("-7")])).is_exact


@pytest.mark.parametrize(
    ("closing", "entry", "hint"),
    [
        ("95", booked("5", reversal=True), Hint.REVERSALS_FLIPPED),
        ("100", booked("5", value_on=NEXT), Hint.VALUED_LATER_LEFT_OUT),
        ("105", booked("5", status=EntryStatus.PENDING), Hint.PENDING_COUNTED),
    ],
)
def test_a_known_habit_that_explains_the_difference_is_named(
    closing: str, entry: Entry, hint: Hint
) -> None:
    found = balance_of(report([bal("OPBD", "100"), bal("CLBD", closing)], [entry]))
    assert found.difference
    assert found.hints == (hint,)
