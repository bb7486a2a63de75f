"""Who closed days, opened them again, why, and what they accepted; by the hash of what they saw.

A report cannot say who signed it: the signature is of its bytes. So it stands beside them.
"""

from datetime import date, datetime
from typing import Final

import asyncpg
import msgspec

from recon_streams.book.connection import Session
from recon_streams.closing.day import Day, DayAction, DayState, Figures, Obstacle, said_of
from recon_streams.reports.dataset import EodDataset, digest_of

_SIGNED: Final = """
SELECT a.account_id, a.currency, d.*, s.figures FROM closing.day_action AS d
JOIN positions.account AS a USING (number)
JOIN closing.snapshot AS s ON s.number = d.number AND s.day = d.day AND s.version = d.version
WHERE d.day = $1 AND d.action <> 'RUN'
ORDER BY a.account_id, a.currency, d.sequence
"""


class DaySigned(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to an account's day after its figures were there.

    Attributes:
        action: CLOSE or REOPEN by a person; CORRECT where later data opened a closed day again.
        version: Of the figures it is about,
        sha256: and the hash of their bytes.
        accepted: What stood against closing it and was accepted, in words with its numbers.
        approved_by: The second person, once there is one.
    """

    account_id: str
    currency: str
    on: date
    action: DayAction
    version: int
    sha256: str
    actor: str
    reason: str
    accepted: tuple[str, ...]
    approved_by: str | None
    at: datetime


async def signatures(connection: Session | asyncpg.Pool, on: date) -> list[DaySigned]:
    """Return what people did with the accounts' days `on`, by account and in order."""
    return [_signed(row) for row in await connection.fetch(_SIGNED, on)]


async def signatures_of(connection: Session | asyncpg.Pool, dataset: EodDataset) -> list[DaySigned]:
    """Return what people did with exactly the figures that stand in `dataset`."""
    there = {
        digest_of(msgspec.json.encode(account, order="sorted")) for account in dataset.accounts
    }
    return [each for each in await signatures(connection, dataset.on) if each.sha256 in there]


def words_of(signed: DaySigned) -> str:
    """Return who did what, why, and what was accepted, in one line."""
    accepted = f" (accepted: {'; '.join(signed.accepted)})" if signed.accepted else ""
    approved = f", approved by {signed.approved_by}" if signed.approved_by else ""
    return f"{signed.action.value} by {signed.actor}{approved}: {signed.reason}{accepted}"


def _signed(row: asyncpg.Record) -> DaySigned:
    day = Day(
        number=row["number"],
        on=row["day"],
        state=DayState(row["to_state"]),
        version=row["version"],
        figures=msgspec.json.decode(row["figures"], type=Figures),
    )
    accepted = [Obstacle(code) for code in row["waived"].split(", ") if code]
    return DaySigned(
        account_id=row["account_id"],
        currency=row["currency"],
        on=row["day"],
        action=DayAction(row["action"]),
        version=row["version"],
        sha256=row["sha256"],
        actor=row["actor"],
        reason=row["reason"],
        accepted=tuple(said_of(each, day) for each in accepted),
        approved_by=row["approved_by"],
        at=row["at"],
    )
