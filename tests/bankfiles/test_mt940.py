"""MT940 and MT942: the mark says which way money goes, and nothing is rounded or moved."""

from datetime import date
from decimal import Decimal

import pytest

from recon_streams.bankfiles.mt940_reader import read_mt
from recon_streams.iso20022.values import Direction, FindingCode
from recon_streams.kernel.refusal import RefusalCode, Refused

STATEMENT = """:20:REF-1
:25:NL34RABO0142623393 EUR
:28C:7/1
:60F:C260301EUR1000,00
:61:2603020302{mark}12,50NTRFCUST-1//BANK-1
:86:Invoice 7
:62F:C260302EUR1012,50
-
"""


def _entry(mark: str) -> tuple[Direction, bool]:
    (report,) = read_mt(STATEMENT.format(mark=mark)).reports
    (entry,) = report.entries
    return entry.direction, entry.reversal


@pytest.mark.parametrize(
    ("mark", "direction", "reversal"),
    [
        ("C", Direction.CREDIT, False),
        ("D", Direction.DEBIT, False),
        ("RC", Direction.DEBIT, True),
        ("RD", Direction.CREDIT, True),
    ],
)
def test_the_reversal_of_a_credit_takes_money_away(
    mark: str, direction: Direction, *, reversal: bool
) -> None:
    assert _entry(mark) == (direction, reversal)


def test_a_statement_reads_as_the_values_of_a_camt_message() -> None:
    message = read_mt(STATEMENT.format(mark="C"))
    (report,) = message.reports
    assert message.message == "mt940"
    assert (report.account.identification, report.account.scheme) == ("NL34RABO0142623393", "IBAN")
    assert report.account.currency == "EUR"
    assert (report.id, report.electronic_sequence) == ("REF-1", 7)
    assert [(b.code, b.amount, b.on) for b in report.balances] == [
        ("OPBD", Decimal(1000), date(2026, 3, 1)),
        ("CLBD", Decimal("1012.5"), date(2026, 3, 2)),
    ]
    (entry,) = report.entries
    assert (entry.amount, entry.booked_on, entry.value_on) == (
        Decimal("12.5"),
        date(2026, 3, 2),
        date(2026, 3, 2),
    )
    assert (entry.reference, entry.servicer_reference) == ("CUST-1", "BANK-1")


def test_an_entry_date_across_new_year_takes_the_nearest_year() -> None:
    text = STATEMENT.format(mark="C").replace(":61:2603020302", ":61:2601021231")
    (report,) = read_mt(text).reports
    assert report.entries[0].booked_on == date(2025, 12, 31)


def test_the_thirtieth_of_february_is_no_day_and_is_not_moved() -> None:
    message = read_mt(STATEMENT.format(mark="C").replace(":61:260302", ":61:260230"))
    assert message.reports[0].entries[0].value_on is None
    assert [f.code for f in message.findings] == [FindingCode.INSTANT_INVALID]


def test_an_intraday_report_takes_its_currency_from_the_floor_limit() -> None:
    text = ":20:A\n:25:1\n:28C:1/1\n:34F:EURD10,00\n:13D:2603021733+0100\n:61:260302C1,00NTRFX\n"
    message = read_mt(text)
    assert message.message == "mt942"
    assert message.reports[0].entries[0].currency == "EUR"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("12,50", "12,50,0", RefusalCode.INVALID_AMOUNT),
        ("{mark}12", "X12", RefusalCode.NOT_WELL_FORMED),
        ("EUR1000", "XXX1000", RefusalCode.INVALID_CURRENCY),
        ("C260301", "c260301", RefusalCode.INVALID_DIRECTION),
        (":62F:C260302EUR1012,50", ":62F:C260302EUR10 12,50", RefusalCode.INVALID_AMOUNT),
        (":20:REF-1", ":21:REF-1", RefusalCode.UNKNOWN_MESSAGE),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(old: str, new: str, code: RefusalCode) -> None:
    text = STATEMENT.replace(old, new).replace("{mark}", "C")
    with pytest.raises(Refused) as refused:
        read_mt(text)
    assert refused.value.code is code


def test_a_sum_of_large_amounts_is_exact() -> None:
    text = STATEMENT.format(mark="C").replace("12,50", "999999999999,99", 1)
    (report,) = read_mt(text).reports
    assert report.entries[0].amount == Decimal("999999999999.99")
