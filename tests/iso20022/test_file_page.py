"""A message that is a page of a larger file says so, and is read as if it were not."""

import pytest

from recon_streams.iso20022.reader import read
from recon_streams.iso20022.values import FilePage
from recon_streams.kernel.refusal import RefusalCode, Refused

_SHA = "ab" * 32
_PAGE = (
    f'<Page xmlns="urn:recon-streams:page:1" file_sha256="{_SHA}" statement="1" number="3" '
    'of="200" balanced="true" entries="1000000" first_entry="10001">'
)


def _wrapped(notification: str, page: str = _PAGE) -> bytes:
    declaration, newline, rest = notification.partition("\n")
    return f"{declaration}{newline}{page}{rest}</Page>".encode()


def test_a_page_reads_as_its_message_and_says_where_it_is_from(notification: str) -> None:
    whole, page = read(notification.encode()), read(_wrapped(notification))
    assert whole.page is None
    assert page.page == FilePage(
        sha256=_SHA,
        statement=1,
        number=3,
        of=200,
        balanced=True,
        entries=1_000_000,
        first_entry=10_001,
    )
    assert (page.reports, page.group_header, page.findings) == (
        whole.reports,
        whole.group_header,
        whole.findings,
    )


def test_whether_the_whole_balances_may_be_unknown(notification: str) -> None:
    page = read(_wrapped(notification, _PAGE.replace('"true"', '"unknown"'))).page
    assert page is not None
    assert page.balanced is None


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        (f' file_sha256="{_SHA}"', "", RefusalCode.MISSING_FIELD, "Page/@file_sha256"),
        (_SHA, _SHA[:-1], RefusalCode.INVALID_IDENTIFIER, "Page/@file_sha256"),
        ('"true"', '"perhaps"', RefusalCode.INVALID_BOOLEAN, "Page/@balanced"),
        ('number="3"', 'number="0"', RefusalCode.OUT_OF_RANGE, "Page/@number"),
        ('number="3"', 'number="201"', RefusalCode.OUT_OF_RANGE, "Page/@number"),
        ('of="200"', 'of="٢٠٠"', RefusalCode.OUT_OF_RANGE, "Page/@of"),
        ('entries="1000000"', 'entries="-1"', RefusalCode.OUT_OF_RANGE, "Page/@entries"),
    ],
)
def test_an_envelope_that_says_nothing_clear_is_refused(
    notification: str, old: str, new: str, code: RefusalCode, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        read(_wrapped(notification, _PAGE.replace(old, new)))
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_page_holds_one_message() -> None:
    with pytest.raises(Refused) as refused:
        read(f"{_PAGE}<A/><B/></Page>".encode())
    assert refused.value.code is RefusalCode.UNKNOWN_MESSAGE


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('number="3" of="200"', 'number="1" of="200"', "Page/@first_entry"),
        ('number="3" of="200"', 'number="200" of="200"', "Page/@entries"),
        ('entries="1000000"', 'entries="10001"', "Page/@entries"),
        ('entries="1000000"', 'entries="10000"', "Page/@entries"),
        ('first_entry="10001"', 'first_entry="1000001"', "Page/@entries"),
    ],
    ids=[
        "the first page begins later",
        "the last page ends before",
        "the last entry is not on the last page",
        "more entries than there are",
        "behind the end",
    ],
)
def test_a_page_whose_entries_are_not_where_it_says_is_refused(
    notification: str, old: str, new: str, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        read(_wrapped(notification, _PAGE.replace(old, new)))
    assert (refused.value.code, refused.value.field) == (RefusalCode.OUT_OF_RANGE, field)
    assert refused.value.rule


def test_the_last_page_ends_with_the_last_entry(notification: str) -> None:
    last = _PAGE.replace('number="3"', 'number="200"').replace("1000000", "10001")
    page = read(_wrapped(notification, last)).page
    assert page is not None
    assert (page.number, page.entries) == (200, 10_001)


def test_a_page_in_a_page_is_refused(notification: str) -> None:
    inner = _wrapped(notification).partition(b"\n")[2].decode()
    for outer in (_PAGE, "<Envelope>"):
        end = "</Page>" if outer is _PAGE else "</Envelope>"
        with pytest.raises(Refused) as refused:
            read(f"{outer}{inner}{end}".encode())
        assert (refused.value.code, refused.value.field) == (RefusalCode.DUPLICATE_FIELD, "Page")
