"""The envelope of a page: which piece of which file a message was cut from.

A statement of a million entries travels as many records. Each holds the original bytes of the
statement's head and of some of its entries inside a `Page` of the namespace below, whose attributes
are read here.
"""

import re
from collections.abc import Sequence
from typing import Final

from recon_streams.iso20022.safe_xml import Element, local_name, namespace_of
from recon_streams.iso20022.values import PAGE_NUMBER_MAX, FilePage
from recon_streams.kernel.refusal import RefusalCode, Refused

PAGE_NAMESPACE: Final = "urn:recon-streams:page:1"

_SHA256: Final = re.compile("[0-9a-f]{64}")
_NUMBER: Final = re.compile("[0-9]{1,9}")
_PAGES: Final = frozenset({"statement", "number", "of"})
_TRUTH: Final = {"true": True, "false": False, "unknown": None}
_ATTRIBUTES: Final = frozenset(
    ["file_sha256", "statement", "number", "of", "balanced", "entries", "first_entry"]
)


def is_page(element: Element) -> bool:
    """Whether `element` is the envelope of a page."""
    return local_name(element) == "Page" and namespace_of(element) == PAGE_NAMESPACE


def page_of(element: Element) -> FilePage:
    """Return what the envelope at `element` says.

    Raises:
        Refused: MISSING_FIELD, INVALID_IDENTIFIER, INVALID_BOOLEAN or OUT_OF_RANGE.
    """
    for name in _ATTRIBUTES:
        if element.get(name) is None:
            rule = "a page says which file it is of, its number, and of how many"
            raise Refused(RefusalCode.MISSING_FIELD, f"Page/@{name}", rule)
    sha256 = element.get("file_sha256") or ""
    if not _SHA256.fullmatch(sha256):
        rule = "64 hexadecimal digits in lower case"
        raise Refused(RefusalCode.INVALID_IDENTIFIER, "Page/@file_sha256", rule)
    balanced = element.get("balanced") or ""
    if balanced not in _TRUTH:
        raise Refused(RefusalCode.INVALID_BOOLEAN, "Page/@balanced", "true, false or unknown")
    number, of = _number(element, "number", 1), _number(element, "of", 1)
    if number > of:
        raise Refused(RefusalCode.OUT_OF_RANGE, "Page/@number", "at most the number of pages")
    return FilePage(
        sha256=sha256,
        statement=_number(element, "statement", 1),
        number=number,
        of=of,
        balanced=_TRUTH[balanced],
        entries=_number(element, "entries", 0),
        first_entry=_number(element, "first_entry", 1),
    )


def check_extent(page: FilePage, counts: Sequence[int]) -> None:
    """Refuse a page whose entries are not those that its envelope announces.

    Args:
        page: What the envelope says.
        counts: How many entries each report in it has.

    Raises:
        Refused: OUT_OF_RANGE.
    """
    if len(counts) != 1:
        raise Refused(RefusalCode.OUT_OF_RANGE, "Page", "a page is of one statement")
    if page.number == 1 and page.first_entry != 1:
        rule = "the first page begins with the first entry"
        raise Refused(RefusalCode.OUT_OF_RANGE, "Page/@first_entry", rule)
    last = page.first_entry + counts[0] - 1
    if page.number < page.of and (last >= page.entries or not counts[0]):
        rule = "a page that is not the last holds some entries, and not the last one"
        raise Refused(RefusalCode.OUT_OF_RANGE, "Page/@entries", rule, f"through {last}")
    if page.number == page.of and last != page.entries:
        rule = "the last page ends with the last entry"
        raise Refused(RefusalCode.OUT_OF_RANGE, "Page/@entries", rule, f"through {last}")


def _number(element: Element, name: str, least: int) -> int:
    text = element.get(name) or ""
    most = PAGE_NUMBER_MAX if name in _PAGES else 999_999_999
    if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
        rule = f"a whole number from {least} to {most}"
        raise Refused(RefusalCode.OUT_OF_RANGE, f"Page/@{name}", rule)
    return int(text)
