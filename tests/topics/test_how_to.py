"""The how-to page is true: its records are taken in, its links lead somewhere."""

import re
from collections.abc import Callable

import msgspec
import pytest

from recon_streams.kernel.json_text import decode
from topics.contracts import ROOT
from topics.ledger_balances import LedgerBalance
from topics.ledger_movements import LedgerRecord, Payout
from topics.quarantine import QuarantineNotice

Blocks = Callable[[str], list[str]]
PAGES = [
    "docs/how-to/publish-ledger-events.md",
    "docs/reference/topics.md",
    "docs/reference/refusals.md",
]


def test_its_records_are_taken_in(how_to_blocks: Blocks) -> None:
    payout, balance, notice = how_to_blocks("json")
    movements: msgspec.json.Decoder[LedgerRecord] = msgspec.json.Decoder(LedgerRecord)
    assert isinstance(decode(payout.encode(), movements), Payout)
    assert decode(balance.encode(), msgspec.json.Decoder(LedgerBalance)).ledger_sequence == 48229
    assert msgspec.json.decode(notice, type=QuarantineNotice).field == "/amount"


@pytest.mark.parametrize("page", PAGES)
def test_links_inside_the_repository_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = (ROOT / page).parent / path if path else ROOT / page
        assert linked.resolve().exists(), target
        if anchor:
            assert anchor in _anchors(linked.read_text()), target


def _anchors(text: str) -> set[str]:
    """Return the anchors a Markdown page offers, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
