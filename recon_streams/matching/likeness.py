"""Whether a text seems to mean a reference that its writer did not copy exactly. Pure.

People write "Payout 8841" and "PAYUOT/8841" for "PAYOUT-8841". Letters may be wrong, digits may
not: references are often numbered, and the next one is as like as a misspelling. What is alike
ranks what a person is asked; it never makes a match.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from rapidfuzz import fuzz

# A shorter reference is like too many words.
_CHARACTERS_MIN: Final = 4
# What follows is not looked at: a remittance has 140 characters, or a few times as many.
_WORDS_MAX: Final = 100
_WORD: Final = re.compile(r"[^\W_]+")


def seems_to_tell(text: str | None, reference: str | None, *, percent_min: int) -> bool:
    """Return whether some words of `text`, put together, are alike to `reference`.

    Alike is: with the same digits in the same order, and of the rest at least `percent_min` percent
    (the normalised indel similarity), whatever the capitals and what stands between the words.
    """
    if not text or not reference:
        return False
    wanted = _words_of(reference)
    joined = "".join(wanted)
    if len(joined) < _CHARACTERS_MIN or _digits_of(reference) not in _digits_of(text):
        return False
    digits = _digits_of(reference)
    return any(
        _digits_of(each) == digits and fuzz.ratio(each, joined) >= percent_min
        for each in _runs_of(_words_of(text), len(wanted) + 1)
    )


def _runs_of(words: tuple[str, ...], words_max: int) -> Iterator[str]:
    """Yield neighbouring words put together, up to `words_max` of them."""
    for first in range(len(words)):
        for last in range(first + 1, min(first + words_max, len(words)) + 1):
            yield "".join(words[first:last])


# Each text is held against all references that have its amount.
@lru_cache(maxsize=4096)
def _words_of(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.casefold())[:_WORDS_MAX])


@lru_cache(maxsize=4096)
def _digits_of(text: str) -> str:
    return "".join(filter(str.isdigit, text))
