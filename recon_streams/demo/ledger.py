"""The ledger of the scripted day: its records, numbered account by account as a ledger does."""

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from recon_streams.demo.accounts import morning_of

_DUE_AFTER: Final = timedelta(minutes=15)


class Send(msgspec.Struct, frozen=True, kw_only=True):
    """One record, and how a person would call it."""

    topic: str
    key: bytes
    value: bytes
    caption: str


class Ledger:
    """Numbers the ledger's records, account by account."""

    def __init__(self, now: datetime) -> None:
        """Date records on the morning of the day that is played; `now` is when it is played."""
        self._now = now
        self._occurs_at = morning_of(now)
        self._last: dict[str, int] = {}

    def move(
        self, account_id: str, currency: str, kind: str, amount: str, **references: str
    ) -> Send:
        """Return a movement with what the ledger knows of the bank's side of it."""
        fields = {"kind": kind, "amount": amount, **references}
        return self._record(account_id, currency, f"{kind} {amount}", **fields)

    def move_now(self, account_id: str, currency: str, kind: str, amount: str) -> Send:
        """Return a movement that happens while the demo is played, when its day is over."""
        return self._record(
            account_id,
            currency,
            f"{kind} {amount}",
            kind=kind,
            amount=amount,
            occurred_at=self._now,
        )

    def announce(self, account_id: str, currency: str, amount: str, reference: str) -> Send:
        """Return the announcement of a payout."""
        caption = f"announce payout {amount}"
        fields = {"kind": "payout", "amount": amount, "reference": reference}
        return self._record(account_id, currency, caption, due_at=self._now + _DUE_AFTER, **fields)

    def balance(self, account_id: str, currency: str, amount: str) -> Send:
        """Return a statement of the balance through the last movement."""
        number = self._last[account_id] = self._last.get(account_id, 0) + 1
        record = {
            "balance_id": f"bal-{account_id}-{number}",
            "account_id": account_id,
            "currency": currency,
            "amount": amount,
            "as_of": self._next_instant(),
            "ledger_sequence": number,
        }
        return Send(
            topic="ledger.balances",
            key=account_id.encode(),
            value=msgspec.json.encode(record),
            caption=f"the ledger states {amount}",
        )

    def _record(self, account_id: str, currency: str, caption: str, **fields: Any) -> Send:  # noqa: ANN401
        number = self._last[account_id] = self._last.get(account_id, 0) + 1
        record = {
            "movement_id": f"mv-{account_id}-{number}",
            "account_id": account_id,
            "currency": currency,
            "ledger_sequence": number,
            "occurred_at": self._next_instant(),
            **fields,
        }
        return Send(
            topic="ledger.movements",
            key=account_id.encode(),
            value=msgspec.json.encode(record),
            caption=caption,
        )

    def _next_instant(self) -> datetime:
        self._occurs_at += timedelta(minutes=1)
        return self._occurs_at
