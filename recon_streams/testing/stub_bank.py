"""A bank for tests and benchmarks: a real HTTP server on loopback that answers as it is told to."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
from aiohttp import web

from recon_streams.kernel.clock import utc_now

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


class StubBank:
    """Balances by ledger account, and how they are told.

    Attributes:
        balances: What is booked, as text; an account that is not there is unknown to the bank.
        as_of: The instant of every balance; None is now.
        delay_seconds: Before each answer.
        answering: Takes the place of all that, if set.
        asked: The accounts that were asked for, in order.
        headers: Of the last request.
    """

    def __init__(self) -> None:
        """Begin without accounts; nothing runs before `start`."""
        self.balances: dict[str, str] = {}
        self.as_of: datetime | None = None
        self.delay_seconds = 0.0
        self.answering: Answering | None = None
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}
        self._runner: web.AppRunner | None = None
        self.address = ""

    async def start(self) -> None:
        """Listen on a free port of loopback."""
        app = web.Application()
        app.router.add_get("/accounts/{account}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        _, port = self._runner.addresses[0]
        self.address = f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        """Hear no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def file(self) -> str:
        """Return a connectors.yaml that leads here, by the name `stub`."""
        return (
            f'connectors:\n  stub:\n    address: "{self.address}/accounts/{{account_id}}"\n'
            "    timeout_seconds: 1\n    attempts: 2\n    connections_max: 200\n"
        )

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        account = request.match_info["account"]
        self.asked.append(account)
        self.headers = dict(request.headers)
        if self.answering is not None:
            return await self.answering(request)
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        if account not in self.balances:
            return web.Response(status=404)
        balance = {
            "type": "booked",
            "amount": self.balances[account],
            "currency": "AED",
            "as_of": (self.as_of or utc_now()).isoformat(),
        }
        payload = msgspec.json.encode({"balances": [balance]})
        return web.Response(body=payload, content_type="application/json")
