"""Wrong records on `ledger.movements`: the reason, the field and the rule their sender is told."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from recon_streams.kernel.json_text import BYTES_MAX, decode
from recon_streams.kernel.refusal import RefusalCode, Refused
from topics.catalogue import by_name
from topics.examples import EXAMPLES
from topics.json_schemas import schema_of
from topics.ledger_balances import LedgerBalance
from topics.ledger_movements import Adjustment, LedgerRecord, Payout, Transfer

MOVEMENTS: msgspec.json.Decoder[LedgerRecord] = msgspec.json.Decoder(LedgerRecord)
BALANCES = msgspec.json.Decoder(LedgerBalance)
SCHEMA = Draft202012Validator(schema_of(by_name("ledger.movements")))
PAYOUT = EXAMPLES[Payout]
GOOD = json.dumps(PAYOUT).encode()


def _with(**fields: object) -> bytes:
    return json.dumps({**PAYOUT, **fields}).encode()


def _raw(field: str, raw: bytes) -> bytes:
    """Return the payout with the bytes `raw` where the value of `field` stood."""
    marked = json.dumps({**PAYOUT, field: "@@"}).encode()
    return marked.replace(b'"@@"', raw)


def _without(field: str) -> bytes:
    return json.dumps({name: value for name, value in PAYOUT.items() if name != field}).encode()


def _and(raw: bytes) -> bytes:
    """Return the payout with `raw` as one more member of the object."""
    return GOOD[:-1] + b"," + raw + b"}"


def _refusal(payload: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        decode(payload, MOVEMENTS)
    return caught.value


AMOUNT, TOO_PRECISE = RefusalCode.INVALID_AMOUNT, RefusalCode.AMOUNT_TOO_PRECISE
NEGATIVE, CURRENCY = RefusalCode.NEGATIVE_AMOUNT, RefusalCode.INVALID_CURRENCY
DATE, NOT_JSON = RefusalCode.INVALID_DATE, RefusalCode.NOT_JSON
IDENTIFIER, RANGE = RefusalCode.INVALID_IDENTIFIER, RefusalCode.OUT_OF_RANGE
VERSION, KIND = RefusalCode.UNKNOWN_SCHEMA_VERSION, RefusalCode.UNKNOWN_KIND
TWICE, MISSING = RefusalCode.DUPLICATE_KEY, RefusalCode.MISSING_FIELD
TYPE, DEEP = RefusalCode.WRONG_TYPE, RefusalCode.TOO_DEEP

WRONG: dict[str, tuple[bytes, RefusalCode, str]] = {
    # Numbers
    "NaN as text": (_with(amount="NaN"), AMOUNT, "/amount"),
    "sNaN as text": (_with(amount="sNaN"), AMOUNT, "/amount"),
    "Infinity as text": (_with(amount="Infinity"), AMOUNT, "/amount"),
    "NaN bare": (_raw("amount", b"NaN"), NOT_JSON, ""),
    "Infinity bare": (_raw("amount", b"Infinity"), NOT_JSON, ""),
    "-Infinity bare": (_raw("amount", b"-Infinity"), NOT_JSON, ""),
    "NaN in a field nobody knows": (_and(b'"x": NaN'), NOT_JSON, ""),
    "an exponent": (_with(amount="1e5"), AMOUNT, "/amount"),
    "a huge exponent": (_with(amount="1e999999"), AMOUNT, "/amount"),
    "an underscore": (_with(amount="1_000"), AMOUNT, "/amount"),
    "a plus sign": (_with(amount="+3"), AMOUNT, "/amount"),
    "a point at the end": (_with(amount="1."), AMOUNT, "/amount"),
    "a point at the start": (_with(amount=".5"), AMOUNT, "/amount"),
    "a decimal comma": (_with(amount="1,5"), AMOUNT, "/amount"),
    "a Unicode minus": (_with(amount="\u22125"), AMOUNT, "/amount"),
    "full-width digits": (_with(amount="\uff11\uff12"), AMOUNT, "/amount"),
    "Arabic digits": (_with(amount="\u0661\u0662"), AMOUNT, "/amount"),
    "a space before": (_with(amount=" 5"), AMOUNT, "/amount"),
    "a line break after": (_with(amount="5\n"), AMOUNT, "/amount"),
    "nothing": (_with(amount=""), AMOUNT, "/amount"),
    "a leading zero": (_with(amount="01"), AMOUNT, "/amount"),
    "5,000 digits as text": (_with(amount="9" * 5000), AMOUNT, "/amount"),
    "5,000 digits as a number": (_raw("amount", b"9" * 5000), AMOUNT, "/amount"),
    "19 digits": (_with(amount="9" * 19), AMOUNT, "/amount"),
    "9 decimals": (_with(amount="0.123456789"), TOO_PRECISE, "/amount"),
    "minus zero as text": (_with(amount="-0"), NEGATIVE, "/amount"),
    "a negative amount": (_with(amount="-5.00"), NEGATIVE, "/amount"),
    "a JSON integer": (_raw("amount", b"1500"), AMOUNT, "/amount"),
    "a JSON float": (_raw("amount", b"1500.00"), AMOUNT, "/amount"),
    "a JSON float with an exponent": (_raw("amount", b"1e5"), AMOUNT, "/amount"),
    "minus zero as a number": (_raw("amount", b"-0"), AMOUNT, "/amount"),
    "null for an amount": (_with(amount=None), AMOUNT, "/amount"),
    "true for an amount": (_with(amount=True), AMOUNT, "/amount"),
    "a list for an amount": (_with(amount=["5"]), AMOUNT, "/amount"),
    "a sequence of zero": (_with(ledger_sequence=0), RANGE, "/ledger_sequence"),
    "a negative sequence": (_with(ledger_sequence=-1), RANGE, "/ledger_sequence"),
    "a sequence of 2^53": (_with(ledger_sequence=2**53), RANGE, "/ledger_sequence"),
    "a sequence of 2^53 + 1": (_with(ledger_sequence=2**53 + 1), RANGE, "/ledger_sequence"),
    "a sequence beyond 64 bits": (_with(ledger_sequence=2**70), RANGE, "/ledger_sequence"),
    "a sequence as text": (_with(ledger_sequence="7"), RANGE, "/ledger_sequence"),
    "a sequence with a point": (_raw("ledger_sequence", b"7.0"), RANGE, "/ledger_sequence"),
    "a sequence of true": (_with(ledger_sequence=True), RANGE, "/ledger_sequence"),
    # Codes
    "a lower-case currency": (_with(currency="aed"), CURRENCY, "/currency"),
    "a full-width currency": (_with(currency="\uff21\uff25\uff24"), CURRENCY, "/currency"),
    "a currency and a line break": (_with(currency="AED\n"), CURRENCY, "/currency"),
    "a currency of two letters": (_with(currency="AE"), CURRENCY, "/currency"),
    "a number for a currency": (_with(currency=784), CURRENCY, "/currency"),
    "a homoglyph in the account": (_with(account_id="\u0410E-1"), IDENTIFIER, "/account_id"),
    "a zero-width mark": (_with(account_id="AE\u200b-1"), IDENTIFIER, "/account_id"),
    "an empty account": (_with(account_id=""), IDENTIFIER, "/account_id"),
    "an id of 65 characters": (_with(movement_id="m" * 65), IDENTIFIER, "/movement_id"),
    "an id as a number": (_with(movement_id=17), IDENTIFIER, "/movement_id"),
    "a NUL in the reference": (_with(reference="R\x001"), IDENTIFIER, "/reference"),
    "a reference of spaces": (_with(reference="  "), IDENTIFIER, "/reference"),
    "a reference of 36 characters": (_with(reference="R" * 36), IDENTIFIER, "/reference"),
    "null for a required reference": (_with(reference=None), IDENTIFIER, "/reference"),
    "a rail of 33 characters": (_with(rail="R" * 33), IDENTIFIER, "/rail"),
    "an unknown kind": (_with(kind="refund"), KIND, "/kind"),
    "a kind in capitals": (_with(kind="PAYOUT"), KIND, "/kind"),
    "a number for a kind": (_with(kind=1), KIND, "/kind"),
    # Time
    "no zone": (_with(occurred_at="2026-11-20T08:15:30"), DATE, "/occurred_at"),
    "30 February": (_with(occurred_at="2026-02-30T08:15:30Z"), DATE, "/occurred_at"),
    "29 February of a common year": (_with(due_at="2027-02-29T08:15:30Z"), DATE, "/due_at"),
    "a leap second": (_with(occurred_at="2026-12-31T23:59:60Z"), DATE, "/occurred_at"),
    "24 o'clock": (_with(occurred_at="2026-11-20T24:00:00Z"), DATE, "/occurred_at"),
    "year 0001": (_with(occurred_at="0001-01-01T00:00:00+14:00"), DATE, "/occurred_at"),
    "year 9999": (_with(due_at="9999-12-31T23:59:59-14:00"), DATE, "/due_at"),
    "a date only": (_with(occurred_at="2026-11-20"), DATE, "/occurred_at"),
    "a space for the T": (_with(occurred_at="2026-11-20 08:15:30Z"), DATE, "/occurred_at"),
    "an offset without colon": (_with(due_at="2026-11-20T08:15:30+0400"), DATE, "/due_at"),
    "an offset of 24 hours": (_with(due_at="2026-11-20T08:15:30+24:00"), DATE, "/due_at"),
    "seconds since 1970": (_with(occurred_at=1795162530), DATE, "/occurred_at"),
    "an instant and a line break": (_with(due_at="2026-11-20T08:15:30Z\n"), DATE, "/due_at"),
    # The contract
    "schema version 2": (_with(schema_version=2), VERSION, "/schema_version"),
    "schema version as text": (_with(schema_version="1"), VERSION, "/schema_version"),
    "schema version null": (_with(schema_version=None), VERSION, "/schema_version"),
    "schema version 1.0": (_raw("schema_version", b"1.0"), VERSION, "/schema_version"),
    "version 2 with another kind": (
        _with(schema_version=2, kind="swap"),
        VERSION,
        "/schema_version",
    ),
    "no amount": (_without("amount"), MISSING, "/amount"),
    "no kind": (_without("kind"), MISSING, "/kind"),
    "no currency": (_without("currency"), MISSING, "/currency"),
    # The envelope
    "the amount twice": (_and(b'"amount": "1500.00"'), TWICE, "/amount"),
    "the kind twice": (_and(b'"kind": "hold"'), TWICE, "/kind"),
    "the amount twice, once escaped": (_and(rb'"am\u006funt": "9"'), TWICE, "/amount"),
    "an unknown key twice": (_and(b'"x": 1, "x": 1'), TWICE, "/x"),
    "a key twice inside": (_and(b'"x": [{"a/b": 1, "a/b": 2}]'), TWICE, "/x/0/a~1b"),
    "20,000 nested brackets": (_and(b'"x":' + b"[" * 20_000 + b"]" * 20_000), DEEP, ""),
    "20,000 brackets never closed": (b"[" * 20_000, DEEP, ""),
    "33 levels": (_and(b'"x":' + b"[" * 32 + b"]" * 32), DEEP, ""),
    "100,000 nested brackets": (b"[" * 100_000, RefusalCode.TOO_LARGE, ""),
    "10 MB": (_and(b'"x": "' + b"a" * 10_000_000 + b'"'), RefusalCode.TOO_LARGE, ""),
    "an empty value": (b"", RefusalCode.EMPTY_VALUE, ""),
    "white space": (b" \n", NOT_JSON, ""),
    "a byte that is not UTF-8": (GOOD.replace(b"PAYOUT-8841", b"PAYOUT\xff"), NOT_JSON, ""),
    "overlong UTF-8": (GOOD.replace(b"PAYOUT-8841", b"PAYOUT\xc0\xaf"), NOT_JSON, ""),
    "half a surrogate pair": (_raw("reference", rb'"\ud800"'), NOT_JSON, ""),
    "UTF-16": (GOOD.decode().encode("utf-16"), NOT_JSON, ""),
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD, NOT_JSON, ""),
    "a schema registry's prefix": (b"\x00\x00\x00\x00\x07" + GOOD, NOT_JSON, ""),
    "cut short": (GOOD[:-9], NOT_JSON, ""),
    "two records in one value": (GOOD + GOOD, NOT_JSON, ""),
    "single quotes": (GOOD.replace(b'"', b"'"), NOT_JSON, ""),
    "a comment": (b"/* */" + GOOD, NOT_JSON, ""),
    "a trailing comma": (GOOD[:-1] + b",}", NOT_JSON, ""),
    "XML on the wrong topic": (b"<Document/>", NOT_JSON, ""),
    "a list": (b"[" + GOOD + b"]", TYPE, ""),
    "null": (b"null", TYPE, ""),
    "a text": (b'"payout"', TYPE, ""),
    "a number": (b"17", TYPE, ""),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_record_is_refused_with_its_reason_and_field(name: str) -> None:
    payload, code, field = WRONG[name]
    refusal = _refusal(payload)
    assert (refusal.code, refusal.field) == (code, field)
    assert refusal.rule
    assert len(refusal.detail) <= 120
    assert refusal.detail.removesuffix("…").replace("…", "").isascii()


def test_the_record_they_were_made_from_is_good() -> None:
    assert isinstance(decode(GOOD, MOVEMENTS), Payout)


@pytest.mark.parametrize(
    ("payload", "detail"),
    [
        (_with(amount="1,500.00"), "1,500.00"),
        (_with(amount="\uff15"), "\\uff15"),
        (_raw("amount", b"1500.00"), "1500.00 as a JSON number"),
        (_with(currency="aed"), '"aed"'),
        (_with(ledger_sequence="7"), '"7"'),
        (_with(due_at="2026-02-30T00:00:00Z"), '"2026-02-30T00:00:00Z"'),
        (_with(kind="refund"), '"refund"'),
        (GOOD + b"x", f"Extra data: line 1 column {len(GOOD) + 1}"),
    ],
)
def test_the_sender_sees_what_was_found(payload: bytes, detail: str) -> None:
    assert _refusal(payload).detail == detail


@pytest.mark.parametrize("field", ["account_id", "reference", "movement_id", "rail"])
def test_identifiers_are_not_quoted(field: str) -> None:
    refusal = _refusal(_with(**{field: "Jos\u00e9 Garc\u00eda"}))
    assert refusal.detail == ""
    assert "Garc" not in str(refusal)


def test_an_unknown_kind_is_answered_with_the_known_ones() -> None:
    assert '"payout"' in _refusal(_with(kind="refund")).rule
    assert '"release"' in _refusal(_with(kind="refund")).rule


def test_a_direction_and_a_reason_have_rules_of_their_own() -> None:
    transfer = json.dumps({**EXAMPLES[Transfer], "direction": "up"}).encode()
    assert _refusal(transfer).code is RefusalCode.INVALID_DIRECTION
    for reason in ("", "x" * 141, "a\x00b", "a\nb", 5):
        adjustment = json.dumps({**EXAMPLES[Adjustment], "reason": reason}).encode()
        assert (_refusal(adjustment).code, _refusal(adjustment).field) == (RANGE, "/reason")


def test_a_balance_is_judged_by_the_same_rules() -> None:
    balance = json.dumps({**EXAMPLES[LedgerBalance], "as_of": "2026-11-20T08:20:00"}).encode()
    with pytest.raises(Refused) as caught:
        decode(balance, BALANCES)
    assert (caught.value.code, caught.value.field) == (DATE, "/as_of")


@pytest.mark.parametrize(
    "payload",
    [
        _and(b'"x": ' + b"9" * 5000),
        _and(b'"x": 1e999999'),
        _and(b'"x": {"amount": 5, "due_at": "tomorrow"}'),
        _and(b'"x": "' + b"[" * 1000 + b'"'),
        _and(rb'"x": "\\\"{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{"'),
        _and(b'"x":' + b"[" * 31 + b"]" * 31),
        b"\n " + GOOD + b" \n",
        _with(occurred_at="2026-11-20t08:15:30.123456789z"),
        _with(occurred_at="2026-11-20T08:15:30-00:00"),
        _with(amount="0"),
        _with(amount="999999999999999999.12345678"),
        _with(ledger_sequence=2**53 - 1),
        _with(due_at=None, rail=None),
    ],
)
def test_what_looks_odd_and_is_right_is_taken(payload: bytes) -> None:
    assert isinstance(decode(payload, MOVEMENTS), Payout)


def test_the_largest_record_is_taken_and_one_byte_more_is_not() -> None:
    padding = BYTES_MAX - len(_and(b'"x": ""'))
    assert isinstance(decode(_and(b'"x": "' + b"a" * padding + b'"'), MOVEMENTS), Payout)
    assert _refusal(_and(b'"x": "' + b"a" * (padding + 1) + b'"')).detail == "65537 bytes"


def test_a_verdict_does_not_depend_on_how_deep_its_caller_is() -> None:
    payload = _and(b'"x":' + b"[" * 31 + b"]" * 31)

    def deeper(levels: int) -> object:
        return decode(payload, MOVEMENTS) if levels == 0 else deeper(levels - 1)

    assert deeper(600) == deeper(0)


_INSTANT_PARTS = st.tuples(
    st.sampled_from(["2026-11-20", "2026-02-28", "1899-12-31", "3000-01-01", "2026-1-20", ""]),
    st.sampled_from(["T", "t", " ", "_", ""]),
    st.sampled_from(["08:15:30", "23:59:59", "08:15", "081530", ""]),
    st.sampled_from(["", ".5", ".123456789", ".1234567891", ".", ",5"]),
    st.sampled_from(["Z", "z", "+04:00", "-00:00", "+0400", "+04", "", " Z", "Z\n"]),
)


@given(_INSTANT_PARTS)
def test_schema_and_reader_agree_on_instants(parts: tuple[str, ...]) -> None:
    record = {**PAYOUT, "occurred_at": "".join(parts)}
    assert _is_taken(record) == SCHEMA.is_valid(record)


@given(st.text(alphabet="0159.,-+eE_ \n\uff15", max_size=24) | st.from_regex(r"\d{1,20}\.\d{1,10}"))
def test_schema_and_reader_agree_on_amounts(amount: str) -> None:
    record = {**PAYOUT, "amount": amount}
    assert _is_taken(record) == SCHEMA.is_valid(record)


@given(st.binary(max_size=64) | st.text(max_size=64).map(str.encode))
def test_any_bytes_are_read_or_refused_and_nothing_else(payload: bytes) -> None:
    with pytest.raises(Refused):
        decode(payload, MOVEMENTS)


@given(
    st.integers(0, len(GOOD) - 1),
    st.sampled_from([b"", b"\x00", b'"', b"}", b"[", b",", b"\\", b"\xff", b"9"]),
)
def test_a_damaged_record_is_read_or_refused_and_nothing_else(at: int, damage: bytes) -> None:
    try:
        decode(GOOD[:at] + damage + GOOD[at + 1 :], MOVEMENTS)
    except Refused as refusal:
        assert refusal.code in RefusalCode  # noqa: PT017 - taking the record is right as well


def _is_taken(record: dict[str, Any]) -> bool:
    try:
        decode(json.dumps(record).encode(), MOVEMENTS)
    except Refused:
        return False
    return True
