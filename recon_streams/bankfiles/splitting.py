"""A statement too large for one record, cut into pages of the bank's own bytes.

The file is read in pieces, three times: to find out what each statement adds up to, then where its
entries stand, then to copy. A page is the head of the file and of the statement, some entries, and
the tags that close them, byte for byte and in the file's encoding, inside an envelope that says
which page of how many it is and whether the whole statement balances.
"""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from typing import BinaryIO, Final, TypedDict

import msgspec
from typing_extensions import override

from recon_streams.bankfiles.delivery import Open
from recon_streams.bankfiles.offsets import Extent, Offsets
from recon_streams.bankfiles.tag_search import TagSearch
from recon_streams.iso20022.file_page import PAGE_NAMESPACE
from recon_streams.iso20022.reader import REPORT_NAMES
from recon_streams.iso20022.safe_xml import Element
from recon_streams.iso20022.streaming import Listener, read_stream
from recon_streams.iso20022.values import Entry, Report
from recon_streams.kernel.refusal import RefusalCode, Refused
from recon_streams.statements.equation import currency_of, ends_of, equation_of
from recon_streams.statements.tally import Tally

ENTRIES_MAX: Final = 5_000
PAGE_BYTES_MAX: Final = 4_000_000

# The head of a file and of a statement goes into every page.
_HEAD_BYTES_MAX: Final = 1_000_000
_CHUNK: Final = 1 << 18


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One statement of a file that is to be cut.

    Attributes:
        account: Identification of the account, "" if it has none.
        balanced: Whether it adds up; None where nothing says so.
        extent: Where it stands.
    """

    account: str
    balanced: bool | None
    extent: Extent


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How a file is to be cut.

    Attributes:
        message: camt.052, camt.053 or camt.054.
        sha256: Of the file.
        bytes: Its size.
        root: The first byte of its root element.
        statements: In the order of the file.
    """

    message: str
    sha256: str
    bytes: int
    root: int
    statements: tuple[Statement, ...]

    @property
    def is_whole(self) -> bool:
        """Whether the file is small enough to be one record."""
        entries = sum(statement.extent.count for statement in self.statements)
        return entries <= ENTRIES_MAX and self.bytes <= PAGE_BYTES_MAX


