"""Where checks say what they found and people what they did about it; the only way to change one.

All of it happens in the caller's unit of work: a finding is in the book if, and only if, what led
to it is.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, tzinfo

import msgspec

from recon_streams.alerts.telling import tell
from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.discrepancies import store
from recon_streams.discrepancies.action import (
    MACHINE,
    AnyAction,
    ByPerson,
    Escalated,
    Found,
    Reopened,
)
from recon_streams.discrepancies.change import (
    Change,
    Discrepancy,
    FromCheck,
    born,
    changed,
    said_of,
)
from recon_streams.discrepancies.deadline import Working, age_business_days, due_at
from recon_streams.discrepancies.finding import Cause, Cleared, Finding
from recon_streams.discrepancies.messages import message_of, signals_of
from recon_streams.kernel.calendar import BusinessDays

_ESCALATED_AT_ONCE_MAX = 1_000


class NotThere(Exception):
    """No discrepancy has these ids."""

    def __init__(self, ids: Sequence[int]) -> None:
        super().__init__("no discrepancy has the id " + ", ".join(str(each) for each in ids))


async def note(
    unit: UnitOfWork,
    findings: Sequence[Finding],
    cleared: Sequence[Cleared],
    *,
    at: datetime,
    evidence: str,
) -> None:
    """Open, count, reopen and close discrepancies by what checks say, and tell others of it.

    A finding of something that is open is counted, of something resolved begins it again under the
    same id; unless a check only looked again and found it unchanged. Nothing is resolved but what
    `cleared` proves gone. The same check speaking again of
    the same evidence changes nothing, whatever it says and however much later.

    Call it once for all that a unit has found, if you can: two units that call it several times
    each, for the same causes in another order, can wait for each other until one is rolled back.

    Args:
        unit: The caller's; what is written here is visible in it at once.
        findings: Causes that are there.
        cleared: Causes that were looked for and are proven gone; those nobody found are ignored.
        at: When, in the world's time.
        evidence: What was looked at, up to 300 characters: an input as `topic/partition/offset`,
            or a run of a check by a name of its own for each run.
    """
    assert 0 < len(evidence) <= 300, "evidence is the name of something"  # noqa: PLR2004 - as above
    if not findings and not cleared:
        return
    causes = [each.cause for each in findings] + [each.cause for each in cleared]
    numbers = {cause.account for cause in causes}
    accounts = await store.accounts(unit.connection, numbers)
    assert accounts.keys() == numbers, "a check looks at registered accounts"
    workings = {number: account.working for number, account in accounts.items()}
    said = said_of(findings, cleared, at=at, evidence=evidence, workings=workings)
    changes = await _open(unit, said)
    held = await _hold(unit, said.keys() - {change.now.cause for change in changes})
    known = await store.said(unit.connection, held.keys(), evidence)
    for discrepancy in held.values():
        seen = known.get(discrepancy.id, set())
        working = workings[discrepancy.cause.account]
        changes += changed(discrepancy, said[discrepancy.cause], seen, working=working)
    await _keep(unit, changes, accounts)


async def act(unit: UnitOfWork, ids: Sequence[int], action: ByPerson) -> list[Discrepancy]:
    """Do what a person decided to each of `ids`, or, if one of them forbids it, to none.

    Raises:
        NotThere: Some do not exist.
        NotPossible: The state of one of them does not allow it; the message names it.
    """
    held = await store.lock(unit.connection, set(ids))
    missing = sorted(set(ids) - held.keys())
    if missing:
        raise NotThere(missing)
    numbers = {each.cause.account for each in held.values()}
    accounts = await store.accounts(unit.connection, numbers)
    changes: list[Change] = []
    for discrepancy in held.values():
        taken: AnyAction = action
        if isinstance(action, Reopened):
            working = accounts[discrepancy.cause.account].working
            due = due_at(action.at, discrepancy.life.severity, working)
            taken = msgspec.structs.replace(action, due_at=due)
        changes += changed(discrepancy, [taken])
    await _keep(unit, changes, accounts)
    return [change.now for change in changes]


async def zones_of(connection: Session, ids: Sequence[int]) -> dict[int, tzinfo]:
    """Return the time zone of the account that each of `ids` is of.

    Raises:
        NotThere: Some do not exist.
    """
    numbers = await store.numbers_of(connection, ids)
    if missing := sorted(set(ids) - numbers.keys()):
        raise NotThere(missing)
    accounts = await store.accounts(connection, set(numbers.values()))
    return {each: accounts[number].working.zone for each, number in numbers.items()}


async def escalate_overdue(unit: UnitOfWork, now: datetime, calendar: BusinessDays) -> int:
    """Escalate what is due and neither resolved, escalated nor asleep; return how many it were.

    Takes a thousand at once: call it again, in another unit, until it returns 0.

    Args:
        unit: The caller's.
        now: The instant the caller was woken for.
        calendar: How ages are counted in the reason. When something is due was fixed by its own
            account's calendar when it was found.
    """
    held = await store.lock_overdue(unit.connection, now=now, rows_max=_ESCALATED_AT_ONCE_MAX)
    accounts = await store.accounts(unit.connection, {each.cause.account for each in held})
    changes: list[Change] = []
    for discrepancy in held:
        life = discrepancy.life
        zone = accounts[discrepancy.cause.account].working.zone
        age = age_business_days(life.opened_at, now, Working(days=calendar, zone=zone))
        reason = f"due {life.due_at:%F %T}Z, open for {age} business days"
        escalated = Escalated(at=now, actor=MACHINE, reason=reason)
        changes += changed(discrepancy, [escalated])
    await _keep(unit, changes, accounts)
    return len(changes)


async def _open(unit: UnitOfWork, said: Mapping[Cause, Sequence[FromCheck]]) -> list[Change]:
    """Write the causes that are new; what others write at the same moment is not among them."""
    found = {cause: actions for cause, actions in said.items() if isinstance(actions[0], Found)}
    known = await store.ids_of(unit.connection, found)
    steps = {cause: born(found[cause]) for cause in found if cause not in known}
    ids = await store.insert(unit.connection, {cause: steps[cause][-1].after for cause in steps})
    return [
        Change(
            now=Discrepancy(id=each, cause=cause, life=steps[cause][-1].after),
            before=None,
            taken=steps[cause],
        )
        for cause, each in ids.items()
    ]


async def _hold(unit: UnitOfWork, causes: Collection[Cause]) -> dict[int, Discrepancy]:
    ids = await store.ids_of(unit.connection, causes)
    return await store.lock(unit.connection, ids.values())


async def _keep(
    unit: UnitOfWork, changes: Sequence[Change], accounts: Mapping[int, store.Account]
) -> None:
    if not changes:
        return
    await store.write(unit.connection, changes)
    changes = sorted(changes, key=lambda change: change.now.id)
    named = {number: account.named for number, account in accounts.items()}
    unit.publish(message_of(each, named[each.now.cause.account]) for each in changes)
    tell(
        unit,
        (
            signal
            for change in changes
            for signal in signals_of(change, named[change.now.cause.account])
        ),
    )
