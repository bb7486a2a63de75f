"""What `inspect` says of bank files that nobody here wrote, against figures it did not compute."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recon_streams.bankfiles.delivery import delivered_in
from recon_streams.bankfiles.inspection import inspect_bytes, inspect_delivered

_REFUSED = {
    "genkgo__camt/camt053.v2.wrong.xml": "MISSING_FIELD",
    "hbci4j__hbci4java/test-camt-parse-5200108-invalid-saldo.xml": "AMOUNT_TOO_PRECISE",
    "hbci4j__hbci4java/test-camt-parse-none.xml": "MISSING_FIELD",
    "svapnil__iso20022.js/bank_of_montreal/camt053_v2_2.xml": "NOT_WELL_FORMED",
    "viafintech__camt_parser/052/valid_namespace.xml": "UNKNOWN_MESSAGE",
}
# In words of other libraries, or what no bank's file needs.
_UNCOMPARED = {"features", "xsd_first_error", "xsd_errors", "parse_error", "error"}


def _departures(found: Any, expected: Any, path: str = "") -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in expected.keys() - _UNCOMPARED:
            if name in found:
                yield from _departures(found[name], expected[name], f"{path}/{name}")
            else:
                yield f"{path}/{name}: missing"
    elif isinstance(expected, list) and isinstance(found, list) and len(found) == len(expected):
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            yield from _departures(one, other, f"{path}/{number}")
    elif found != expected or type(found) is not type(expected):
        yield f"{path}: {found!r}, expected {expected!r}"


def test_a_camt_sample_agrees_to_the_last_digit(
    camt_sample: str, samples: Path, expected: dict[str, Any]
) -> None:
    figures = expected["files"][camt_sample]["expected"]
    found: Any = inspect_bytes((samples / camt_sample).read_bytes())
    if "statements" not in figures:
        # A Document without a body: there is nothing to validate it for.
        figures = {name: figures[name] for name in figures.keys() - {"xsd_valid"}}
    assert list(_departures(found, figures)) == []


def test_samples_are_refused_that_must_be_and_no_other(camt_sample: str, samples: Path) -> None:
    found: Any = inspect_bytes((samples / camt_sample).read_bytes())
    assert found.get("refused", {}).get("code") == _REFUSED.get(camt_sample)
    assert ("findings" in found) != ("refused" in found)


def test_a_statement_that_does_not_balance_says_by_how_much(
    camt_sample: str, samples: Path, expected: dict[str, Any]
) -> None:
    found: Any = inspect_bytes((samples / camt_sample).read_bytes())
    if "findings" not in found:
        return
    noted = {f["path"] for f in found["findings"] if f["code"] == "STATEMENT_UNBALANCED"}
    for number, figures in enumerate(expected["files"][camt_sample]["expected"]["statements"], 1):
        if figures["balance_check"] is False:
            assert any(path.endswith(f"[{number}]") for path in noted)


def test_members_of_a_zip_are_files_of_their_own(samples: Path, expected: dict[str, Any]) -> None:
    for name, file in expected["files"].items():
        members = file["expected"].get("zip_members", {})
        found = {
            each.name.rpartition("!")[2]: inspect_delivered(each).shown
            for each in delivered_in([samples / name])
            if members
        }
        assert found.keys() == members.keys()
        for member, figures in members.items():
            assert list(_departures(found[member], figures)) == []


def test_an_mt_sample_agrees_to_the_last_digit(
    mt_sample: str, samples: Path, expected: dict[str, Any]
) -> None:
    found = inspect_bytes((samples / mt_sample).read_bytes())
    assert list(_departures(found, expected["files"][mt_sample]["expected"])) == []


def test_an_mt_sample_is_read_unless_something_stands_behind_its_closing(
    mt_sample: str, samples: Path
) -> None:
    refused: Any = inspect_bytes((samples / mt_sample).read_bytes()).get("refused")
    if mt_sample == "railslove__cmxl/mt940-headers.txt":
        assert (refused["code"], refused["field"]) == (
            "INVALID_AMOUNT",
            "Message[1]/FinalClosingBalance",
        )
    else:
        assert refused is None