class _Limits(TypedDict):
    """What a page may hold."""

    entries_max: int
    bytes_max: int


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One record: the account it is about and its bytes."""

    account: str
    payload: bytes


def plan_of(
    opened: Open, *, entries_max: int = ENTRIES_MAX, bytes_max: int = PAGE_BYTES_MAX
) -> Plan:
    """Return how to cut the file that `opened` opens.

    Raises:
        Refused: As the reader of large files, and for an encoding or an order of elements that
            cannot be cut.
    """
    sums = _Sums()
    digest = hashlib.sha256()
    size = 0

    def chunks() -> Iterator[bytes]:
        nonlocal size
        for chunk in _chunks_of(opened):
            size += len(chunk)
            digest.update(chunk)
            yield chunk

    message = read_stream(chunks(), listener=sums, keeps_entries=False)
    limits = _Limits(entries_max=entries_max, bytes_max=bytes_max)
    places = _places_of(opened, REPORT_NAMES[message.message], sums, limits)
    statements = tuple(
        Statement(account=report.account.identification, balanced=balanced, extent=extent)
        for report, balanced, extent in zip(
            message.reports, sums.balanced, places.extents, strict=True
        )
    )
    return Plan(
        message=message.message,
        sha256=digest.hexdigest(),
        bytes=size,
        root=places.root,
        statements=statements,
    )


def _places_of(
    opened: Open, report_name: str, sums: "_Sums", limits: _Limits
) -> TagSearch | Offsets:
    """Return where the statements stand that the reader has seen."""
    search = TagSearch(report_name, **limits)
    if not sums.has_strangers:
        for chunk in _chunks_of(opened):
            search.feed(chunk)
        if search.finds(sums.counts):
            return search
    offsets = Offsets(**limits)
    for chunk in _chunks_of(opened):
        offsets.feed(chunk)
    counts = [extent.count for extent in offsets.extents]
    assert counts == sums.counts, "both parsers find the same entries"
    return offsets


def _chunks_of(opened: Open) -> Iterator[bytes]:
    with closing(opened()) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def pages_of(opened: Open, plan: Plan) -> Iterator[Page]:
    """Yield the pages of the file that `opened` opens, one in memory at a time.

    Raises:
        Refused: TOO_LARGE for a head that would fill every page.
    """
    with closing(opened()) as file:
        cutter = _Cutter(file, plan)
        for number, statement in enumerate(plan.statements, start=1):
            yield from cutter.cut(number, statement)


class _Sums(Listener):
    """Adds up each statement while it streams by."""

    def __init__(self) -> None:
        self.counts: list[int] = []
        self.balanced: list[bool | None] = []
        self.has_strangers = False
        self._count = 0
        self._tallies: dict[str, Tally] = {}

    @override
    def see_entry(self, element: Element, entry: Entry | None) -> None:
        self._count += 1
        if entry is not None:
            tally = self._tallies.get(entry.currency)
            if tally is None:
                tally = self._tallies[entry.currency] = Tally(entry.currency)
            tally.add(entry)

    @override
    def see_stranger(self) -> None:
        self.has_strangers = True

    @override
    def see_report(self, element: Element, report: Report | None) -> None:
        if report is not None:
            currency = currency_of(report) or next(iter(self._tallies), None)
            tally = self._tallies.get(currency or "") or Tally(currency)
            equation = equation_of(ends_of(report.balances, currency), tally)
            has_both = equation.difference is not None
            self.counts.append(self._count)
            self.balanced.append(equation.is_exact if has_both else None)
        self._count, self._tallies = 0, {}


class _Cutter:
    """Copies pieces of one file."""

    def __init__(self, file: BinaryIO, plan: Plan) -> None:
        self._file, self._plan = file, plan
        first = plan.statements[0].extent.start
        last_end = self._after_tag(plan.statements[-1].extent.end)
        self._prolog = self._piece(0, plan.root)
        self._head = self._piece(plan.root, first)
        self._tail = self._piece(last_end, plan.bytes)
        self._encoding = _encoding_of(self._head or self._piece(plan.root, plan.root + 4))

    def cut(self, number: int, statement: Statement) -> Iterator[Page]:
        """Yield the pages of one statement."""
        extent = statement.extent
        end = self._after_tag(extent.end)
        cuts = extent.cuts or [end]
        head = self._piece(extent.start, cuts[0])
        stop = self._after_tag(extent.last_entry) if extent.count else end
        rest = self._piece(stop, end)
        pages = [*cuts, stop]
        for index, start in enumerate(cuts):
            envelope = self._envelope(number, statement, index)
            entries = self._read(start, pages[index + 1])
            middle = (self._head, head, entries, rest, self._tail)
            payload = b"".join((self._prolog, envelope, *middle, self._text("</page:Page>")))
            yield Page(account=statement.account, payload=payload)

    def _envelope(self, number: int, statement: Statement, index: int) -> bytes:
        # With a prefix: a default namespace would become that of a message without one.
        extent = statement.extent
        before = extent.counts[index] if extent.counts else 0
        balanced = {True: "true", False: "false", None: "unknown"}[statement.balanced]
        return self._text(
            f'<page:Page xmlns:page="{PAGE_NAMESPACE}" file_sha256="{self._plan.sha256}" '
            f'statement="{number}" number="{index + 1}" of="{max(len(extent.cuts), 1)}" '
            f'balanced="{balanced}" entries="{extent.count}" first_entry="{before + 1}">'
        )

    def _text(self, text: str) -> bytes:
        return text.encode(self._encoding)

    def _piece(self, start: int, end: int) -> bytes:
        """Return bytes that go into every page."""
        if end - start > _HEAD_BYTES_MAX:
            rule = f"what stands around the entries has at most {_HEAD_BYTES_MAX} bytes"
            raise Refused(RefusalCode.TOO_LARGE, "", rule)
        return self._read(start, end)

    def _read(self, start: int, end: int) -> bytes:
        self._file.seek(start)
        return self._file.read(max(end - start, 0))

    def _after_tag(self, at: int) -> int:
        """Return the byte after the end tag that begins at `at`; it holds no other `>`."""
        tag = self._read(at, at + 1024)
        # In UTF-16 the sign is two bytes, and the byte itself may be half of a letter.
        step = 2 if b"\x00" in tag[:2] else 1
        wanted = b">" if step == 1 else b">\x00" if tag[:1] == b"<" else b"\x00>"
        for place in range(0, len(tag), step):
            if tag[place : place + step] == wanted:
                return at + place + step
        raise Refused(RefusalCode.TOO_LARGE, "", "a tag within 1024 bytes")


def _encoding_of(head: bytes) -> str:
    """Return how to write ASCII among the bytes of a file whose root begins with `head`."""
    return {b"<\x00": "utf-16-le", b"\x00<": "utf-16-be"}.get(head[:2], "ascii")
