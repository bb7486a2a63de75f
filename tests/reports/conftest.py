"""A Friday of four accounts in three currencies: balanced, short, silent, and quiet."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec
import pytest

# This folder is not a package; its helpers are modules beside the tests.
sys.path.append(str(Path(__file__).parent))

from report_accounts import (
    CUT_OFF,
    FRIDAY,
    account_window,
    balanced_day,
    quiet_day,
    short_day,
    silent_day,
)

from recon_streams.book.connection import open_pool
from recon_streams.book.migrate import migrate
from recon_streams.reports.account_day import AccountDay
from recon_streams.reports.backing import backing_of
from recon_streams.reports.dataset import EodDataset, IntradayDataset

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def balanced() -> AccountDay:
    """5,002,500.00 at the bank, 4,999,880.00 in the ledger, and every fils accounted for."""
    return balanced_day()


@pytest.fixture
def eod() -> EodDataset:
    accounts = (quiet_day(), balanced_day(), short_day(), silent_day())
    return EodDataset(
        on=FRIDAY,
        inputs_through_at=CUT_OFF + timedelta(minutes=15),
        accounts=accounts,
        backing=backing_of(accounts),
    )


@pytest.fixture
def corrected() -> Callable[[EodDataset, str], EodDataset]:
    """Return the second version of a day, in which one reason is worded otherwise."""

    def correct(before: EodDataset, corrects: str) -> EodDataset:
        return msgspec.structs.replace(
            before, version=before.version + 1, corrects=corrects, cause="statement version 2"
        )

    return correct


@pytest.fixture
def intraday() -> IntradayDataset:
    start = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    end = start + timedelta(minutes=30)
    account = account_window(end)
    return IntradayDataset(
        window_from=start,
        window_until=end,
        inputs_through_at=end,
        accounts=(account,),
        backing=backing_of((account,)),
    )


@pytest.fixture
def golden() -> Path:
    """Return the directory of the renderings that people looked at."""
    return GOLDEN


@pytest.fixture
async def book(database: str) -> AsyncIterator[asyncpg.Pool]:
    """An empty book, with the rights of the program."""
    await asyncio.to_thread(migrate, database)
    pool = await open_pool(database, size_max=4)
    yield pool
    await pool.close()
