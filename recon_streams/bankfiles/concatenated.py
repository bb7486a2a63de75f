"""Several documents in one file: where each begins, found by a parser and not by searching.

Some banks append one document after another. Only the end of a root element ends a document, so
text that merely looks like a beginning, inside a comment say, is never taken for one.
"""

import io
from collections.abc import Iterable
from typing import BinaryIO, Final
from xml.parsers import expat

from typing_extensions import override

from recon_streams.bankfiles.outline import mark_of

DOCUMENTS_MAX: Final = 10_000
# What the reader takes. A parser keeps every open element, and a file may open millions.
DEPTH_MAX: Final = 256

_SPACE: Final = b" \t\r\n"
_BEGINNINGS: Final = (b"<", b"\xef\xbb\xbf<")
_AFTER_THE_ROOT: Final = frozenset(
    {
        expat.errors.codes[expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT],
        expat.errors.codes[expat.errors.XML_ERROR_MISPLACED_XML_PI],
        # A byte order mark before the second document.
        expat.errors.codes[expat.errors.XML_ERROR_INVALID_TOKEN],
    }
)


class _Ended(Exception):
    """The document declares a type, or is too deep; whoever reads it refuses it."""


def documents_in(payload: bytes) -> list[bytes]:
    """Return the documents in `payload`, which is one document where it cannot be taken apart."""
    if not _is_xml(payload):
        return [payload]
    starts = starts_of_documents([payload])
    return [payload[a:b] for a, b in zip(starts, [*starts[1:], None], strict=True)]


def starts_of_documents(chunks: Iterable[bytes]) -> list[int]:
    """Return where in the file made of `chunks` each of its documents begins; the first is 0.

    What stands after the last one and is no beginning of a document makes the whole one document,
    which its reader then refuses: nothing of a broken file is taken.
    """
    starts = [0]
    scan = _Scan()
    offset = 0
    for chunk in chunks:
        rest, base = chunk, offset
        while (junk := scan.feed(rest)) is not None:
            rest, base = rest[junk:], base + junk
            skipped = len(rest) - len(rest.lstrip(_SPACE))
            rest, base = rest[skipped:], base + skipped
            if not rest.startswith(_BEGINNINGS) or len(starts) >= DOCUMENTS_MAX:
                return [0]
            starts.append(base)
            scan = _Scan()
        if scan.is_over:
            break
        offset += len(chunk)
    return starts


def _is_xml(payload: bytes) -> bool:
    head = payload[:64]
    mark = mark_of(head)
    return head[len(mark[0]) if mark else 0 :].lstrip(_SPACE).startswith(b"<")


class _Scan:
    """Looks for the end of one document."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._open
        self._parser.EndElementHandler = self._close
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._depth = 0
        self._fed = 0
        self._has_root = False
        self.is_over = False

    def feed(self, chunk: bytes) -> int | None:
        """Return where in `chunk` something stands after the root, or None if nothing does."""
        before = self._fed
        self._fed += len(chunk)
        try:
            self._parser.Parse(chunk)
        except expat.ExpatError as error:
            ended = self._has_root and not self._depth and error.code in _AFTER_THE_ROOT
            if ended and self._parser.ErrorByteIndex >= before:
                return self._parser.ErrorByteIndex - before
            self.is_over = True
        except (_Ended, ValueError, LookupError):
            self.is_over = True
        return None

    def _open(self, _name: str, _attributes: dict[str, str]) -> None:
        if self._depth >= DEPTH_MAX:
            raise _Ended
        self._depth += 1
        self._has_root = True

    def _close(self, _name: str) -> None:
        self._depth -= 1

    def _refuse(self, *_declared: object) -> None:
        raise _Ended


class Window(io.RawIOBase):
    """The bytes of one document inside an open file."""

    def __init__(self, file: BinaryIO, start: int, end: int | None) -> None:
        """Show `file` from `start` to `end`; the file is closed with this."""
        self._file = file
        self._file.seek(start)
        self._left = None if end is None else end - start

    @override
    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    @override
    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # the stub names a type no module exports
        """Fill `buffer` and return how many bytes that were."""
        wanted = len(buffer) if self._left is None else min(len(buffer), self._left)
        piece = self._file.read(wanted)
        buffer[: len(piece)] = piece
        if self._left is not None:
            self._left -= len(piece)
        return len(piece)

    @override
    def close(self) -> None:
        """Close the file too."""
        self._file.close()
        super().close()
