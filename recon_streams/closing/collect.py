"""The figures of a day from the book, account by account, ready for the pure statement."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cmp_to_key
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from recon_streams.book.connection import Session
from recon_streams.closing import figures_store
from recon_streams.closing.announced import NotStated, announced_not_stated
from recon_streams.closing.figures_store import DayStatement, Standing
from recon_streams.closing.matcher import Asked
from recon_streams.closing.statement_of_day import DayInput, Matched
from recon_streams.closing.store import Registered
from recon_streams.discrepancies.deadline import Working
from recon_streams.discrepancies.summary import Open, open_at
from recon_streams.kernel.money import ZERO, amount_text, normal, subtract
from recon_streams.positions.rules import rules_of
from recon_streams.reports.account_day import StatementUsed
from recon_streams.reports.ageing import open_by_age
from recon_streams.reports.parts import Covered, OpenDiscrepancies
from recon_streams.statements.chain import Link, is_later
from topics.catalogue import inputs
from topics.ticks import TOPIC as TICKS


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """What was read for a day, of all its accounts at once."""

    standings: dict[int, Standing]
    after: dict[int, Decimal]
    statements: dict[int, list[DayStatement]]
    bank_bases: dict[int, Decimal | None]
    ledger_bases: dict[int, Decimal | None]
    coverage: tuple[Covered, ...]

    @property
    def through_at(self) -> datetime | None:
        """Up to when every input that has ever spoken was read."""
        return min((c.through_at for c in self.coverage if c.through_at is not None), default=None)

    def looked(self, on: date) -> dict[int, tuple[int, datetime | None]]:
        """Return how much of each log was seen, and when the newest statement of the day came."""
        arrived = {
            number: max((e.arrived_at for e in found if e.link.closing_on == on), default=None)
            for number, found in self.statements.items()
        }
        return {
            number: (standing.event_sequence, arrived.get(number))
            for number, standing in self.standings.items()
        }


async def collect(
    connection: Session, accounts: Mapping[int, Registered], asked: Mapping[int, Asked], on: date
) -> Collected:
    """Read everything that the day `on` of `accounts` is made of."""
    standings = await figures_store.standings(connection, asked)
    cut_offs = {number: each.bounds.cut_off_at for number, each in asked.items()}
    return Collected(
        standings=standings,
        after=await figures_store.ledger_after(connection, cut_offs),
        statements=await figures_store.statements_around(connection, asked, on),
        bank_bases=await _bank_bases(connection, accounts),
        ledger_bases=await _ledger_bases(connection, accounts, standings),
        coverage=await figures_store.coverage(connection, _SOURCES),
    )


def day_input(
    account: Registered, asked: Asked, collected: Collected, matched: Matched, calendars: str
) -> DayInput:
    """Return what the statement of one account's day is made of; discrepancies come later."""
    number, definition = account.number, account.definition
    standing = collected.standings[number]
    ledger = standing.ledger
    if ledger is not None:
        ledger = subtract(ledger, collected.after.get(number, ZERO))
    began_at = account.began_at.astimezone(ZoneInfo(definition.time_zone))
    opened_on = min(began_at.date(), asked.bounds.on)
    of_day, before = _chain(
        collected.statements.get(number, []), asked.bounds.on, definition.statements.day_record
    )
    return DayInput(
        account_id=definition.account_id,
        currency=definition.currency,
        bounds=asked.bounds,
        time_zone=definition.time_zone,
        limits=rules_of(definition, account.registry_version).limits,
        bank_base=collected.bank_bases[number],
        ledger_base=collected.ledger_bases[number],
        opened_on=opened_on,
        opened_business_days=max(
            0, asked.calendar.business_days_between(opened_on, asked.bounds.on)
        ),
        ledger_at_cut_off=ledger,
        statement=None if of_day is None else _used(of_day),
        link=None if of_day is None else of_day.link,
        before=before,
        matched=matched,
        discrepancies=(),
        coverage=collected.coverage,
        rules_version=str(account.registry_version),
        calendar_version=calendars,
    )


