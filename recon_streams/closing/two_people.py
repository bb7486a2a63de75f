"""Closing a day and opening it again as something that takes two people.

What both sign are the figures: they are made once more before each of the two is shown them, so a
day that changed between them is void.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

import msgspec

from recon_streams.approvals import store as approvals
from recon_streams.approvals.subject import Agreed, ApprovalKind, NotAskable, Shown, Wish
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.closing import store
from recon_streams.closing.day import (
    Day,
    NotClosable,
    NotReopenable,
    Obstacle,
    Signature,
    close,
    obstacles_of,
    reopen,
    said_of,
)
from recon_streams.closing.matcher import Matcher
from recon_streams.closing.run import DayRun, run_day
from recon_streams.closing.sign_off import close_standing, reopen_days
from recon_streams.closing.signatures import signatures
from recon_streams.kernel.calendars import Calendars

_ENCODER: Final = msgspec.json.Encoder(order="sorted")
SEPARATOR: Final = ","
ACCOUNTS: Final = "accounts"


def wish_to_close(on: date, numbers: tuple[int, ...], waive: frozenset[Obstacle]) -> Wish:
    """Return the wish to close the day `on` of these accounts, by the numbers they have."""
    details = {
        ACCOUNTS: SEPARATOR.join(str(number) for number in sorted(numbers)),
        "accepts": SEPARATOR.join(sorted(waive)),
    }
    return Wish(kind=ApprovalKind.DAY_CLOSE, subject=on.isoformat(), details=details)


def wish_to_reopen(on: date, numbers: tuple[int, ...]) -> Wish:
    """Return the wish to open the closed day `on` of these accounts again."""
    details = {ACCOUNTS: SEPARATOR.join(str(number) for number in sorted(numbers))}
    return Wish(kind=ApprovalKind.DAY_REOPEN, subject=on.isoformat(), details=details)


class AgreedFigures:
    """The second person of a sign-off: has agreed to exactly these figures, or nobody has."""

    def __init__(self, agreed: Agreed) -> None:
        self._agreed = agreed

    async def approve(self, what: str, sha256: str, actor: str, reason: str) -> str | None:
        """Return who agreed.

        Raises:
            NotAskable: What is to be signed is not among what both were shown.
        """
        del what, actor, reason
        facts: dict[str, Any] = msgspec.json.decode(self._agreed.shown.facts)
        if sha256 not in {each["sha256"] for each in facts["accounts"]}:
            raise NotAskable("these figures are not those that both were shown")
        return self._agreed.checker


class DayClose:
    """Closing the day of accounts; see `ApprovalSubject`. The unit has the turn."""

    kind = ApprovalKind.DAY_CLOSE

    def __init__(self, calendars: Calendars, matcher: Matcher) -> None:
        self._calendars = calendars
        self._matcher = matcher

    async def show(self, unit: UnitOfWork, wish: Wish) -> Shown:
        """Return the figures of the accounts, made once more, and what is accepted of them."""
        on, numbers = _day_of(wish), _numbers_of(wish)
        now = await approvals.now(unit.connection)
        run = f"eod {on.isoformat()} for approval at {now.isoformat()}"
        wanted = DayRun(on=on, accounts=numbers, at=now, run=run)
        await run_day(unit, self._calendars, self._matcher, wanted)
        await unit.flush()
        days = await _days(unit, on, numbers)
        waive = _waived(wish)
        accounts = [_facts_of(name, day, waive=waive) for name, day in days.items()]
        return _shown({"day": on, "accepts": sorted(waive), "accounts": accounts})

    async def obstacles(self, unit: UnitOfWork, wish: Wish, *, now: datetime) -> tuple[str, ...]:
        """Return what stands against closing any of them and is not accepted."""
        nobody = Signature(actor="nobody", reason="a look", at=now)
        found: list[str] = []
        for name, day in (await _days(unit, _day_of(wish), _numbers_of(wish))).items():
            try:
                close(day, nobody, seen=day.figures, waive=_waived(wish), who=name)
            except NotClosable as refusal:
                found += [f"{name}: {words}" for words in refusal.said]
        return tuple(found)

    async def carry_out(self, unit: UnitOfWork, agreed: Agreed) -> None:
        """Close all of them."""
        wish = agreed.wish
        days = await _days(unit, _day_of(wish), _numbers_of(wish))
        await close_standing(
            unit, AgreedFigures(agreed), days, _signature(agreed), waive=_waived(wish)
        )


class DayReopen:
    """Opening the closed day of accounts again; see `ApprovalSubject`. The unit has the turn."""

    kind = ApprovalKind.DAY_REOPEN

    async def show(self, unit: UnitOfWork, wish: Wish) -> Shown:
        """Return the figures of the accounts, and who signed them."""
        on = _day_of(wish)
        days = await _days(unit, on, _numbers_of(wish))
        signed: list[dict[str, object]] = [
            {
                "account": f"{each.account_id} {each.currency}",
                "action": each.action,
                "version": each.version,
                "by": each.actor,
                "approved_by": each.approved_by,
            }
            for each in await signatures(unit.connection, on)
        ]
        accounts = [
            _facts_of(name, day, waive=frozenset())
            | {"signed": [each for each in signed if each["account"] == name]}
            for name, day in days.items()
        ]
        return _shown({"day": on, "accounts": accounts})

    async def obstacles(self, unit: UnitOfWork, wish: Wish, *, now: datetime) -> tuple[str, ...]:
        """Return which of them are not closed."""
        nobody = Signature(actor="nobody", reason="a look", at=now)
        found = []
        for name, day in (await _days(unit, _day_of(wish), _numbers_of(wish))).items():
            try:
                reopen(day, nobody, who=name)
            except NotReopenable as refusal:
                found.append(str(refusal))
        return tuple(found)

    async def carry_out(self, unit: UnitOfWork, agreed: Agreed) -> None:
        """Open all of them."""
        on, numbers = _day_of(agreed.wish), _numbers_of(agreed.wish)
        answers = await reopen_days(unit, AgreedFigures(agreed), on, numbers, _signature(agreed))
        if refused := [words for answer in answers for words in answer.refused]:
            raise NotAskable("; ".join(refused))


def _facts_of(name: str, day: Day, *, waive: frozenset[Obstacle]) -> dict[str, object]:
    figures = day.figures
    assert figures is not None, "a snapshot has figures"
    return {
        "account": name,
        "state": day.state,
        "version": day.version,
        "sha256": figures.sha256,
        "figures_sha256": figures.figures_sha256,
        "tier": figures.tier,
        "reason": figures.reason,
        "proof": figures.proof,
        "accepted": [
            said_of(each, day) for each in obstacles_of(day, seen=figures) if each in waive
        ],
    }


def _shown(facts: Mapping[str, object]) -> Shown:
    return Shown(facts=_ENCODER.encode(facts))


async def _days(unit: UnitOfWork, on: date, numbers: tuple[int, ...]) -> dict[str, Day]:
    known = await store.registered(unit.connection, numbers)
    snapshots = await store.snapshots(unit.connection, on, numbers)
    missing = sorted(set(numbers) - set(snapshots))
    if not numbers or missing:
        names = [each.name for each in known if each.number in missing]
        raise NotAskable(f"no figures of {on} are there for {', '.join(names) or 'any account'}")
    return {each.name: snapshots[each.number].day for each in known}


def _day_of(wish: Wish) -> date:
    try:
        on = date.fromisoformat(wish.subject)
    except ValueError:
        on = date.max
    # A day has one spelling, as it is what people read and sign.
    if on.isoformat() != wish.subject:
        raise NotAskable("the subject is a day such as 2026-11-20")
    return on


def _numbers_of(wish: Wish) -> tuple[int, ...]:
    words = wish.details.get(ACCOUNTS, "").split(SEPARATOR)
    if not all(word.isascii() and word.isdigit() and len(word) < 10 for word in words):  # noqa: PLR2004 - digits of an integer
        raise NotAskable("which accounts is not said")
    return tuple(int(word) for word in words)


def _waived(wish: Wish) -> frozenset[Obstacle]:
    words = [word for word in wish.details.get("accepts", "").split(SEPARATOR) if word]
    if unknown := set(words) - set(Obstacle):
        raise NotAskable(f"nobody can accept {min(unknown)}")
    return frozenset(Obstacle(word) for word in words)


def _signature(agreed: Agreed) -> Signature:
    return Signature(
        actor=agreed.maker, reason=agreed.reason, at=agreed.at, approval_id=agreed.request_id
    )
