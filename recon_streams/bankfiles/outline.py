"""What the bytes of a file say before anything in them is understood."""

import re
from typing import Final

from recon_streams.bankfiles.printed import Printed

_DECLARED: Final = re.compile(
    rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})"""
)
_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_HEAD_BYTES: Final = 1024


def mark_of(head: bytes) -> tuple[bytes, str] | None:
    """Return the byte order mark at the start of `head` and the encoding it means."""
    return next(((mark, name) for mark, name in _MARKS if head.startswith(mark)), None)


def outline_of(head: bytes) -> Printed:
    """Return byte order mark and declared encoding of a file that begins with `head`."""
    mark = mark_of(head)
    start = head[:_HEAD_BYTES]
    if mark is not None and mark[1].startswith("utf-16"):
        start = start[len(mark[0]) :].decode(mark[1], "replace").encode("ascii", "replace")
    elif mark is not None:
        start = start[len(mark[0]) :]
    declared = _DECLARED.match(start)
    return {
        "bom": mark is not None,
        "declared_encoding": declared[1].decode("ascii") if declared else None,
    }