async def open_discrepancies(
    connection: Session, asked: Mapping[int, Asked], at: datetime
) -> dict[int, tuple[OpenDiscrepancies, ...]]:
    """Return what is open on each account at `at`, by kind and age."""
    found: dict[int, list[Open]] = {}
    for each in await open_at(connection, asked, at):
        found.setdefault(each.account, []).append(each)
    return {
        number: open_by_age(of_account, at, _working(asked[number]))
        for number, of_account in found.items()
    }


# Ticks say when something was due, and nothing about money.
_SOURCES: Final = tuple(
    name
    for contract in inputs()
    if contract.name != TICKS
    for name in (contract.name, *contract.aliases)
)


async def _bank_bases(
    connection: Session, accounts: Mapping[int, Registered]
) -> dict[int, Decimal | None]:
    """Return what each bank had before all that is known of it: attested, or by its statements."""
    found = {number: _attested(account, "bank") for number, account in accounts.items()}
    without = [number for number, base in found.items() if base is None]
    if without:
        first = await figures_store.first_statements(connection, without)
        moved = await figures_store.bank_total(connection, {n: on for n, (on, _) in first.items()})
        # What was only announced for the days of the first statement is not in its closing.
        announced = await announced_not_stated(
            connection,
            {n: (on, accounts[n].definition.statements.day_record) for n, (on, _) in first.items()},
        )
        for number, (_, closing) in first.items():
            stated = subtract(moved[number], announced.get(number, NotStated()).amount)
            found[number] = normal(subtract(closing, stated))
    return found


async def _ledger_bases(
    connection: Session, accounts: Mapping[int, Registered], standings: Mapping[int, Standing]
) -> dict[int, Decimal | None]:
    found = {number: _attested(account, "ledger") for number, account in accounts.items()}
    figures = {n: standings[n].ledger for n, base in found.items() if base is None}
    known = {number: figure for number, figure in figures.items() if figure is not None}
    if known:
        moved = await figures_store.ledger_total(connection, known)
        found |= {n: normal(subtract(figure, moved[n])) for n, figure in known.items()}
    return found


def _attested(account: Registered, side: str) -> Decimal | None:
    opening = account.definition.opening
    figure: Decimal | None = None if opening is None else getattr(opening, side)
    return figure


def _chain(
    statements: Sequence[DayStatement], on: date, message: str
) -> tuple[DayStatement | None, Link | None]:
    """Return the last statement of the day, and the one before it in the chain."""
    ordered = sorted(
        (each for each in statements if each.link.message == message),
        key=cmp_to_key(_compare),
    )
    if not ordered:
        return None, None
    if ordered[-1].link.closing_on != on:
        return None, ordered[-1].link
    return ordered[-1], ordered[-2].link if len(ordered) > 1 else None


def _compare(one: DayStatement, other: DayStatement) -> int:
    return 1 if is_later(one.link, other.link) else -1


def _used(statement: DayStatement) -> StatementUsed:
    link = statement.link
    assert link.opening is not None, "a statement that counts adds up"
    assert link.closing is not None, "a statement that counts adds up"
    return StatementUsed(
        message=link.message,
        origin=f"{link.origin} {link.path}".rstrip(),
        statement_id=link.statement_id,
        electronic_sequence=link.electronic_sequence,
        legal_sequence=link.legal_sequence,
        version=link.version,
        opening_on=link.opening_on,
        closing_on=link.closing_on,
        opening=amount_text(link.opening),
        credits=amount_text(statement.credits),
        debits=amount_text(statement.debits),
        entries=statement.entry_count,
        closing=amount_text(link.closing),
        arrived_at=statement.arrived_at,
    )


def _working(asked: Asked) -> Working:
    return Working(days=asked.calendar, zone=ZoneInfo(asked.definition.time_zone))
