"""A refusal shows what was found so that it can be seen and harms nobody who reads it."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from recon_streams.kernel.disposition import Disposition, Held, quarantined
from recon_streams.kernel.refusal import RefusalCode, Refused, excerpt


@given(st.text(max_size=100), st.integers(1, 60))
def test_an_excerpt_is_one_printable_line_of_ascii(text: str, length_max: int) -> None:
    shown = excerpt(text, length_max)
    assert shown.removesuffix("…").isascii()
    assert shown.isprintable()
    assert shown.endswith("…") == (len(text) > length_max)
    assert len(shown) <= length_max * len("\\U0001f600") + 1


def test_a_full_width_digit_can_be_told_from_a_digit() -> None:
    assert excerpt("1２\n") == "1\\uff12\\x0a"  # noqa: RUF001 - the point


def test_half_of_a_surrogate_pair_can_be_shown() -> None:
    assert excerpt("\ud800") == "\\ud800"


def test_a_refusal_says_where_and_what_would_have_been_right() -> None:
    refusal = Refused(RefusalCode.INVALID_AMOUNT, "/amount", "digits only", "five")
    assert str(refusal) == "INVALID_AMOUNT at /amount: digits only"
    assert str(Refused(RefusalCode.NOT_JSON, "", "JSON")) == "NOT_JSON at the message: JSON"


def test_a_refusal_becomes_a_value_that_is_kept() -> None:
    held = Held.of(Refused(RefusalCode.INVALID_AMOUNT, "/amount", "digits only", "five"))
    outcome = quarantined(held, events=2)
    assert outcome.disposition is Disposition.QUARANTINED
    assert outcome.events == 2
    assert msgspec.json.decode(msgspec.json.encode(outcome.held), type=list[Held]) == [held]
