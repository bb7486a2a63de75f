"""Bad records in the whole stack: each is held by name, its bytes kept, its neighbours decided."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

import pytest

from recon_streams.kernel.disposition import Disposition
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.log.record import TopicPartition

pytestmark = pytest.mark.timeout(120)

XML, ALIAS = "bank.notifications", "iso20022.camt.054"
MOVEMENTS, BALANCES = "ledger.movements", "ledger.balances"
Stack = Any  # of the conftest


class Bad(NamedTuple):
    """A record and what must become of it; `value` is made from a good one of its topic."""

    topic: str
    value: Callable[[bytes], bytes | None]
    code: RefusalCode
    field: str = ""


def said(raw: bytes | None) -> Callable[[bytes], bytes | None]:
    return lambda _good: raw


def replaced(field: str, raw: bytes) -> Callable[[bytes], bytes]:
    """Return what puts `raw` where the value of `field` stood in a JSON record."""

    def make(good: bytes) -> bytes:
        marked = json.dumps({**json.loads(good), field: "@@"}).encode()
        return marked.replace(b'"@@"', raw)

    return make


def in_text(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def make(good: bytes) -> bytes:
        assert old in good
        return good.replace(old, new, 1)

    return make


def also(raw: bytes) -> Callable[[bytes], bytes]:
    """Return what adds the member `raw` to a JSON record."""
    return lambda good: good.rstrip()[:-1] + b", " + raw + b"}"


def padded(size: int) -> Callable[[bytes], bytes]:
    """Return what makes a message `size` bytes long without changing what it says."""
    return lambda good: good + b" " * (size - len(good))


def another(topic: str) -> Callable[[bytes], bytes]:
    """Return what is a good record on `topic`, and so is none where it is put."""
    texts = {
        XML: b"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.054.001.08'/>",
        BALANCES: b'{"balance_id": "b-1", "account_id": "STORM-00000", "currency": "AED", '
        b'"amount": "7.00", "as_of": "2020-01-01T00:00:00Z", "ledger_sequence": 1}',
        MOVEMENTS: b'{"kind": "issue", "movement_id": "m-1", "account_id": "STORM-00000", '
        b'"currency": "AED", "amount": "7.00", "occurred_at": "2020-01-01T00:00:00Z", '
        b'"ledger_sequence": 1}',
    }
    return lambda _good: texts[topic]


def instant(ahead: timedelta) -> bytes:
    return json.dumps((datetime.now(UTC) + ahead).isoformat()).encode()


C = RefusalCode
BAD = {
    "a tombstone on the XML topic": Bad(XML, said(None), C.EMPTY_VALUE),
    "a tombstone on an alias": Bad(ALIAS, said(None), C.EMPTY_VALUE),
    "a tombstone on movements": Bad(MOVEMENTS, said(None), C.EMPTY_VALUE),
    "a tombstone on balances": Bad(BALANCES, said(None), C.EMPTY_VALUE),
    "an empty XML value": Bad(XML, said(b""), C.EMPTY_VALUE),
    "an empty movement": Bad(MOVEMENTS, said(b""), C.EMPTY_VALUE),
    "XML above the limit": Bad(XML, padded(11_000_001), C.TOO_LARGE),
    "10 MB of nothing": Bad(XML, said(bytes(10_000_000)), C.NOT_WELL_FORMED),
    "10 MB of open tags": Bad(XML, said(b"<a>" * 3_333_333), C.TOO_DEEP),
    "a movement above 64 KiB": Bad(MOVEMENTS, padded(65_537), C.TOO_LARGE),
    "a movement near a broker's limit": Bad(MOVEMENTS, padded(1_000_000), C.TOO_LARGE),
    "a movement on the XML topic": Bad(XML, another(MOVEMENTS), C.NOT_WELL_FORMED),
    "XML among movements": Bad(MOVEMENTS, another(XML), C.NOT_JSON),
    "XML among balances": Bad(BALANCES, another(XML), C.NOT_JSON),
    "a balance among movements": Bad(MOVEMENTS, another(BALANCES), C.MISSING_FIELD, "/kind"),
    "a movement among balances": Bad(BALANCES, another(MOVEMENTS), C.MISSING_FIELD, "/balance_id"),
    "a statement where notifications go": Bad(
        XML, in_text(b"camt.054", b"camt.053"), C.UNKNOWN_MESSAGE
    ),
    "a schema version of the future": Bad(
        MOVEMENTS, also(b'"schema_version": 2'), C.UNKNOWN_SCHEMA_VERSION, "/schema_version"
    ),
    "a balance of another schema version": Bad(
        BALANCES, also(b'"schema_version": "1"'), C.UNKNOWN_SCHEMA_VERSION, "/schema_version"
    ),
    "an amount said twice": Bad(MOVEMENTS, also(b'"amount": "9.00"'), C.DUPLICATE_KEY, "/amount"),
    "a number for money": Bad(MOVEMENTS, replaced("amount", b"12.5"), C.INVALID_AMOUNT, "/amount"),
    "a whole number for a balance": Bad(
        BALANCES, replaced("amount", b"12"), C.INVALID_AMOUNT, "/amount"
    ),
    "NaN for money": Bad(MOVEMENTS, replaced("amount", b"NaN"), C.NOT_JSON),
    "NaN in quotes": Bad(MOVEMENTS, replaced("amount", b'"NaN"'), C.INVALID_AMOUNT, "/amount"),
    "an amount in markup of the terminal": Bad(
        MOVEMENTS, replaced("amount", b'"[/red][link=x]"'), C.INVALID_AMOUNT, "/amount"
    ),
    "NUL in an amount": Bad(
        MOVEMENTS, replaced("amount", b'"1\\u0000"'), C.INVALID_AMOUNT, "/amount"
    ),
    "a movement that is not UTF-8": Bad(MOVEMENTS, replaced("amount", b'"\xff"'), C.NOT_JSON),
    "half of a surrogate pair": Bad(MOVEMENTS, also(b'"note": "\\ud800"'), C.NOT_JSON),
    "XML that is not UTF-8": Bad(XML, in_text(b"who pays", b"who \xff pays"), C.NOT_WELL_FORMED),
    "a movement 60 000 levels deep": Bad(MOVEMENTS, said(b"[" * 60_000), C.TOO_DEEP),
    "a control character as a key": Bad(
        MOVEMENTS,
        also(b'"\\u0000\\u001b[2J": 1, "\\u0000\\u001b[2J": 2'),
        C.DUPLICATE_KEY,
        "/\\x00\\x1b[2J",
    ),
    "a movement of the far future": Bad(
        MOVEMENTS,
        replaced("occurred_at", b'"2999-12-31T23:59:59Z"'),
        C.FUTURE_INSTANT,
        "/occurred_at",
    ),
    "a movement of tomorrow": Bad(
        MOVEMENTS,
        replaced("occurred_at", instant(timedelta(days=1))),
        C.FUTURE_INSTANT,
        "/occurred_at",
    ),
    "a movement of the year 1": Bad(
        MOVEMENTS,
        replaced("occurred_at", b'"0001-01-01T00:00:00Z"'),
        C.INVALID_DATE,
        "/occurred_at",
    ),
    "a balance of the year 9999": Bad(
        BALANCES, replaced("as_of", b'"9999-12-31T23:59:59Z"'), C.INVALID_DATE, "/as_of"
    ),
    "an account nobody registered": Bad(
        MOVEMENTS, replaced("account_id", b'"NOBODY"'), C.UNKNOWN_ACCOUNT, "/account_id"
    ),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_record_is_held_by_name_and_its_neighbour_is_decided(
    stack: Stack, name: str
) -> None:
    bad = BAD[name]
    partition = TopicPartition(bad.topic, 1)
    key, good = stack.good(partition)
    value = bad.value(good)
    found, offset = await stack.append(bad.topic, key, value)
    assert found == partition
    following = await stack.append_good(partition)
    row = await stack.decided(partition, offset)
    assert row["disposition"] == Disposition.QUARANTINED
    assert [code for code, _ in row["held"]] == [bad.code]
    (place,) = (field for _, field in row["held"])
    assert place == bad.field
    assert row["payload"] == value
    assert row["sha256"] == sha256(value or b"").digest()
    assert (await stack.decided(partition, following))["disposition"] == Disposition.APPLIED
    assert await stack.flaws() == []


HUGE = b"\x00\xff" * 400_000
HARMLESS: dict[str, tuple[str, Any]] = {
    "nothing": (XML, ()),
    "hundreds of headers": (XML, tuple((f"h-{n}", b"\xff" * n) for n in range(1_000))),
    "a header without a value": (MOVEMENTS, (("h", None),)),
    "a huge header": (XML, (("h", HUGE),)),
    "a header without a name": (MOVEMENTS, (("", b""), ("", b""))),
    "a header of another alphabet": (BALANCES, (("\u202e\U0001f4b8", b"x"),)),
}


@pytest.mark.parametrize("name", HARMLESS)
async def test_headers_change_nothing(stack: Stack, name: str) -> None:
    topic, headers = HARMLESS[name]
    partition = TopicPartition(topic, 1)
    key, good = stack.good(partition)
    _, offset = await stack.append(topic, key, good, headers)
    following = await stack.append_good(partition)
    assert (await stack.decided(partition, offset))["disposition"] == Disposition.APPLIED
    assert (await stack.decided(partition, following))["disposition"] == Disposition.APPLIED
    assert await stack.flaws() == []


@pytest.mark.parametrize("key", [None, b"", b"\x00\xff", b"STORM-99999", b"k" * 100_000])
async def test_a_key_orders_and_says_nothing(stack: Stack, key: bytes | None) -> None:
    places = []
    for topic in (XML, ALIAS, MOVEMENTS, BALANCES):
        _, good = stack.good(TopicPartition(topic, 1))
        partition, offset = await stack.append(topic, key, good)
        places.append((partition, offset, await stack.append_good(partition)))
    for partition, offset, following in places:
        row = await stack.decided(partition, offset)
        assert row["disposition"] == Disposition.APPLIED
        assert row["key"] == key
        assert (await stack.decided(partition, following))["disposition"] == Disposition.APPLIED
    assert await stack.flaws() == []


async def test_what_senders_write_is_in_no_log_line(stack: Stack) -> None:
    bad = [
        (XML, in_text(b"<Nm>", b"<Nm>CANARY-NAME ")),
        (XML, in_text(b'Ccy="AED">', b'Ccy="AED">CANARY-AMOUNT')),
        (XML, in_text(b"<Othr><Id>", b"<Othr><Id>CANARY-ACCOUNT")),
        (XML, said(b"<CANARY-MARKUP")),
        (MOVEMENTS, replaced("movement_id", b'["CANARY-ID"]')),
        (MOVEMENTS, replaced("amount", b'"CANARY-AMOUNT"')),
        (MOVEMENTS, also(b'"CANARY-KEY": "CANARY-VALUE"')),
    ]
    for topic, make in bad:
        partition = TopicPartition(topic, 1)
        key, good = stack.good(partition)
        _, offset = await stack.append(topic, key, make(good))
        await stack.decided(partition, offset)
    written = (stack.installation.directory / "worker.log").read_text()
    assert written.count("batch_committed") >= len(bad)
    assert "CANARY" not in written
    assert "A person who pays" not in written


async def test_ten_megabytes_of_a_good_message_are_decided(stack: Stack) -> None:
    partition = TopicPartition(XML, 0)
    key, good = stack.good(partition)
    _, offset = await stack.append(XML, key, padded(10_000_000)(good))
    following = await stack.append_good(partition)
    row = await stack.decided(partition, offset)
    assert row["disposition"] == Disposition.APPLIED
    assert len(row["payload"]) == 10_000_000
    assert (await stack.decided(partition, following))["disposition"] == Disposition.APPLIED
    assert await stack.flaws() == []
