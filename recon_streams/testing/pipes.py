"""A way into a place that has no network: TCP on both ends, a Unix socket between, and a valve.

A process in a network namespace of its own reaches nothing but what is piped in. Shutting the valve
cuts it off as a pulled cable does: connections stay open and nothing moves. Opening it again lets
what was on its way arrive late.
"""

import asyncio
import contextlib
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

_CHUNK_BYTES: Final = 65_536
# The inner end: brings the loopback interface up, and pipes each port to the socket named after it.
_INNER: Final = "recon_streams.testing.pipes"


class Pipes:
    """The outer end, in a thread of its own: sockets in `directory`, one for each port."""

    def __init__(self, directory: Path, ports: Sequence[int]) -> None:
        """Pipe to `ports` of 127.0.0.1; open at first."""
        self._directory = directory
        self._ports = ports
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin; returns when connections are taken."""
        self._thread.start()
        assert self._ready.wait(10), "the pipes did not open"

    def stop(self) -> None:
        """End all of it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def cut(self) -> None:
        """Let nothing through, in either direction."""
        self._loop.call_soon_threadsafe(self._open.clear)

    def heal(self) -> None:
        """Let through what comes, and what has waited."""
        self._loop.call_soon_threadsafe(self._open.set)

    def command(self, words: Sequence[str]) -> list[str]:
        """Return the command that runs `words` where only the piped ports can be reached."""
        inner = [sys.executable, "-m", _INNER, str(self._directory), *map(str, self._ports), "--"]
        return ["unshare", "--net", *inner, *words]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._open.set()
        for port in self._ports:
            self._loop.run_until_complete(
                asyncio.start_unix_server(
                    partial(self._pipe, port), self._directory / f"{port}.sock"
                )
            )
        self._ready.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()

    async def _pipe(
        self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await self._open.wait()
        with contextlib.suppress(OSError):
            there = await asyncio.open_connection("127.0.0.1", port)
            await join((reader, writer), there, self._open)


async def join(
    here: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    there: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    valve: asyncio.Event | None = None,
) -> None:
    """Carry bytes both ways until one side ends; only while `valve` is open, if there is one."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(_CHUNK_BYTES):
                if valve is not None:
                    await valve.wait()
                writer.write(chunk)
                await writer.drain()
        writer.close()

    await asyncio.gather(carry(here[0], there[1]), carry(there[0], here[1]))


async def serve_inside(directory: Path, ports: Sequence[int], words: Sequence[str]) -> int:
    """Be the inner end: listen on `ports`, run `words`, and return their exit code."""

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = writer.get_extra_info("sockname")[1]
        with contextlib.suppress(OSError):
            there = await asyncio.open_unix_connection(directory / f"{port}.sock")
            await join((reader, writer), there)

    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)  # noqa: ASYNC221, S607 - once
    for port in ports:
        await asyncio.start_server(pipe, "127.0.0.1", port)
    return await (await asyncio.create_subprocess_exec(*words)).wait()


if __name__ == "__main__":
    split = sys.argv.index("--")
    places = [int(port) for port in sys.argv[2:split]]
    sys.exit(asyncio.run(serve_inside(Path(sys.argv[1]), places, sys.argv[split + 1 :])))
