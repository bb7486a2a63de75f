"""What a bank delivers, taken apart into documents: folders, ZIPs, several documents in one file.

A delivery is hostile until read. Names inside a ZIP are labels and never paths, its size is what
comes out and not what it says, and a ZIP inside a ZIP is not opened.
"""

import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, cast

import msgspec

from recon_streams.bankfiles.concatenated import Window, documents_in, starts_of_documents
from recon_streams.kernel.refusal import RefusalCode, Refused

# An EBICS download has one member per account and day.
MEMBERS_MAX: Final = 10_000
MEMBER_BYTES_MAX: Final = 2_000_000_000
ZIP_BYTES_MAX: Final = 4_000_000_000
# XML of banks shrinks to a tenth or twentieth; a bomb to a thousandth.
RATIO_MAX: Final = 200
# A tiny member may shrink by more than a large one without harm.
RATIO_BYTES_MIN: Final = 1_000_000
# Up to here a file is held in memory and looked at for more than one document.
WHOLE_BYTES_MAX: Final = 4_000_000

_FOLDERS_MAX: Final = 64
_CHUNK: Final = 1 << 20
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP: Final = b"\x1f\x8b"
_ENCRYPTED: Final = 0x1
_NESTED: Final = "a ZIP holds documents, not further archives"

# What unpacking raises for a broken or exotic archive, at its opening or while it is read.
READING_ERRORS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    EOFError,
    OSError,
)
_UNPACKING_ERRORS: Final = (*READING_ERRORS, RuntimeError, ValueError)

Open = Callable[[], BinaryIO]


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """One document as it was delivered.

    Attributes:
        name: The file as it was named to us; `file.zip!member` and `file.xml#2` inside one.
        payload: Its bytes, unless it is large.
        open: Opens it for reading, where it is large.
        refusal: Why it cannot even be opened; then there are no bytes.
    """

    name: str
    payload: bytes | None = None
    open: Open | None = None
    refusal: Refused | None = None


class File(msgspec.Struct, frozen=True):
    """An ordinary file among what was delivered, and what it is called there."""

    path: Path
    name: str


Found = File | Delivered


def files_in(paths: list[Path]) -> Iterator[Found]:
    """Yield every file in `paths`, folders in the order of their names, and what is none."""
    for path in paths:
        yield from _files_at(path, str(path), frozenset())


def delivered_in(paths: list[Path]) -> Iterator[Delivered]:
    """Yield every document in `paths`, folders in the order of their names."""
    for found in files_in(paths):
        if isinstance(found, File):
            yield from _delivered_at(found.path, found.name)
        else:
            yield found


def delivered_as(name: str, payload: bytes) -> Iterator[Delivered]:
    """Yield every document in `payload`, a ZIP or not, delivered as `name`."""
    if payload.startswith(_ZIP):
        yield from _members(name, io.BytesIO(payload))
        return
    if payload.startswith(_GZIP):
        rule = "a file is XML, MT940 or a ZIP of them; unpack it first"
        yield Delivered(name=name, refusal=Refused(RefusalCode.UNKNOWN_MESSAGE, "", rule, "gzip"))
        return
    documents = documents_in(payload)
    if len(documents) == 1:
        yield Delivered(name=name, payload=payload)
        return
    for number, document in enumerate(documents, start=1):
        yield Delivered(name=f"{name}#{number}", payload=document)


def _files_at(path: Path, name: str, above: frozenset[tuple[int, int]]) -> Iterator[Found]:
    try:
        status = path.stat()
        if path.is_dir():
            # A link to a folder above would go round for ever.
            identity = (status.st_dev, status.st_ino)
            if identity in above or len(above) >= _FOLDERS_MAX:
                rule = f"a folder is not inside itself, and at most {_FOLDERS_MAX} deep"
                yield _unopened(name, RefusalCode.TOO_DEEP, rule)
                return
            for each in sorted(path.iterdir()):
                if not each.name.startswith("."):
                    yield from _files_at(each, f"{name}/{each.name}", above | {identity})
        elif path.is_file():
            yield File(path, name)
        else:
            yield _unopened(name, RefusalCode.UNKNOWN_MESSAGE, "an ordinary file or a folder")
    except OSError as error:
        yield _unopenable(name, error)


