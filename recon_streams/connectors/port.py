"""What the poller needs of a bank: a booked balance with its instant, or a word for its lack."""

from datetime import datetime
from decimal import Decimal
from typing import Protocol

import msgspec

from recon_streams.registry.definition import AccountDefinition


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a bank said: a booked balance, signed, and the instant it is true for."""

    balance: Decimal
    as_of: datetime


class NoBalance(Exception):
    """There is no balance. Nothing of what a bank wrote is in it, as it may name people.

    Attributes:
        reason: A word of capitals, as `bank.balances` carries it.
        detail: More about it, at most 200 characters.
        is_passing: Asking again may help.
    """

    def __init__(self, reason: str, detail: str = "", *, is_passing: bool = False) -> None:
        super().__init__(f"{reason} {detail}".strip())
        self.reason = reason
        self.detail = detail[:200]
        self.is_passing = is_passing


class Connector(Protocol):
    """Asks one bank."""

    async def start(self) -> None:
        """Make ready; the secrets are read here."""
        ...

    async def stop(self) -> None:
        """Close connections. Idempotent."""
        ...

    async def ask(self, account: AccountDefinition) -> Said:
        """Return the bank's booked balance of `account`, within the connector's own bounds.

        Raises:
            NoBalance: There is none.
        """
        ...
