"""Closing days and opening them again, by a person and with a reason.

The figures are made once more before they are signed: what was looked at and what is signed are the
same, or nothing is.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime

import msgspec
from msgspec.structs import replace

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.closing import store
from recon_streams.closing.day import (
    Approval,
    Day,
    NotClosable,
    NotReopenable,
    Obstacle,
    Signature,
    Taken,
    close,
    reopen,
)
from recon_streams.closing.matcher import Matcher
from recon_streams.closing.run import DayResult, DayRun, RunResult, run_day
from recon_streams.kernel.calendars import Calendars


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one account's day.

    Attributes:
        day: As it stands now.
        waived: What stood against closing it, and was accepted.
        refused: Everything that stands against it, in words; empty if it was done.
    """

    number: int
    name: str
    day: Day
    waived: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


async def close_days(
    unit: UnitOfWork,
    tools: tuple[Calendars, Matcher, Approval],
    wanted: DayRun,
    signature: Signature,
    *,
    waive: Collection[Obstacle] = (),
) -> tuple[DayResult, list[Answer]]:
    """Run the day of the wanted accounts, then close it where nothing stands against it.

    What the run found is kept, whatever becomes of the closing. `waive` is what the person accepts.
    """
    calendars, matcher, approval = tools
    ran = await run_day(unit, calendars, matcher, wanted)
    answers: list[Answer] = []
    taken: list[Taken] = []
    for result in ran.accounts:
        if result.day is None:
            continue
        found = await _close(result, result.day, signature, approval, waive=waive)
        if isinstance(found, Taken):
            taken.append(found)
            answers.append(_done(result.name, found))
        else:
            answers.append(_refused(result.name, result.day, found.said))
    store.write(unit, taken)
    return ran, answers


def judge_days(ran: DayResult, at: datetime, *, waive: Collection[Obstacle] = ()) -> list[Answer]:
    """Return what closing the days of a run would come to, now; nothing is closed."""
    nobody = Signature(actor="nobody", reason="a look", at=at)
    answers = []
    for result in ran.accounts:
        if result.day is None:
            continue
        found = _closed(result, result.day, nobody, waive=waive)
        answers.append(
            _done(result.name, found)
            if isinstance(found, Taken)
            else _refused(result.name, result.day, found.said)
        )
    return answers


async def close_standing(
    unit: UnitOfWork,
    approval: Approval,
    days: Mapping[str, Day],
    signature: Signature,
    *,
    waive: Collection[Obstacle] = (),
) -> None:
    """Close days whose figures the caller has made in this very unit, by the account's name.

    Raises:
        NotClosable: Something stands against one of them; none is closed.
    """
    taken = []
    for name, day in days.items():
        found = close(day, signature, seen=day.figures, waive=waive, who=name)
        approved = await _approved(approval, "close", day, signature)
        taken.append(replace(found, signature=approved))
    store.write(unit, taken)


async def reopen_days(
    unit: UnitOfWork,
    approval: Approval,
    on: date,
    numbers: tuple[int, ...],
    signature: Signature,
) -> list[Answer]:
    """Open the closed day `on` of these accounts again; their figures stay."""
    accounts = {each.number: each for each in await store.registered(unit.connection, numbers)}
    snapshots = await store.snapshots(unit.connection, on, numbers)
    answers: list[Answer] = []
    taken: list[Taken] = []
    for number, account in accounts.items():
        snapshot = snapshots.get(number)
        day = Day(number=number, on=on) if snapshot is None else snapshot.day
        try:
            found = reopen(day, signature, who=account.name)
        except NotReopenable as refusal:
            answers.append(_refused(account.name, day, (str(refusal),)))
            continue
        approved = await _approved(approval, "reopen", day, signature)
        found = replace(found, signature=approved)
        taken.append(found)
        answers.append(_done(account.name, found))
    store.write(unit, taken)
    return answers


async def _close(
    result: RunResult,
    day: Day,
    signature: Signature,
    approval: Approval,
    *,
    waive: Collection[Obstacle],
) -> Taken | NotClosable:
    found = _closed(result, day, signature, waive=waive)
    if isinstance(found, NotClosable):
        return found
    return replace(found, signature=await _approved(approval, "close", day, signature))


def _closed(
    result: RunResult, day: Day, signature: Signature, *, waive: Collection[Obstacle]
) -> Taken | NotClosable:
    seen = None if result.before is None else result.before.day.figures
    try:
        return close(day, signature, seen=seen, waive=waive, who=result.name)
    except NotClosable as refusal:
        return refusal


async def _approved(approval: Approval, what: str, day: Day, signature: Signature) -> Signature:
    sha256 = day.figures.sha256 if day.figures is not None else ""
    by = await approval.approve(what, sha256, signature.actor, signature.reason)
    return replace(signature, approved_by=by)


def _done(name: str, taken: Taken) -> Answer:
    waived = tuple(each.value for each in taken.waived)
    return Answer(number=taken.day.number, name=name, day=taken.day, waived=waived)


def _refused(name: str, day: Day, said: tuple[str, ...]) -> Answer:
    return Answer(number=day.number, name=name, day=day, refused=said)
