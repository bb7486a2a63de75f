"""A small payout service that lives beside the daemon: it asks before it pays, and pays all day.

It knows of the reconciliation what any payout service knows: the log, the public keys, and its own
name. What it says is told act by act.
"""

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import Final

import msgspec

from recon_streams.client.guard import AsyncBreakerGuard

CLIENT_ID: Final = "demo-payouts"
_EVERY_SECONDS: Final = 0.02


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The payout service was told something else than before.

    Attributes:
        account_id: Whom it wanted to pay for.
        granted: Whether it may.
        reason: Why.
        epoch: The epoch it keeps with the payout.
        paid: Payouts that left under the answer before this one.
        at_seconds: The monotonic instant of the first payout that got this answer.
    """

    account_id: str
    granted: bool
    reason: str
    epoch: int | None
    paid: int
    at_seconds: float


class PayoutService:
    """Pays from every account, fifty times a second, as long as it may."""

    def __init__(self, guard: AsyncBreakerGuard, scopes: Mapping[str, str]) -> None:
        """Ask `guard` for each of `scopes`, by account id."""
        self._guard = guard
        self._scopes = scopes
        self._newest: dict[str, Answer] = {}
        self._paid = dict.fromkeys(scopes, 0)
        self._told: list[Answer] = []
        self._payouts = 0

    async def run(self) -> None:
        """Pay until cancelled."""
        async with self._guard:
            while True:
                for account_id, scope in self._scopes.items():
                    self._pay(account_id, scope)
                await asyncio.sleep(_EVERY_SECONDS)

    def _pay(self, account_id: str, scope: str) -> None:
        self._payouts += 1
        permit = self._guard.permit(scope, payout_id=f"payout-{self._payouts}")
        known = self._newest.get(account_id)
        if known is None or (known.granted, known.reason) != (permit.granted, permit.reason):
            answer = Answer(
                account_id=account_id,
                granted=permit.granted,
                reason=permit.reason,
                epoch=permit.epoch,
                paid=self._paid[account_id],
                at_seconds=monotonic(),
            )
            self._newest[account_id] = answer
            self._told.append(answer)
            self._paid[account_id] = 0
        if permit.granted:
            self._paid[account_id] += 1

    def pays(self, account_id: str) -> bool | None:
        """Return whether it pays from the account now; None if it never asked."""
        known = self._newest.get(account_id)
        return None if known is None else known.granted

    def news(self) -> list[Answer]:
        """Return what it was told since the last call."""
        told, self._told = self._told, []
        return told
