"""A PostgreSQL of our own for a test run: a socket in a private directory, gone afterwards."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

from recon_streams.testing.leash import Leash

_UNPRIVILEGED: Final = ("postgres", "nobody")
_START_SECONDS_MAX: Final = 30


class PostgresUnavailable(Exception):
    """No PostgreSQL can be started here; the message says why."""


class TestPostgres:
    """A PostgreSQL on a socket in a directory of its own, which nobody else may enter.

    Attributes:
        dsn: The DSN of its first database, as the owner of everything.
    """

    __test__ = False  # the name is about what it is, not about pytest collecting it

    def __init__(self) -> None:
        installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=_major)
        if not installed:
            raise PostgresUnavailable("no PostgreSQL under /usr/lib/postgresql")
        self._programs = installed[-1].parent
        # In the system's own directory: a socket's path has room for about a hundred characters.
        self._home = Path(tempfile.mkdtemp(prefix="recon-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._leash: Leash | None = None
        self._as_user: str | None = None
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            self._as_user = next(
                user.pw_name for user in pwd.getpwall() if user.pw_name in _UNPRIVILEGED
            )
            shutil.chown(self._home, self._as_user)
        options: list[str] = ["-A", "trust", "-U", "recon", "-E", "UTF8", "--locale=C.UTF-8", "-k"]
        subprocess.run(  # noqa: S603 - a fixed command
            [str(self._programs / "initdb"), "-D", str(self._home / "data"), *options],
            user=self._as_user,
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
        )
        self.dsn = self.dsn_of("postgres")

    def dsn_of(self, database: str) -> str:
        """Return the DSN of `database`."""
        return f"postgresql://recon@/{database}?host={self._home}"

    def start(self) -> None:
        """Start and wait until it answers. Raises `PostgresUnavailable` if it does not."""
        settings = {"listen_addresses": "", "unix_socket_directories": str(self._home)}
        options = [f"--{name}={value}" for name, value in settings.items()]
        with (self._home / "server.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - a fixed command
                [self._programs / "postgres", "-D", self._home / "data", *options],
                user=self._as_user,
                stdout=log,
                stderr=log,
                cwd="/",
            )
        self._leash = Leash(self._process.pid)
        deadline = time.monotonic() + _START_SECONDS_MAX
        ready = [str(self._programs / "pg_isready"), "-q", "-h", str(self._home)]
        while subprocess.run(ready, check=False).returncode:  # noqa: S603 - a fixed command
            if time.monotonic() > deadline:
                raise PostgresUnavailable((self._home / "server.log").read_text()[-500:])
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop in order: clients are put out, what was committed is safe."""
        assert self._process is not None, "stopped before started"
        self._process.send_signal(signal.SIGINT)
        self._process.wait(_START_SECONDS_MAX)
        if self._leash is not None:
            self._leash.release()

    def restart(self) -> None:
        """Stop in order and start again, with the same address and data."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """Stop and delete everything."""
        self.stop()
        shutil.rmtree(self._home)


def _major(program: Path) -> int:
    return int(program.parent.parent.name)
