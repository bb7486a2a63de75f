"""Which days people closed or opened again, and who is said to have agreed: for an audit."""

from datetime import date, datetime

import asyncpg
import msgspec

from recon_streams.approvals.proof import Agreement
from recon_streams.closing.two_people import ACCOUNTS, SEPARATOR


class AgreedDay(msgspec.Struct, frozen=True, kw_only=True):
    """What people did to the day of one account.

    Attributes:
        number: Of the account.
        action: CLOSE or REOPEN.
        sha256: Of the figures it is about.
    """

    number: int
    day: date
    action: str
    sha256: str
    actor: str
    approved_by: str | None
    approval_id: int | None
    at: datetime


async def agreed_days(pool: asyncpg.Pool) -> list[AgreedDay]:
    """Return everything people did to days, oldest first."""
    rows = await pool.fetch(
        "SELECT number, day, action, sha256, actor, approved_by, approval_id, at "
        "FROM closing.day_action WHERE action IN ('CLOSE', 'REOPEN') ORDER BY at, number"
    )
    return [AgreedDay(**row) for row in rows]


def flaw_of_day(done: AgreedDay, agreed: Agreement) -> str | None:
    """Return why `agreed` does not allow what was done to a day; None if it does."""
    request = agreed.request
    if (request.kind, request.subject) != (f"DAY_{done.action}", done.day.isoformat()):
        return f"what was agreed to is {request.kind} of {request.subject}"
    if (done.actor, done.approved_by) != (request.maker, agreed.checker):
        return f"{request.maker} and {agreed.checker} agreed, the day names others"
    if str(done.number) not in request.details.get(ACCOUNTS, "").split(SEPARATOR):
        return "what was agreed to is the day of other accounts"
    if done.sha256.encode() not in request.facts:
        return "what both were shown are other figures"
    return None
