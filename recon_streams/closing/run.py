"""One run of a day: statements looked for, items matched, figures collected, versions issued.

All of it is one unit of work on one state of the book. A run that finds what the last one found
leaves nothing behind.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum, unique

import msgspec

from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.closing import figures_store, findings, store
from recon_streams.closing.collect import Collected, collect, day_input, open_discrepancies
from recon_streams.closing.day import Day, DayAction, Figures, Taken
from recon_streams.closing.day import run as run_again
from recon_streams.closing.matcher import Asked, Matcher
from recon_streams.closing.report import issue
from recon_streams.closing.statement_of_day import Matched, account_day, figures_digest
from recon_streams.closing.store import Registered, Snapshot
from recon_streams.discrepancies.finding import Cleared, Finding
from recon_streams.discrepancies.register import note
from recon_streams.kernel.calendars import Calendars
from recon_streams.registry.calendar_store import note_calendars
from recon_streams.reports.account_day import AccountDay
from recon_streams.reports.dataset import digest_of
from recon_streams.reports.reasons import reason_of
from recon_streams.statements.expectation import Received, expected_of
from recon_streams.statements.expectation import news_of as news_of_statements


@unique
class Became(StrEnum):
    """What a run made of one account's day."""

    RUN = "RUN"  # its first version, or another one of a day that nobody closed
    UNCHANGED = "UNCHANGED"
    CORRECTED = "CORRECTED"  # another version of a day that was closed
    NO_BUSINESS_DAY = "NO_BUSINESS_DAY"
    NOT_OVER = "NOT_OVER"
    BEFORE_OPENING = "BEFORE_OPENING"


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """One account after a run.

    Attributes:
        name: The account and its currency.
        calendar: The name of the calendar it goes by.
        before: The snapshot that was the newest, if any.
        day: Where the day stands now; None if it was not run.
    """

    number: int
    name: str
    became: Became
    calendar: str = ""
    before: Snapshot | None = None
    day: Day | None = None


