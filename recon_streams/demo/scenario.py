"""The script of the day: what is sent, act by act, and what must be true after each act."""

from datetime import datetime
from typing import Final

from recon_streams.demo.act import Act
from recon_streams.demo.bank import Bank
from recon_streams.demo.daytime import daytime
from recon_streams.demo.evening import evening
from recon_streams.demo.ledger import Ledger

# What the whole day must come to; `demo --exit` compares the book with it.
TRIPS: Final = {"SUSPENDED": 1, "OPEN": 1}
WAITING_AT_THE_END: Final = 1  # the broken message; nobody mends it in the demo


def acts(now: datetime) -> tuple[Act, ...]:
    """Return the day, with records dated `now`."""
    ledger, bank = Ledger(now), Bank(now)
    return (*daytime(ledger, bank), *evening(ledger, bank))
