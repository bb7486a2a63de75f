"""A bank's words become a balance only when they say clearly what they are."""

import contextlib
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_streams.connectors.mapping import BalanceMapping, said_by
from recon_streams.connectors.port import NoBalance

AS_OF = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
GOOD = (
    b'{"balances": [{"type": "available", "amount": "1", "currency": "AED", '
    b'"as_of": "2026-11-20T08:30:00Z"}, {"type": "booked", "amount": AMOUNT, "currency": "AED", '
    b'"as_of": "2026-11-20T12:30:00+04:00"}]}'
)
BERLIN_GROUP = BalanceMapping(
    kind="/balanceType",
    kinds=("closingBooked", "interimBooked"),
    amount="/balanceAmount/amount",
    currency="/balanceAmount/currency",
    as_of="/referenceDateTime",
)


def read(amount: bytes, mapping: BalanceMapping | None = None) -> Decimal:
    payload = GOOD.replace(b"AMOUNT", amount)
    return said_by(payload, mapping or BalanceMapping(), currency="AED").balance


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        (b'"914500.00"', "914500"),
        (b"914500.10", "914500.1"),
        (b"0.1", "0.1"),
        (b"123456789012345678.12345678", "123456789012345678.12345678"),
        (b"-5", "-5"),
        (b'"-5.25"', "-5.25"),
        (b"0", "0"),
    ],
)
def test_an_amount_is_read_digit_by_digit(written: bytes, amount: str) -> None:
    assert read(written) == Decimal(amount)


@pytest.mark.parametrize(
    "written",
    [b"1e3", b"null", b"true", b'"1,000"', b'""', b'"--5"', b'"5 "', b"[]", b'"1e999999"',
     b"1.123456789", b'"NaN"'],
)  # fmt: skip
def test_what_is_no_amount_is_no_balance(written: bytes) -> None:
    with pytest.raises(NoBalance) as refused:
        read(written)
    assert refused.value.reason == "NO_AMOUNT"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "NOT_JSON"),
        (b"<html>", "NOT_JSON"),
        (b'{"balances": [NaN]}', "NOT_JSON"),
        (b'{"balances": [], "balances": []}', "NOT_JSON"),
        (b"[" * 100_000, "NOT_JSON"),
        (b"\xff", "NOT_JSON"),
        (b"[]", "WRONG_CURRENCY"),
        (b'"text"', "WRONG_CURRENCY"),
        (b'{"balances": null}', "WRONG_CURRENCY"),
        (GOOD.replace(b"AMOUNT", b"1").replace(b"AED", b"USD"), "WRONG_CURRENCY"),
        (GOOD.replace(b"AMOUNT", b"1").replace(b"booked", b"expected"), "NO_BOOKED_BALANCE"),
        (GOOD.replace(b"AMOUNT", b"1").replace(b"available", b"booked"), "AMBIGUOUS"),
        (GOOD.replace(b"AMOUNT", b"1").replace(b"+04:00", b""), "NO_INSTANT"),
        (GOOD.replace(b"AMOUNT", b"1").replace(b"2026-11-20T12", b"2026-13-20T12"), "NO_INSTANT"),
    ],
)
def test_what_is_not_clear_is_no_balance(payload: bytes, reason: str) -> None:
    with pytest.raises(NoBalance) as refused:
        said_by(payload, BalanceMapping(), currency="AED")
    assert refused.value.reason == reason


def test_fields_may_stand_anywhere_and_the_preferred_type_counts() -> None:
    payload = (
        b'{"balances": [{"balanceType": "interimBooked", "balanceAmount": {"amount": "1.50", '
        b'"currency": "EUR"}, "referenceDateTime": "2026-11-20T08:30:00Z"}, '
        b'{"balanceType": "closingBooked", "balanceAmount": {"amount": "2.50", "currency": "EUR"}, '
        b'"referenceDateTime": "2026-11-20T08:30:00Z"}]}'
    )
    said = said_by(payload, BERLIN_GROUP, currency="EUR")
    assert (said.balance, said.as_of) == (Decimal("2.5"), AS_OF)


@pytest.mark.parametrize(("word", "amount"), [("CRDT", "7"), ("DBIT", "-7")])
def test_a_direction_gives_the_sign(word: str, amount: str) -> None:
    payload = f'{{"a/b": 7, "currency": "AED", "side": "{word}", "as_of": "2026-11-20T08:30:00Z"}}'
    mapping = BalanceMapping(balances="", kind=None, amount="/a~1b", direction="/side")
    assert said_by(payload.encode(), mapping, currency="AED").balance == Decimal(amount)


def test_a_direction_nobody_knows_is_no_balance() -> None:
    payload = b'{"amount": 7, "currency": "AED", "side": "UP", "as_of": "2026-11-20T08:30:00Z"}'
    mapping = BalanceMapping(balances="", kind=None, direction="/side")
    with pytest.raises(NoBalance) as refused:
        said_by(payload, mapping, currency="AED")
    assert refused.value.reason == "NO_DIRECTION"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_balance_or_a_reason(payload: bytes) -> None:
    with contextlib.suppress(NoBalance):
        said_by(payload, BalanceMapping(), currency="AED")
