"""Where in a file its statements and entries stand, in bytes, whatever its encoding.

Only expat says at which byte an element begins. It reads names and depths here; what the elements
mean was decided by the reader, and both must have counted the same entries.
"""

from typing import Final
from xml.parsers import expat

from recon_streams.iso20022.document import BODIES
from recon_streams.iso20022.reader import REPORT_NAMES
from recon_streams.kernel.refusal import RefusalCode, Refused

_REPORTS: Final = frozenset(REPORT_NAMES.values())


class Extent:
    """Where one statement stands, and where its pages are cut.

    Attributes:
        start: The first byte of its start tag.
        cuts: The first byte of the first entry of each page.
        last_entry: The first byte of the end tag of its last entry.
        end: The first byte of its own end tag.
        count: How many entries it has.
        counts: How many entries stand before each cut.
    """

    __slots__ = ("count", "counts", "cuts", "end", "last_entry", "start")

    def __init__(self, start: int) -> None:
        self.start, self.end, self.last_entry, self.count = start, 0, 0, 0
        self.cuts: list[int] = []
        self.counts: list[int] = []

    def open_entry(self, at: int, *, entries_max: int, bytes_max: int) -> None:
        """Count an entry that begins at `at`, on a new page if the last one is full."""
        is_full = not self.cuts or (
            self.count - self.counts[-1] >= entries_max or at - self.cuts[-1] >= bytes_max
        )
        if is_full:
            self.cuts.append(at)
            self.counts.append(self.count)
        self.count += 1


class Offsets:
    """Finds the extents of the statements of one file."""

    def __init__(self, *, entries_max: int, bytes_max: int) -> None:
        """Cut before a page has more than `entries_max` entries or `bytes_max` bytes."""
        self._entries_max, self._bytes_max = entries_max, bytes_max
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._open
        parser.EndElementHandler = self._close
        parser.ordered_attributes = True
        self._parser = parser
        self._depth = 0
        self._report_depth = -1
        self._above = ""
        self._current: Extent | None = None
        self._stranger_at = -1
        self.root = -1
        self.extents: list[Extent] = []

    def feed(self, chunk: bytes) -> None:
        """Take in `chunk`.

        Raises:
            Refused: UNREADABLE_FILE for an encoding in which bytes cannot be counted;
                UNKNOWN_MESSAGE for an element between entries.
        """
        try:
            self._parser.Parse(chunk)
        except (expat.ExpatError, ValueError, LookupError):
            # The message is well-formed: the reader has seen it.
            rule = "a large file is in UTF-8, UTF-16 or an encoding of one byte a character"
            raise Refused(RefusalCode.UNREADABLE_FILE, "", rule) from None

    def _open(self, name: str, _attributes: list[str]) -> None:
        self._depth += 1
        depth = self._depth
        if self._report_depth < 0:
            self._open_before(name)
        elif depth == self._report_depth:
            if name.rpartition(":")[2] in _REPORTS:
                self._current = Extent(self._parser.CurrentByteIndex)
                self._stranger_at = -1
                self.extents.append(self._current)
        elif depth == self._report_depth + 1 and self._current is not None:
            if name == "Ntry" or name.endswith(":Ntry"):
                self._open_entry(self._current)
            elif self._current.count:
                self._stranger_at = self._current.count

    def _open_before(self, name: str) -> None:
        """Look for the first statement, which says how deep all of them are."""
        local = name.rpartition(":")[2]
        if self._depth == 1:
            self.root = self._parser.CurrentByteIndex
        if local in _REPORTS and self._above in BODIES:
            self._report_depth = self._depth
            self._current = Extent(self._parser.CurrentByteIndex)
            self.extents.append(self._current)
        if self._report_depth < 0 and local in BODIES:
            self._above = local

    def _open_entry(self, extent: Extent) -> None:
        if self._stranger_at == extent.count:
            rule = "the entries of a statement stand together, without balances between them"
            raise Refused(RefusalCode.UNKNOWN_MESSAGE, f"[{len(self.extents)}]", rule)
        extent.open_entry(
            self._parser.CurrentByteIndex,
            entries_max=self._entries_max,
            bytes_max=self._bytes_max,
        )

    def _close(self, _name: str) -> None:
        depth = self._depth
        self._depth = depth - 1
        if self._current is None or depth > self._report_depth + 1:
            return
        if depth == self._report_depth + 1:
            if self._stranger_at != self._current.count:
                self._current.last_entry = self._parser.CurrentByteIndex
        elif depth == self._report_depth:
            self._current.end = self._parser.CurrentByteIndex
            self._current = None
