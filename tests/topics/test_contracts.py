"""The published contracts are what the code does: no drift, true examples, the same refusals."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from lxml import etree

from recon_streams.iso20022 import reader
from recon_streams.statements.equation import balance_of
from topics.asyncapi_document import asyncapi_document
from topics.breaker import BreakerRecord, LeaseRecord
from topics.catalogue import CATALOGUE, by_name
from topics.contract import TopicContract
from topics.contracts import (
    EXIT_DRIFTED,
    EXIT_USAGE,
    ROOT,
    drifted,
    generate,
    main,
    schema_path,
    write,
)
from topics.examples import EXAMPLES
from topics.json_schemas import meanings_of
from topics.ledger_balances import LedgerBalance
from topics.ledger_movements import LEDGER_RECORD_TYPES, LedgerRecord, Payout, Transfer
from topics.reference_page import reference_page
from topics.xml_examples import XML_EXAMPLES

Record = type[msgspec.Struct]


def _records() -> Iterator[tuple[TopicContract, Record]]:
    for contract in CATALOGUE:
        for record in contract.record_types:
            yield contract, record


EVERY_RECORD = pytest.mark.parametrize(
    ("contract", "record"), list(_records()), ids=lambda value: getattr(value, "__name__", "")
)


def _validator(topic: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((ROOT / schema_path(topic)).read_bytes()))


def test_the_committed_contracts_are_the_generated_ones() -> None:
    assert drifted(ROOT) == []


def test_generating_twice_gives_the_same_bytes() -> None:
    assert generate() == generate()


def test_drift_is_found_named_and_put_right(tmp_path: Path) -> None:
    assert drifted(tmp_path) == sorted(generate())
    write(tmp_path)
    assert drifted(tmp_path) == []
    page = tmp_path / "docs/reference/topics.md"
    page.write_text(page.read_text().replace("camt.054", "camt.053"))
    left_over = tmp_path / "topics/schemas/ledger.gone.v1.schema.json"
    left_over.write_text("{}")
    assert drifted(tmp_path) == [
        "docs/reference/topics.md",
        "topics/schemas/ledger.gone.v1.schema.json",
    ]
    write(tmp_path)
    assert drifted(tmp_path) == []
    assert not left_over.exists()


def test_check_agrees_and_a_wrong_word_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert EXIT_DRIFTED == 5
    assert main(["chekc"]) == EXIT_USAGE
    assert "write|check" in capsys.readouterr().err


@pytest.mark.parametrize("contract", [c for c in CATALOGUE if c.record_types], ids=lambda c: c.name)
def test_every_schema_is_a_valid_schema(contract: TopicContract) -> None:
    Draft202012Validator.check_schema(json.loads((ROOT / schema_path(contract.name)).read_bytes()))


@EVERY_RECORD
def test_every_example_is_read_by_the_decoder_and_accepted_by_the_schema(
    contract: TopicContract, record: Record
) -> None:
    example = EXAMPLES[record]
    kind: Any = LedgerRecord if record in LEDGER_RECORD_TYPES else record
    read = msgspec.json.decode(json.dumps(example), type=kind)
    assert isinstance(read, record)
    assert set(example) - {"kind"} <= set(record.__struct_fields__)
    _validator(contract.name).validate(example)


@EVERY_RECORD
def test_what_the_encoder_writes_is_accepted_by_the_schema(
    contract: TopicContract, record: Record
) -> None:
    read = msgspec.json.decode(json.dumps(EXAMPLES[record]), type=record)
    _validator(contract.name).validate(json.loads(msgspec.json.encode(read)))


@EVERY_RECORD
def test_fields_nobody_knows_are_ignored(contract: TopicContract, record: Record) -> None:
    example = {**EXAMPLES[record], "introduced_later": {"amount": 1.5}}
    assert msgspec.json.decode(json.dumps(example), type=record) == msgspec.json.decode(
        json.dumps(EXAMPLES[record]), type=record
    )
    _validator(contract.name).validate(example)


@EVERY_RECORD
def test_every_field_has_a_meaning(contract: TopicContract, record: Record) -> None:
    schema = json.loads((ROOT / schema_path(contract.name)).read_bytes())
    for definition in schema["$defs"].values():
        assert definition["description"]
        assert all(value["description"] for value in definition.get("properties", {}).values())
    extra = meanings_of(record).keys() - set(record.__struct_fields__)
    assert extra <= {"kind"}


def test_the_page_and_the_document_name_the_headers_in_which_a_record_is_signed() -> None:
    _, section = reference_page().split("\n## recon.breaker\n")
    facts = section[: section.index("\n## ")]
    messages = asyncapi_document()["components"]["messages"]
    for name, meaning in (("alg", "Ed25519"), ("kid", "RFC 7638"), ("sig", "64 bytes")):
        assert f"`{name}`: " in facts
        assert meaning in facts
        for record in (BreakerRecord, LeaseRecord):
            headers = messages[record.__name__]["headers"]
            assert name in headers["required"]
            assert meaning in headers["properties"][name]["description"]
    assert "headers" not in messages["Position"]


_PAYOUT = EXAMPLES[Payout]
_WRONG_PAYOUTS: dict[str, dict[str, Any]] = {
    "an integer for an amount": {**_PAYOUT, "amount": 1500},
    "a float for an amount": {**_PAYOUT, "amount": 1500.5},
    "a negative amount": {**_PAYOUT, "amount": "-5"},
    "nine decimals": {**_PAYOUT, "amount": "0.123456789"},
    "nineteen digits": {**_PAYOUT, "amount": "9" * 19},
    "a thousands separator": {**_PAYOUT, "amount": "1,500.00"},
    "a trailing newline after the amount": {**_PAYOUT, "amount": "5\n"},
    "full-width digits": {**_PAYOUT, "amount": "\uff15"},
    "a lower-case currency": {**_PAYOUT, "currency": "aed"},
    "a trailing newline after the currency": {**_PAYOUT, "currency": "AED\n"},
    "an instant without an offset": {**_PAYOUT, "occurred_at": "2026-11-20T08:15:30"},
    "a date for an instant": {**_PAYOUT, "occurred_at": "2026-11-20"},
    "seconds since 1970": {**_PAYOUT, "occurred_at": 1795162530},
    "a trailing newline after the instant": {**_PAYOUT, "occurred_at": "2026-11-20T08:15:30Z\n"},
    "an unknown kind": {**_PAYOUT, "kind": "refund"},
    "no kind": {name: value for name, value in _PAYOUT.items() if name != "kind"},
    "no reference": {name: value for name, value in _PAYOUT.items() if name != "reference"},
    "a reference of 36 characters": {**_PAYOUT, "reference": "R" * 36},
    "a reference with a space at its end": {**_PAYOUT, "reference": "R "},
    "a sequence of zero": {**_PAYOUT, "ledger_sequence": 0},
    "a sequence JavaScript cannot keep": {**_PAYOUT, "ledger_sequence": 2**53},
    "an unknown schema version": {**_PAYOUT, "schema_version": 2},
    "a control character in the rail": {**_PAYOUT, "rail": "UAE\x00FTS"},
    "an unknown direction": {**EXAMPLES[Transfer], "direction": "up"},
}


@pytest.mark.parametrize("name", _WRONG_PAYOUTS)
def test_decoder_and_schema_refuse_the_same(name: str) -> None:
    record = _WRONG_PAYOUTS[name]
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps(record), type=LedgerRecord)
    assert not _validator("ledger.movements").is_valid(record)


def test_a_balance_without_its_sequence_is_refused_by_both() -> None:
    record = {**EXAMPLES[LedgerBalance]}
    del record["ledger_sequence"]
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps(record), type=LedgerBalance)
    assert not _validator("ledger.balances").is_valid(record)


@pytest.mark.parametrize(
    ("topic", "message"),
    [
        ("bank.notifications", "camt.054"),
        ("bank.reports", "camt.052"),
        ("bank.statements", "camt.053"),
    ],
)
def test_the_example_of_a_topic_is_the_message_it_carries(topic: str, message: str) -> None:
    document = etree.fromstring(XML_EXAMPLES[topic].encode())
    assert etree.QName(document).namespace == f"urn:iso:std:iso:20022:tech:xsd:{message}.001.08"
    assert document.findtext(".//{*}Ntry/{*}Amt") == EXAMPLES[LEDGER_RECORD_TYPES[0]]["amount"]


@pytest.mark.parametrize("example", XML_EXAMPLES.values(), ids=XML_EXAMPLES)
def test_an_example_is_what_a_bank_could_have_sent(example: str) -> None:
    message = reader.read(example.encode())
    assert message.findings == ()
    (report,) = message.reports
    assert balance_of(report).difference in (None, 0)


def test_the_asyncapi_document_names_every_topic_and_leads_nowhere_wrong() -> None:
    document = json.loads((ROOT / "topics/asyncapi.json").read_bytes())
    assert document["asyncapi"] == "3.0.0"
    assert set(document["channels"]) == {contract.name for contract in CATALOGUE}
    actions = {
        operation["channel"]["$ref"].rpartition("/")[2]: operation["action"]
        for operation in document["operations"].values()
    }
    assert actions == {c.name: "receive" if c.direction == "input" else "send" for c in CATALOGUE}
    for reference in _references(document):
        found = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def test_the_page_shows_every_topic_with_its_key_and_promise() -> None:
    page = (ROOT / "docs/reference/topics.md").read_text()
    for contract in CATALOGUE:
        assert f"\n## {contract.name}\n" in page
        assert contract.promise in page
        assert contract.key in page
    assert by_name("bank.notifications").aliases[0] in page
