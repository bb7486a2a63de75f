"""A bank's file made into records, in a process of its own where it is large.

Reading a statement of a million entries takes half a minute of pure computing. In a thread it would
keep the interpreter from the renewal of the lease, and a publisher that loses its lease for a large
file publishes nothing at all. So a large file is cut by a child, which writes one record after the
other into a pipe and waits while nobody takes them. It may use only so much memory and time, and it
ends when its parent does, however that ends: it holds the other end of a pipe that then closes.
"""

import os
import resource
import struct
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO, Final

import msgspec
import structlog

from recon_streams.bankfiles.delivery import delivered_in
from recon_streams.bankfiles.publishing import Outgoing, outgoing_of
from recon_streams.kernel.refusal import RefusalCode, Refused

_log = structlog.get_logger()

# Below this a file is read in less time than a process takes to start.
OWN_PROCESS_BYTES_MIN: Final = 500_000

# A document of 50 MB is a tree of some 600 MB; a larger one is read in pieces.
_MEMORY_BYTES_MAX: Final = 3_000_000_000
# The largest file that is accepted takes some ten minutes.
_CPU_SECONDS_MAX: Final = 3_600
_NICENESS: Final = 5


class Unread(msgspec.Struct, frozen=True):
    """One document of a file that is refused, and why."""

    name: str
    reason: str


Found = Outgoing | Unread

# What a child sends: the kind and the size of what follows.
_HEAD: Final = struct.Struct(">cI")
_RECORD: Final = b"R"
_UNREAD: Final = b"U"
_END: Final = b"E"
_KINDS: Final[dict[bytes, type[Found]]] = {_RECORD: Outgoing, _UNREAD: Unread}


def cut(path: Path) -> Iterator[Found]:
    """Yield the records of the file at `path`, one in memory at a time."""
    for delivered in delivered_in([path]):
        try:
            yield from outgoing_of(delivered)
        except Refused as refusal:
            name = delivered.name.removeprefix(f"{path.parent}/")
            where = f" at {refusal.field}" if refusal.field else ""
            yield Unread(name, f"{refusal.code}{where}: {refusal.rule}")


class Cutting:
    """One file while it is cut; to be closed, which also ends the child."""

    def __init__(self, path: Path, *, process_bytes_min: int = OWN_PROCESS_BYTES_MIN) -> None:
        """Cut the file at `path`, in a process of its own if it has `process_bytes_min` bytes."""
        self._path = path
        self._process_bytes_min = process_bytes_min
        self._starting = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False

    @property
    def process_id(self) -> int | None:
        """The child's, if there is a child."""
        return self._process.pid if self._process else None

    def found(self) -> Iterator[Found]:
        """Yield what `cut` yields. It blocks, so it is not for the event loop.

        A child that ends before the file does leaves the file unread: if it were tried again, it
        would end again, and no other file would ever be taken.
        """
        process = self._started() if self._is_large() else None
        if process is None:
            if not self._is_closed:
                yield from cut(self._path)
            return
        assert process.stdout is not None, "it was asked for"
        assert process.stdin is not None, "it was asked for"
        with process.stdout, process.stdin:
            is_whole = yield from _received(process.stdout)
            process.kill()
            code = process.wait()
        if not is_whole:
            _log.error("file_reader_died", exit_code=code)
            reason = f"{RefusalCode.DECISION_FAILED}: its reader ended with {code} before the file"
            yield Unread(self._path.name, reason)

    def close(self) -> None:
        """End the child, wherever it is."""
        with self._starting:
            self._is_closed = True
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _is_large(self) -> bool:
        try:
            return self._path.stat().st_size >= self._process_bytes_min
        except OSError:
            return False

    def _started(self) -> subprocess.Popen[bytes] | None:
        with self._starting:
            if not self._is_closed:
                self._process = subprocess.Popen(  # noqa: S603 - our own program
                    [sys.executable, "-m", "agents.cutting", str(self._path.absolute())],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
        return self._process


def _received(pipe: IO[bytes]) -> Generator[Found, None, bool]:
    """Yield what a child writes, and return whether it came to its end."""
    while head := pipe.read(_HEAD.size):
        if len(head) < _HEAD.size:
            return False
        kind, size = _HEAD.unpack(head)
        if kind == _END:
            return True
        body = pipe.read(size)
        if len(body) < size:
            return False
        yield msgspec.msgpack.decode(body, type=_KINDS[kind])
    return False


def main() -> None:
    """Write what `cut` yields of the file that is named to the standard output: the child."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS_MAX, _CPU_SECONDS_MAX))
    os.nice(_NICENESS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    output = sys.stdout.buffer
    for each in cut(Path(sys.argv[1])):
        body = msgspec.msgpack.encode(each)
        output.write(_HEAD.pack(_RECORD if isinstance(each, Outgoing) else _UNREAD, len(body)))
        output.write(body)
        output.flush()
    output.write(_HEAD.pack(_END, 0))
    output.flush()


def _end_with_parent() -> None:
    # Nobody writes anything, so this returns when the parent is gone.
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
