"""The page of refusals knows every code, and says for each what its sender should do."""

from pathlib import Path

import pytest

from recon_streams.kernel.refusal import RefusalCode
from recon_streams.kernel.refusal_reference import GROUPS, PAGE, page

ROOT = Path(__file__).resolve().parents[2]


def test_the_committed_page_is_the_generated_one() -> None:
    assert (ROOT / PAGE).read_text(encoding="utf-8") == page()


def test_every_code_is_explained_exactly_once() -> None:
    explained = [code for group in GROUPS.values() for code in group]
    assert sorted(explained) == sorted(RefusalCode)


@pytest.mark.parametrize("code", RefusalCode)
def test_every_code_has_a_heading_to_link_to(code: RefusalCode) -> None:
    assert f"\n### {code.value}\n" in page()


def test_every_code_says_what_it_means_and_what_to_do() -> None:
    for group in GROUPS.values():
        for code, explanation in group.items():
            assert explanation.meaning.endswith(".")
            assert explanation.remedy.endswith(".")
            assert explanation.example or code is RefusalCode.DECISION_FAILED
