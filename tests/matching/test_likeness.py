"""A reference that somebody copied wrongly ranks what a person is asked, and proves nothing."""

import pytest
from matching_notation import RULES, bank, ledger, matched
from msgspec.structs import replace

from recon_streams.matching.likeness import seems_to_tell


def test_a_misspelled_reference_says_which_of_equal_amounts_to_ask_about() -> None:
    answer = matched(
        [bank(1, "100", remittance="payuot 8841 thanks"), bank(3, "100", remittance="thanks")],
        [ledger(2, "100", ref="PAYOUT-8841"), ledger(4, "100", ref="PAYOUT-8842")],
    )
    assert not answer.matches
    (one, *_) = answer.suggestions
    assert (one.bank, one.ledger, one.score) == ((bank(1, "100").key,), (ledger(2, "100").key,), 80)
    assert "reference alike in the remittance" in one.because


def test_no_weight_makes_a_match_of_what_is_only_alike() -> None:
    assert RULES.composite is not None
    rules = replace(RULES, composite=replace(RULES.composite, remittance_alike=100))
    answer = matched(
        [bank(1, "100", remittance="payuot 8841")], [ledger(2, "100", ref="PAYOUT-8841")], rules
    )
    assert not answer.matches
    assert [each.score for each in answer.suggestions] == [rules.levels.auto_confirm - 1]


@pytest.mark.parametrize(
    ("text", "is_alike"),
    [
        ("Payout 8841", True),
        ("PAYUOT/8841", True),
        ("pay out 88 41", True),
        ("for PAYOUT8841, urgent", True),
        ("PAYOUT-8842", False),
        ("PAYOUT-8814", False),
        ("PAYOUT-88410", False),
        ("REFUND-8841", False),
        ("8841", False),
        ("", False),
    ],
)
def test_a_text_is_alike_to_a_reference_if_its_digits_are_the_same(
    text: str, *, is_alike: bool
) -> None:
    assert seems_to_tell(text, "PAYOUT-8841", percent_min=80) is is_alike
