"""The embedded PostgreSQL for a test run: one server, any number of databases, gone afterwards."""

import secrets
import shutil
import tempfile
from pathlib import Path

from recon_streams.embedded.access import DATABASE
from recon_streams.embedded.postgres import EmbeddedPostgres


class TestPostgres:
    """The product's own supervisor over a temporary directory, so that each run tests it too.

    Attributes:
        dsn: The DSN of its first database, as the owner of everything.
    """

    __test__ = False  # the name is about what it is, not about pytest collecting it

    def __init__(self) -> None:
        # Not below pytest's directory, which is closed to the user that runs the server.
        self._home = Path(tempfile.gettempdir()) / f"recon-pg-{secrets.token_hex(6)}"
        self._server = EmbeddedPostgres(self._home)
        self.dsn = self._server.dsn

    def dsn_of(self, database: str) -> str:
        """Return the DSN of `database`."""
        return self.dsn.replace(f"/{DATABASE}?", f"/{database}?")

    async def start(self) -> None:
        """Start and wait until it answers; the server dies with the thread that does this."""
        await self._server.start()

    async def stop(self) -> None:
        """Stop in order: clients are put out, what was committed is safe."""
        await self._server.stop()

    async def restart(self) -> None:
        """Stop in order and start again, with the same address and data."""
        await self.stop()
        await self.start()

    def kill(self) -> None:
        """End the server as a power cut would."""
        self._server.kill()

    async def remove(self) -> None:
        """Stop and delete everything."""
        await self.stop()
        shutil.rmtree(self._home)