class DayRun(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be run.

    Attributes:
        accounts: Numbers; None for all.
        at: The instant of the run; an input, so that a run can be repeated.
        run: Its name, by which nothing of it is counted twice.
        whole: Whether a first report is issued although accounts are missing from it.
    """

    on: date
    accounts: tuple[int, ...] | None
    at: datetime
    run: str
    whole: bool = False


class DayResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a run.

    Attributes:
        report_id: The report that was issued; None if there was nothing new to say.
    """

    on: date
    accounts: tuple[RunResult, ...]
    report_id: str | None = None


async def run_day(
    unit: UnitOfWork, calendars: Calendars, matcher: Matcher, wanted: DayRun
) -> DayResult:
    """Run one day of accounts inside `unit`, which has the turn; see `turn`."""
    connection = unit.connection
    accounts = {each.number: each for each in await store.registered(connection, wanted.accounts)}
    asked, left_out = await _ask(connection, calendars, accounts.values(), wanted)
    results = [
        RunResult(
            number=number,
            name=accounts[number].name,
            became=became,
            calendar=calendars.named(accounts[number].definition.calendar).name,
        )
        for number, became in left_out.items()
    ]
    if not asked:
        return DayResult(on=wanted.on, accounts=tuple(results))
    await note_calendars(connection, calendars)
    matched = await matcher.match(unit, asked, wanted.on, at=wanted.at, run=wanted.run)
    # What matching collected for writing is seen by what is read below.
    await unit.flush()
    wanted_accounts = {number: accounts[number] for number in asked}
    collected = await collect(connection, wanted_accounts, asked, wanted.on)
    days = _days(calendars, wanted_accounts, asked, collected, matched)
    await _tell(unit, calendars, asked, (days, matched), wanted)
    found = await open_discrepancies(connection, asked, wanted.at)
    for number, open_now in found.items():
        days[number] = msgspec.structs.replace(days[number], discrepancies=open_now)
    results += await _keep(unit, accounts, asked, (days, collected), wanted)
    await unit.flush()
    await store.note_looked(connection, wanted.on, collected.looked(wanted.on))
    report_id = await issue(unit, calendars, wanted.on, whole=wanted.whole)
    ordered = sorted(results, key=lambda result: result.name)
    return DayResult(on=wanted.on, accounts=tuple(ordered), report_id=report_id)


async def _ask(
    connection: Session,
    calendars: Calendars,
    accounts: Collection[Registered],
    wanted: DayRun,
) -> tuple[dict[int, Asked], dict[int, Became]]:
    """Return which accounts have such a day to look at, and why the others have none."""
    numbers = [account.number for account in accounts]
    there = await figures_store.statements_around(connection, numbers, wanted.on)
    asked: dict[int, Asked] = {}
    left_out: dict[int, Became] = {}
    for account in accounts:
        definition = account.definition
        calendar = calendars.named(definition.calendar)
        bounds = calendar.bounds_of(
            wanted.on, cut_off=definition.statements.cut_off, zone=definition.time_zone
        )
        has_statement = any(
            each.link.closing_on == wanted.on for each in there.get(account.number, [])
        )
        is_attested = definition.opening is not None
        if bounds.cut_off_at <= account.began_at and (is_attested or not has_statement):
            left_out[account.number] = Became.BEFORE_OPENING
        elif not has_statement and not calendar.is_business_day(wanted.on):
            # A bank that books on a day of rest after all says so by its statement.
            left_out[account.number] = Became.NO_BUSINESS_DAY
        elif wanted.at < bounds.cut_off_at:
            left_out[account.number] = Became.NOT_OVER
        else:
            asked[account.number] = Asked(definition=definition, bounds=bounds, calendar=calendar)
    return asked, left_out


def _days(
    calendars: Calendars,
    accounts: Mapping[int, Registered],
    asked: Mapping[int, Asked],
    collected: Collected,
    matched: Mapping[int, Matched],
) -> dict[int, AccountDay]:
    return {
        number: account_day(
            day_input(
                accounts[number],
                each,
                collected,
                matched.get(number, Matched()),
                calendars.version,
            )
        )
        for number, each in asked.items()
    }


async def _tell(
    unit: UnitOfWork,
    calendars: Calendars,
    asked: Mapping[int, Asked],
    made: tuple[Mapping[int, AccountDay], Mapping[int, Matched]],
    wanted: DayRun,
) -> None:
    """Note what is wrong and what is proven right again, all of it at once."""
    days, matched = made
    unusable = await figures_store.unusable_statements(unit.connection, days, wanted.on)
    wrong: list[Finding] = [each for found in matched.values() for each in found.findings]
    right: list[Cleared] = [each for found in matched.values() for each in found.cleared]
    for number, day in days.items():
        definition = asked[number].definition
        expected = expected_of(number, definition, calendars.named(definition.calendar), wanted.on)
        used = day.statement
        received = (
            []
            if used is None
            else [
                Received(account=number, on=day.on, origin=used.origin, arrived_at=used.arrived_at)
            ]
        )
        for found, cleared in (
            news_of_statements(
                [expected] if expected else [], received, now=wanted.at, unusable=unusable
            ),
            findings.news_of(number, day),
        ):
            wrong += found
            right += cleared
    await note(unit, wrong, right, at=wanted.at, evidence=wanted.run)


async def _keep(
    unit: UnitOfWork,
    accounts: Mapping[int, Registered],
    asked: Mapping[int, Asked],
    made: tuple[Mapping[int, AccountDay], Collected],
    wanted: DayRun,
) -> list[RunResult]:
    """Store the versions that say something new."""
    days, collected = made
    before = await store.snapshots(unit.connection, wanted.on, asked)
    results: list[RunResult] = []
    changes: list[Taken] = []
    for number, day in days.items():
        content = msgspec.json.encode(day, order="sorted")
        figures = figures_of(day, content, required=asked[number].definition.statements.required)
        last = before.get(number)
        known = last.day if last else Day(number=number, on=wanted.on)
        taken = run_again(known, figures, wanted.at)
        became = Became.UNCHANGED
        if taken is not None:
            changes.append(taken)
            is_correction = taken.action is DayAction.CORRECT
            became = Became.CORRECTED if is_correction else Became.RUN
            snapshot = _snapshot(taken.day, day, content, last, (collected, wanted))
            store.write_snapshots(unit, [snapshot])
        results.append(
            RunResult(
                number=number,
                name=accounts[number].name,
                became=became,
                calendar=asked[number].calendar.name,
                before=last,
                day=known if taken is None else taken.day,
            )
        )
    store.write(unit, changes)
    return results


def figures_of(day: AccountDay, content: bytes, *, required: bool) -> Figures:
    """Return what the life of the day depends on."""
    return Figures(
        sha256=digest_of(content),
        figures_sha256=figures_digest(day),
        proof=day.proof,
        has_statement=day.statement is not None,
        statement_required=required,
        missing_sequences=day.chain.missing_sequences,
        jump=day.chain.jump,
        tier=day.tier.value,
        reason=reason_of(day),
    )


def _snapshot(
    day: Day,
    made: AccountDay,
    content: bytes,
    last: Snapshot | None,
    context: tuple[Collected, DayRun],
) -> Snapshot:
    collected, wanted = context
    used = made.statement
    last_figures = last.day.figures if last is not None else None
    return Snapshot(
        day=day,
        content=content,
        corrects=None if last_figures is None else last_figures.sha256,
        event_sequence=collected.standings[day.number].event_sequence,
        inputs_through_at=collected.through_at or wanted.at,
        cut_off_at=made.cut_off_at,
        tier=made.tier.value,
        statement_origin=None if used is None else used.origin,
        calendar_version=made.calendar_version,
    )


def seen_of(results: Sequence[RunResult]) -> dict[int, Figures | None]:
    """Return what was known of each account's day before the run: what a person has looked at."""
    return {
        result.number: None if result.before is None else result.before.day.figures
        for result in results
    }
