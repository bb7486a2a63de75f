"""The blocks of the how-to page, so that what is tested is what is read."""

import re
from collections.abc import Callable

import pytest

from topics.contracts import ROOT

HOW_TO = ROOT / "docs/how-to/publish-ledger-events.md"


@pytest.fixture
def how_to_blocks() -> Callable[[str], list[str]]:
    """Return the code blocks of the page in one language, in order."""

    def blocks(language: str) -> list[str]:
        return re.findall(
            rf"^```{language}\n(.*?)^```$", HOW_TO.read_text(), re.MULTILINE | re.DOTALL
        )

    return blocks