def _delivered_at(path: Path, name: str) -> Iterator[Delivered]:
    try:
        if path.stat().st_size > WHOLE_BYTES_MAX:
            yield from _large_at(path, name)
            return
        payload = path.read_bytes()
    except OSError as error:
        yield _unopenable(name, error)
        return
    yield from delivered_as(name, payload)


def _unopenable(name: str, error: OSError) -> Delivered:
    # Not the whole message, which would name the file a second time.
    detail = error.strerror or type(error).__name__
    return _unopened(name, RefusalCode.UNREADABLE_FILE, "a file that can be opened", detail)


def _large_at(path: Path, name: str) -> Iterator[Delivered]:
    with path.open("rb") as file:
        if file.read(4).startswith(_ZIP):
            file.seek(0)
            yield from _members(name, file)
            return
    yield from _large(name, lambda: path.open("rb"))


def _large(name: str, opened: Open) -> Iterator[Delivered]:
    with opened() as file:
        head = file.read(4)
    if head.startswith((*_ZIP, _GZIP)):
        yield _unopened(name, RefusalCode.TOO_DEEP, _NESTED)
        return
    with opened() as file:
        starts = starts_of_documents(iter(lambda: file.read(_CHUNK), b""))
    if len(starts) == 1:
        yield Delivered(name=name, open=opened)
        return
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], None], strict=True), start=1):
        yield Delivered(name=f"{name}#{number}", open=_window(opened, start, end))


def _window(opened: Open, start: int, end: int | None) -> Open:
    def opened_there() -> BinaryIO:
        return cast("BinaryIO", io.BufferedReader(Window(opened(), start, end)))

    return opened_there


def _members(name: str, file: BinaryIO) -> Iterator[Delivered]:
    try:
        with zipfile.ZipFile(file) as archive:
            members = [each for each in archive.infolist() if not each.is_dir()]
            _check(members)
            for member in members:
                yield from _member(name, archive, member)
    except Refused as refusal:
        yield Delivered(name=name, refusal=refusal)
    except _UNPACKING_ERRORS as error:
        rule = "a ZIP whose directory can be read"
        yield _unopened(name, RefusalCode.UNREADABLE_FILE, rule, type(error).__name__)


def _check(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MEMBERS_MAX:
        rule = f"at most {MEMBERS_MAX} members"
        raise Refused(RefusalCode.TOO_LARGE, "", rule, f"{len(members)} members")
    if sum(each.file_size for each in members) > ZIP_BYTES_MAX:
        raise Refused(RefusalCode.TOO_LARGE, "", f"at most {ZIP_BYTES_MAX} bytes unpacked")


def _member(name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[Delivered]:
    label = f"{name}!{_label(member.filename)}"
    try:
        _check_member(member)
        if member.file_size > WHOLE_BYTES_MAX:
            yield from _large(label, lambda: cast("BinaryIO", archive.open(member)))
            return
        # What is read ends at the size that the ZIP says, and its checksum must agree.
        payload = archive.read(member)
    except Refused as refusal:
        yield Delivered(name=label, refusal=refusal)
        return
    except _UNPACKING_ERRORS as error:
        rule = "a member that can be unpacked"
        yield _unopened(label, RefusalCode.UNREADABLE_FILE, rule, type(error).__name__)
        return
    if payload.startswith((*_ZIP, _GZIP)):
        yield _unopened(label, RefusalCode.TOO_DEEP, _NESTED)
        return
    yield from delivered_as(label, payload)


def _check_member(member: zipfile.ZipInfo) -> None:
    if member.flag_bits & _ENCRYPTED:
        rule = "a member that is not encrypted"
        raise Refused(RefusalCode.UNREADABLE_FILE, "", rule)
    if member.file_size > MEMBER_BYTES_MAX:
        rule = f"at most {MEMBER_BYTES_MAX} bytes unpacked"
        raise Refused(RefusalCode.TOO_LARGE, "", rule, f"{member.file_size} bytes")
    packed = max(member.compress_size, 1)
    if member.file_size > RATIO_BYTES_MIN and member.file_size > packed * RATIO_MAX:
        rule = f"unpacks to at most {RATIO_MAX} times its size"
        raise Refused(RefusalCode.TOO_LARGE, "", rule, f"{member.file_size // packed} times")


def _label(name: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in name)[:200]


def _unopened(name: str, code: RefusalCode, rule: str, detail: str = "") -> Delivered:
    return Delivered(name=name, refusal=Refused(code, "", rule, detail))
