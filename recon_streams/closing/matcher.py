"""What a day needs of matching: which items stand between bank and ledger at its end."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Protocol

import msgspec

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.closing.statement_of_day import Matched
from recon_streams.kernel.calendar import Calendar, DayBounds
from recon_streams.registry.definition import AccountDefinition


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One account whose day is to be matched."""

    definition: AccountDefinition
    bounds: DayBounds
    calendar: Calendar


class Matcher(Protocol):
    """Matches the items of accounts up to a day, and says what is left."""

    async def match(
        self, unit: UnitOfWork, asked: Mapping[int, Asked], on: date, *, at: datetime, run: str
    ) -> dict[int, Matched]:
        """Return, by account number, what explains its difference at the end of `on`.

        Args:
            unit: The run's; what is decided is written with it.
            asked: The accounts, by number.
            on: The day.
            at: The instant of the run, an input like any other.
            run: The name of the run: asked for again under one name, nothing is found twice.
        """
        ...
