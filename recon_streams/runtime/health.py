"""The side server: metrics and health, up before anything else and without a dependency on it.

Liveness asks only whether the loop turns. Were it to ask for the database, an outage of that would
restart every worker at once; readiness is where such things are said.
"""

import errno
from collections.abc import Callable
from time import monotonic
from typing import Final

from aiohttp import web

from recon_streams.runtime.metrics import Metrics
from recon_streams.runtime.problems import AddressInUse

LOOP_SECONDS_MAX: Final = 5.0

Check = Callable[[], str | None]


class SideServer:
    """Serves `/metrics`, `/livez`, `/readyz` and `/startupz`."""

    def __init__(self, host: str, port: int, metrics: Metrics) -> None:
        """Prepare; nothing listens before `start`."""
        self._host = host
        self._port = port
        self._metrics = metrics
        self._checks: dict[str, Check] = {}
        self._runner: web.AppRunner | None = None
        self.turned_at = monotonic()
        self.has_started = False

    @property
    def address(self) -> str:
        """Return where it listens."""
        return f"http://{self._host}:{self._port}"

    def add_check(self, name: str, check: Check) -> None:
        """Make readiness depend on `check`, which returns why not, or None."""
        self._checks[name] = check

    async def start(self) -> None:
        """Listen. Raises `AddressInUse`."""
        app = web.Application()
        app.router.add_get("/metrics", self._serve_metrics)
        app.router.add_get("/livez", self._serve_livez)
        app.router.add_get("/readyz", self._serve_readyz)
        app.router.add_get("/startupz", self._serve_startupz)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            if error.errno == errno.EADDRINUSE:
                raise AddressInUse(self._host, self._port) from error
            raise
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close. Idempotent."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve_metrics(self, _request: web.Request) -> web.Response:
        return web.Response(
            body=self._metrics.exposition(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    async def _serve_livez(self, _request: web.Request) -> web.Response:
        still = monotonic() - self.turned_at
        if still > LOOP_SECONDS_MAX:
            return web.json_response({"loop": f"stood still for {still:.0f} s"}, status=503)
        return web.json_response({"loop": "turns"})

    async def _serve_readyz(self, _request: web.Request) -> web.Response:
        reasons = {name: why for name, check in self._checks.items() if (why := check())}
        return web.json_response(reasons or {"ready": True}, status=503 if reasons else 200)

    async def _serve_startupz(self, _request: web.Request) -> web.Response:
        status = 200 if self.has_started else 503
        return web.json_response({"started": self.has_started}, status=status)
