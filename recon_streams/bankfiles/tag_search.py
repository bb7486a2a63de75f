"""Where statements and entries stand, by searching for their tags: a tenth of a parser's work.

In a well-formed document every `<` begins markup. So where there are no comments, no CDATA and no
instructions, and where a byte below 128 is a letter of ASCII, each `<Ntry>` that is found is the
start of an entry. This holds for nearly all files of banks. Whatever it cannot be sure of, it says,
and the file is read by `Offsets` instead. Nobody may use what it found before the numbers of
statements and entries are those of the reader, which must have met no other elements of these
names: then no tag can have been spelled in another way.
"""

import re
from collections.abc import Callable
from typing import Final

from recon_streams.bankfiles.offsets import Extent

_ENTRY: Final = b"<Ntry>"
_ENTRY_END: Final = b"</Ntry>"
_PROLOG: Final = re.compile(rb"(?:\xef\xbb\xbf)?(?:<\?xml[^<>?]*\?>)?\s*(?=<[A-Za-z_])")
_PROLOG_BYTES_MAX: Final = 1_000
_ENCODING: Final = re.compile(rb"""encoding\s*=\s*["']([^"']*)["']""")
_ASCII_BELOW_128: Final = re.compile(
    rb"utf-?8|us-ascii|ascii|latin-?1|iso-?8859-[0-9]{1,2}|windows-125[0-9]", re.IGNORECASE
)


class TagSearch:
    """Searches one file, which the reader has found to be well-formed.

    Attributes:
        root: The first byte of the root element.
        extents: Where the statements stand.
    """

    def __init__(self, report_name: str, *, entries_max: int, bytes_max: int) -> None:
        """Cut before a page has more than `entries_max` entries or `bytes_max` bytes."""
        self._entries_max, self._bytes_max = entries_max, bytes_max
        self._start = f"<{report_name}>".encode()
        self._end = f"</{report_name}>".encode()
        # Bytes that were not searched to their end, and where they begin in the file.
        self._data, self._base = b"", 0
        self._step: Callable[[int], int] = self._before_root
        self._is_waiting = False
        self.root = -1
        self.extents: list[Extent] = []

    def feed(self, chunk: bytes) -> None:
        """Take in `chunk`."""
        self._data += chunk
        at = 0
        self._is_waiting = False
        while not self._is_waiting:
            at = self._step(at)
        # The declaration of XML itself stands before the root.
        inside = max(self.root - self._base, 0)
        if self.root >= 0 and any(self._data.find(each, inside) >= 0 for each in (b"<!", b"<?")):
            self._step = self._give_up
        self._base += at
        self._data = self._data[at:]

    def finds(self, counts: list[int]) -> bool:
        """Whether it is sure of all that it found, which is these numbers of entries."""
        if self._step != self._before_report:
            return False
        return [extent.count for extent in self.extents] == counts

    def _before_root(self, at: int) -> int:
        prolog = _PROLOG.match(self._data)
        if prolog is None:
            self._is_waiting = True
            if len(self._data) > _PROLOG_BYTES_MAX:
                self._step = self._give_up
            return at
        encoding = _ENCODING.search(prolog[0])
        if encoding is not None and not _ASCII_BELOW_128.fullmatch(encoding[1]):
            self._step = self._give_up
            return at
        self.root = prolog.end()
        self._step = self._before_report
        return self.root

    def _before_report(self, at: int) -> int:
        found = self._data.find(self._start, at)
        if found < 0:
            return self._wait_for(self._start, at)
        self.extents.append(Extent(self._base + found))
        self._step = self._around_entries
        return found + len(self._start)

    def _around_entries(self, at: int) -> int:
        """Look for the first entry of a statement, or, after its last one, for its end."""
        extent = self.extents[-1]
        end = self._data.find(self._end, at)
        entry = self._data.find(_ENTRY, at, end if end >= 0 else len(self._data))
        if entry >= 0:
            # What stands between two entries would be lost with the page that it is not on.
            return self._give_up(at) if extent.count else self._open_entry(entry)
        if end < 0:
            return self._wait_for(self._end, at)
        extent.end = self._base + end
        self._step = self._before_report
        return end + len(self._end)

    def _open_entry(self, at: int) -> int:
        self.extents[-1].open_entry(
            self._base + at, entries_max=self._entries_max, bytes_max=self._bytes_max
        )
        self._step = self._in_entry
        return at + len(_ENTRY)

    def _in_entry(self, at: int) -> int:
        end = self._data.find(_ENTRY_END, at)
        if end < 0:
            return self._wait_for(_ENTRY_END, at)
        self.extents[-1].last_entry = self._base + end
        self._step = self._after_entry
        return end + len(_ENTRY_END)

    def _after_entry(self, at: int) -> int:
        following = self._data.find(b"<", at)
        if following < 0 or len(self._data) - following < len(_ENTRY):
            self._is_waiting = True
            return len(self._data) if following < 0 else following
        if self._data.startswith(_ENTRY, following):
            return self._open_entry(following)
        self._step = self._around_entries
        return following

    def _give_up(self, _at: int) -> int:
        self._step = self._give_up
        self._is_waiting = True
        return len(self._data)

    def _wait_for(self, tag: bytes, at: int) -> int:
        """Keep what may be the beginning of `tag`."""
        self._is_waiting = True
        return max(at, len(self._data) - len(tag) + 1)
