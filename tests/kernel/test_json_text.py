"""JSON from strangers: records or refusals come out, nothing else, and never late."""

import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_streams.kernel.json_text import BYTES_MAX, DEPTH_MAX, decode
from recon_streams.kernel.refusal import RefusalCode, Refused
from topics.ledger_balances import LedgerBalance
from topics.ledger_movements import LedgerRecord

settings.register_profile("kernel", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("kernel")

MOVEMENTS: msgspec.json.Decoder[LedgerRecord] = msgspec.json.Decoder(LedgerRecord)
BALANCES = msgspec.json.Decoder(LedgerBalance)

PAYOUT: dict[str, Any] = {
    "kind": "payout",
    "movement_id": "mv-1",
    "account_id": "SAFE",
    "currency": "AED",
    "ledger_sequence": 7,
    "occurred_at": "2026-11-20T08:15:30.250Z",
    "reference": "P-1",
    "amount": "1500.00",
    "due_at": "2026-11-20T08:30:00Z",
}

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["payout", "hold", "AED", "2026-13-01T00:00:00Z", "1e5", "\ud800", "NaN"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


def refusal_of(payload: bytes, decoder: msgspec.json.Decoder[Any] = MOVEMENTS) -> Refused | None:
    try:
        decode(payload, decoder)
    except Refused as refusal:
        return refusal
    return None


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_and_never_break_the_reader(payload: bytes) -> None:
    assert refusal_of(payload) is not None


@given(values)
def test_any_json_is_a_record_or_refused(value: object) -> None:
    refusal_of(json.dumps(value).encode())
    refusal_of(json.dumps(value).encode(), BALANCES)


@given(st.sampled_from([*PAYOUT, "rail", "schema_version", "extra"]), values)
@settings(max_examples=500)
def test_any_value_in_any_field_is_taken_or_refused(name: str, value: object) -> None:
    refusal = refusal_of(json.dumps({**PAYOUT, name: value}).encode())
    if refusal is not None:
        assert refusal.rule
        assert "\n" not in refusal.detail
        assert refusal.detail.replace("…", "").isascii()


@given(st.data())
@settings(max_examples=500)
def test_any_damage_to_the_bytes_is_taken_or_refused(data: st.DataObject) -> None:
    payload = bytearray(json.dumps(PAYOUT).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(payload) - 1))
        match data.draw(st.sampled_from(["put", "cut", "add", "drop"])):
            case "put":
                payload[at] = data.draw(st.integers(0, 255))
            case "cut":
                del payload[at + 1 :]
            case "add":
                payload[at:at] = data.draw(st.binary(max_size=4))
            case _:
                del payload[at : at + 3]
                payload = payload or bytearray(b" ")
    refusal_of(bytes(payload))


@given(st.sampled_from([name for name in PAYOUT if name != "due_at"]))
def test_a_missing_field_is_named(name: str) -> None:
    refusal = refusal_of(json.dumps({k: v for k, v in PAYOUT.items() if k != name}).encode())
    assert refusal is not None
    assert (refusal.code, refusal.field) in {
        (RefusalCode.MISSING_FIELD, f"/{name}"),
        (RefusalCode.UNKNOWN_KIND, "/kind"),
    }


def test_fields_the_contract_does_not_name_are_ignored() -> None:
    assert refusal_of(json.dumps({**PAYOUT, "note": {"any": [1, 2.5]}}).encode()) is None


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"", RefusalCode.EMPTY_VALUE),
        (b" " * (BYTES_MAX + 1), RefusalCode.TOO_LARGE),
        (b"\x00\x00\x00\x00\x07{}", RefusalCode.NOT_JSON),
        (b"\xef\xbb\xbf{}", RefusalCode.NOT_JSON),
        (b"\xff\xfe{\x00}\x00", RefusalCode.NOT_JSON),
        (b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1), RefusalCode.TOO_DEEP),
        (b"[" * 60_000, RefusalCode.TOO_DEEP),
        (b'{"amount": NaN}', RefusalCode.NOT_JSON),
        (b'{"a": 1, "a": 1}', RefusalCode.DUPLICATE_KEY),
        (b"[]", RefusalCode.WRONG_TYPE),
        (b"{} {}", RefusalCode.NOT_JSON),
        (b"1" * 60_000, RefusalCode.WRONG_TYPE),
    ],
)
def test_each_kind_of_wrong_payload_has_its_code(payload: bytes, code: RefusalCode) -> None:
    refusal = refusal_of(payload)
    assert refusal is not None
    assert refusal.code is code


def test_brackets_inside_texts_are_not_depth() -> None:
    text = "[{" * 50 + '\\"[' + "}]"
    assert refusal_of(json.dumps({**PAYOUT, "note": text}).encode()) is None


def test_as_many_levels_as_allowed_are_read() -> None:
    inner: object = 1
    for _ in range(DEPTH_MAX - 1):
        inner = [inner]
    # With other brackets beside them, which are no deeper.
    assert refusal_of(json.dumps({**PAYOUT, "more": [[], {}], "note": inner}).encode()) is None
    refusal = refusal_of(json.dumps({**PAYOUT, "note": [inner]}).encode())
    assert refusal is not None
    assert refusal.code is RefusalCode.TOO_DEEP


@pytest.mark.parametrize(
    "payload",
    [
        b"[" * 33 + b'"' + b'\\"' * 32_000,
        b"[" * 33 + b'"a' * 20_000,
        b"[" * 33 + b'"' + b"\\" * 65_000,
        b"{" + b",".join(b'"%05d":1' % i for i in range(6500)) + b',"06499":1}',
        b"[" + b",".join([b'{"a":1,"a":1}'] * 4000) + b"]",
        b'{"a":' * 12_000,
        b"-" * 65_000,
        b'"' + b"\\u0000" * 10_900,
    ],
    ids=["escapes", "quotes", "backslashes", "keys", "twins", "deep", "signs", "nulls"],
)
def test_no_payload_keeps_the_reader_busy(payload: bytes) -> None:
    # The first of these took eight seconds when an endless string was tried at each of its quotes.
    assert len(payload) <= BYTES_MAX
    began = time.perf_counter()
    assert refusal_of(payload) is not None
    assert time.perf_counter() - began < 1


def test_a_name_said_twice_is_pointed_to_where_it_stands() -> None:
    refusal = refusal_of(b'{"x": [{"ok": 1}, {"a/b": 1, "c": 2, "a/b": 3}]}')
    assert refusal is not None
    assert (refusal.code, refusal.field) == (RefusalCode.DUPLICATE_KEY, "/x/1/a~1b")


def test_the_payload_is_not_quoted() -> None:
    secret = "AE070331234567890123456"
    for value in (secret, json.dumps({**PAYOUT, "account_id": secret + "!"}), f'{{"{secret}'):
        refusal = refusal_of(value.encode())
        assert refusal is not None
        assert secret not in f"{refusal.rule} {refusal.detail}"
