"""Amounts and currencies as text: exact where they can be read, refused by name where not."""

from collections.abc import Callable

import pytest

from recon_streams.iso20022.reader import read
from recon_streams.iso20022.values import FindingCode, Message
from recon_streams.kernel.refusal import RefusalCode, Refused

Bent = Callable[..., bytes]

ENTRY = "Ntfctn[1]/Ntry[1]"


def refusal(payload: bytes) -> Refused:
    with pytest.raises(Refused) as refused:
        read(payload)
    return refused.value


def codes(message: Message) -> set[FindingCode]:
    return {finding.code for finding in message.findings}


AMOUNTS = {
    "NaN": RefusalCode.INVALID_AMOUNT,
    "sNaN": RefusalCode.INVALID_AMOUNT,
    "Infinity": RefusalCode.INVALID_AMOUNT,
    "+INF": RefusalCode.INVALID_AMOUNT,
    "-Infinity": RefusalCode.NEGATIVE_AMOUNT,
    "-0": RefusalCode.NEGATIVE_AMOUNT,
    "-0.00": RefusalCode.NEGATIVE_AMOUNT,
    "-1234.50": RefusalCode.NEGATIVE_AMOUNT,
    "\N{MINUS SIGN}1234.50": RefusalCode.INVALID_AMOUNT,
    "1e999999": RefusalCode.INVALID_AMOUNT,
    "1E3": RefusalCode.INVALID_AMOUNT,
    "1_000": RefusalCode.INVALID_AMOUNT,
    "1 000.00": RefusalCode.INVALID_AMOUNT,
    "1\N{NO-BREAK SPACE}000": RefusalCode.INVALID_AMOUNT,
    "\N{NO-BREAK SPACE}1000": RefusalCode.INVALID_AMOUNT,
    "1,50": RefusalCode.INVALID_AMOUNT,
    "1.2.3": RefusalCode.INVALID_AMOUNT,
    "1..": RefusalCode.INVALID_AMOUNT,
    ".": RefusalCode.INVALID_AMOUNT,
    "+": RefusalCode.INVALID_AMOUNT,
    "++1": RefusalCode.INVALID_AMOUNT,
    "+-1": RefusalCode.NEGATIVE_AMOUNT,
    "": RefusalCode.INVALID_AMOUNT,
    "0x10": RefusalCode.INVALID_AMOUNT,
    "\u0661\u0662\u0663": RefusalCode.INVALID_AMOUNT,
    "\uff11\uff12\uff13": RefusalCode.INVALID_AMOUNT,
    "9" * 19: RefusalCode.INVALID_AMOUNT,
    "9" * 5_000: RefusalCode.INVALID_AMOUNT,
    "100.0000000000005": RefusalCode.AMOUNT_TOO_PRECISE,
    "1.123456": RefusalCode.AMOUNT_TOO_PRECISE,
}


@pytest.mark.parametrize("text", AMOUNTS)
def test_an_amount_that_is_no_amount_is_refused(text: str, bent: Bent) -> None:
    refused = refusal(bent(("1234.50", text)))
    assert (refused.code, refused.field) == (AMOUNTS[text], f"{ENTRY}/Amt")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("+3", "3"),
        ("1.", "1"),
        (".5", "0.5"),
        (".0", "0"),
        ("0", "0"),
        ("0.00", "0"),
        ("000000000000149.87", "149.87"),
        ("1.10", "1.1"),
        ("1.12345", "1.12345"),
        ("1.1234500000", "1.12345"),
        ("\n 5 \t", "5"),
        ("9007199254740993", "9007199254740993"),
        ("9" * 18, "9" * 18),
    ],
)
def test_an_amount_in_any_form_of_xml_schema_is_exact(text: str, amount: str, bent: Bent) -> None:
    entry = read(bent(("1234.50", text))).reports[0].entries[0]
    assert str(entry.amount) == amount


@pytest.mark.parametrize(
    ("currency", "amount", "noted"),
    [
        ("CHF", "1.123", True),
        ("CHF", "1.120", False),
        ("JPY", "1.5", True),
        ("JPY", "1", False),
        ("KWD", "1.25", False),
        ("KWD", "1.2345", True),
        ("XAU", "1.23456", False),
    ],
)
def test_more_decimals_than_the_currency_has_are_noted(
    currency: str, amount: str, *, noted: bool, bent: Bent
) -> None:
    message = read(bent(('Ccy="CHF">1234.50', f'Ccy="{currency}">{amount}')))
    assert (FindingCode.CURRENCY_SCALE in codes(message)) == noted


@pytest.mark.parametrize(
    "code", ["chf", "CH", "CHFF", "", " CHF", "XXX", "C1F", "\uff23\uff28\uff26", "\u0421HF"]
)
def test_a_currency_that_is_no_currency_is_refused(code: str, bent: Bent) -> None:
    refused = refusal(bent(('Ccy="CHF"', f'Ccy="{code}"')))
    assert (refused.code, refused.field) == (RefusalCode.INVALID_CURRENCY, f"{ENTRY}/Amt/@Ccy")
    refused = refusal(bent(("<Ccy>CHF", f"<Ccy>{code or '?'}"))) if code != " CHF" else refused
    assert refused.code is RefusalCode.INVALID_CURRENCY


def test_an_amount_without_a_currency_is_refused(bent: Bent) -> None:
    refused = refusal(bent((' Ccy="CHF"', "")))
    assert (refused.code, refused.field) == (RefusalCode.MISSING_FIELD, f"{ENTRY}/Amt/@Ccy")


def test_a_currency_of_the_past_is_noted(bent: Bent) -> None:
    message = read(bent(('Ccy="CHF"', 'Ccy="DEM"')))
    assert FindingCode.CURRENCY_UNKNOWN in codes(message)
    assert message.reports[0].entries[0].currency == "DEM"


def test_two_currencies_in_one_report_stay_apart(bent: Bent) -> None:
    report = read(bent(('Ccy="CHF"', 'Ccy="EUR"'))).reports[0]
    assert (report.account.currency, report.entries[0].currency) == ("CHF", "EUR")
