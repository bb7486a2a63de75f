"""The public samples: those in this repository, and those beside it where they are."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

OWN = Path(__file__).parents[1] / "data" / "camt"
# Samples whose licence keeps them out of this repository are tested where they lie beside it.
BESIDE = Path(__file__).parents[3] / "shared" / "data" / "camt"
CAMT = BESIDE if (BESIDE / "expected.json").is_file() else OWN
EXPECTED: dict[str, Any] = json.loads((CAMT / "expected.json").read_text(encoding="utf-8"))


def _documents() -> Iterator[str]:
    yield from (name for name in sorted(EXPECTED["files"]) if name.endswith(".xml"))


def _messages() -> Iterator[str]:
    files = EXPECTED["files"]
    yield from (name for name in sorted(files) if "messages" in files[name]["expected"])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that asks for a sample on each of them."""
    if "camt_sample" in metafunc.fixturenames:
        metafunc.parametrize("camt_sample", list(_documents()))
    if "mt_sample" in metafunc.fixturenames:
        metafunc.parametrize("mt_sample", list(_messages()))


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of the samples."""
    return CAMT / "public"


@pytest.fixture(scope="session")
def expected() -> dict[str, Any]:
    """What the samples say, worked out apart from this program."""
    return EXPECTED
