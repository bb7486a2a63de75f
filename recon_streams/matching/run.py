"""A run: what is new of some accounts is matched with what is open, and the day is added up.

Strong references go through SQL for all accounts at once; only what is left is decided by the
engine, account by account. The next run costs what is new plus what is open, however long the
history.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.matching import working_tables
from recon_streams.matching.day import read_days
from recon_streams.matching.findings import cleared_of, findings_of, spelled
from recon_streams.matching.items import ItemKey, Side
from recon_streams.matching.moved_days import follow_statements
from recon_streams.matching.request import (
    ACCOUNTS_MAX,
    MatchAccount,
    MatchedDay,
    MatchRequest,
)
from recon_streams.matching.rest import Found, Rest
from recon_streams.matching.taken_back import close_taken_back

_LOCK: Final = 0x6D617463
_SECONDS_MAX: Final = 600
_SETTINGS: Final = (
    f"SET LOCAL statement_timeout = '{_SECONDS_MAX}s'; "
    f"SET LOCAL idle_in_transaction_session_timeout = '{_SECONDS_MAX}s'; "
    # Sorting and hashing a million rows; freed at the end of the statement.
    "SET LOCAL work_mem = '96MB'; SET LOCAL jit = off"
)


async def run_matching(unit: UnitOfWork, request: MatchRequest) -> list[MatchedDay]:
    """Match the accounts of `request` inside `unit`, and return how their day stands.

    Locks each account's matching until the unit ends; the account itself stays free. What it
    writes is flushed, so later queries of the unit see it.
    """
    assert len(request.accounts) <= ACCOUNTS_MAX, "more accounts than one unit may lock"
    accounts = {account.number: account for account in request.accounts}
    numbers = sorted(accounts)
    await unit.connection.execute(_SETTINGS)
    await _lock(unit, numbers)
    run_id = await _begin(unit, request)
    through = await _through(unit, run_id, accounts)
    await follow_statements(unit.connection, numbers, request.at.date())
    found_before = await _findings_before(unit, numbers)
    apart = await _collect(unit, request, through)
    closed = await close_taken_back(unit, run_id)
    matched_by = await _match_strong(unit, request, numbers)
    for number, places in closed.items():
        matched_by.setdefault(number, {}).update(places)
    await _store_pairs(unit, request, run_id)
    await Rest(unit, request, run_id, apart).match_rest(matched_by)
    await _finish(unit, run_id, through, request)
    return await _answer(unit, request, through, (found_before, matched_by))


async def _lock(unit: UnitOfWork, numbers: Sequence[int]) -> None:
    await unit.connection.execute(
        "SELECT pg_advisory_xact_lock($1, n) FROM unnest($2::int[]) AS k(n) ORDER BY n",
        _LOCK,
        numbers,
    )


async def _begin(unit: UnitOfWork, request: MatchRequest) -> int:
    """Return the id of the run, a new one or the one that already has this name."""
    run_id: int = await unit.connection.fetchval(
        "INSERT INTO matching.run AS r (name, day, rules_version, rules_sha256) "
        "VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING RETURNING run_id",
        request.run,
        request.on,
        request.rules.version,
        request.rules.sha256,
    ) or await unit.connection.fetchval(
        "SELECT run_id FROM matching.run WHERE name = $1", request.run
    )
    return run_id


async def _through(
    unit: UnitOfWork, run_id: int, accounts: Mapping[int, MatchAccount]
) -> dict[int, int]:
    """Return the account event up to which each account is read.

    What the run read before under its name counts; else what was asked for; else all there is. It
    never goes back behind what a later run has read.
    """
    rows = await unit.connection.fetch(
        "SELECT k.number, r.through AS before, s.version, coalesce(p.through, 0) AS reached "
        "FROM unnest($2::int[]) AS k(number) "
        "LEFT JOIN matching.run_account AS r ON r.run_id = $1 AND r.number = k.number "
        "LEFT JOIN matching.progress AS p ON p.number = k.number "
        "LEFT JOIN positions.account_state AS s ON s.number = k.number",
        run_id,
        sorted(accounts),
    )
    found = {}
    for row in rows:
        asked = accounts[row["number"]].inputs_through
        newest = row["version"] if row["version"] is not None else 0
        wanted = newest if asked is None else min(asked, newest)
        if row["before"] is not None:
            wanted = row["before"]
        found[row["number"]] = max(wanted, row["reached"])
    return found


async def _findings_before(unit: UnitOfWork, numbers: Sequence[int]) -> dict[int, Found]:
    found: dict[int, Found] = {}
    for row in await unit.connection.fetch(
        "SELECT number, side, sequence, part, finding FROM matching.open_item "
        "WHERE number = ANY($1) AND finding IS NOT NULL",
        numbers,
    ):
        place = Side(row["side"]), ItemKey(row["sequence"], row["part"])
        found.setdefault(row["number"], {})[place] = row["finding"]
    return found


async def _collect(
    unit: UnitOfWork, request: MatchRequest, through: Mapping[int, int]
) -> dict[int, frozenset[tuple[ItemKey, ItemKey]]]:
    """Fill the working tables; return by account what was taken apart by hand."""
    connection = unit.connection
    accounts = sorted(request.accounts, key=lambda account: account.number)
    # Calendars are compared by identity: two accounts of one bank share one.
    calendars = {id(account.calendar): account.calendar for account in accounts}
    places = {each: place for place, each in enumerate(calendars)}
    await connection.execute(
        working_tables.ACCOUNTS,
        [account.number for account in accounts],
        [account.zone for account in accounts],
        [places[id(account.calendar)] for account in accounts],
        [through[account.number] for account in accounts],
    )
    is_end = bool(await connection.fetchval(working_tables.HOW_MUCH))
    for statement in (
        working_tables.PAIRS,
        working_tables.bank_table(request.rules, is_end=is_end),
        working_tables.ledger_table(request.rules, is_end=is_end),
        working_tables.DAYS,
        "ANALYZE work_account, work_bank, work_ledger",
    ):
        await connection.execute(statement, timeout=_SECONDS_MAX)
    await _number_days(connection, list(calendars.values()))
    rows = await connection.fetch(working_tables.APART, [account.number for account in accounts])
    if rows:
        keys = [list(column) for column in zip(*(tuple(row) for row in rows), strict=True)]
        for statement in working_tables.without_apart(request.rules):
            await connection.execute(statement, *keys)
    apart: dict[int, set[tuple[ItemKey, ItemKey]]] = {}
    for number, sequence, part, ledger_sequence in rows:
        pair = ItemKey(sequence, part), ItemKey(ledger_sequence)
        apart.setdefault(number, set()).add(pair)
    return {number: frozenset(pairs) for number, pairs in apart.items()}


async def _number_days(connection: Any, calendars: Sequence[Any]) -> None:  # noqa: ANN401 - session and calendars as given
    """Number the business days of each calendar over the days there are."""
    first, last = await connection.fetchrow(working_tables.DAY_RANGE)
    if first is None:
        return
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    await connection.copy_records_to_table(
        "work_day",
        columns=["calendar", "day", "ordinal"],
        records=[
            (place, day, calendar.business_days_between(first, day))
            for place, calendar in enumerate(calendars)
            for day in days
        ],
    )


async def _match_strong(
    unit: UnitOfWork, request: MatchRequest, numbers: Sequence[int]
) -> dict[int, Found]:
    """Run the passes; return by account which rule matched what something was found of."""
    await unit.connection.execute("ANALYZE work_day; SET LOCAL enable_nestloop = off")
    for kind, statement in working_tables.passes(request.rules):
        if kind == "repeated" and not await unit.connection.fetchval(
            f"SELECT EXISTS (SELECT FROM {statement[0]})"  # noqa: S608 - ours
        ):
            continue
        text = statement[1] if kind == "repeated" else statement[0]
        await unit.connection.execute(text, timeout=_SECONDS_MAX)
    await unit.connection.execute("SET LOCAL enable_nestloop = on; ANALYZE work_pair")
    names = [each.name for each in request.rules.references]
    found: dict[int, Found] = {}
    rows = await unit.connection.fetch(
        "WITH gone AS (DELETE FROM matching.open_item AS o USING work_pair AS p "
        "WHERE o.number = ANY($1) AND p.number = o.number AND ("
        "o.side = 'B' AND o.sequence = p.sequence AND o.part = p.part "
        "OR o.side = 'L' AND o.sequence = p.ledger_sequence) "
        "RETURNING o.number, o.side, o.sequence, o.part, o.finding, p.rule) "
        "SELECT * FROM gone WHERE finding IS NOT NULL",
        numbers,
    )
    for row in rows:
        place = Side(row["side"]), ItemKey(row["sequence"], row["part"])
        found.setdefault(row["number"], {})[place] = names[row["rule"]]
    return found


async def _store_pairs(unit: UnitOfWork, request: MatchRequest, run_id: int) -> None:
    await unit.connection.execute(
        "INSERT INTO matching.match (number, match_id, line, run_id, rule, score, bank_sequence, "
        "bank_part, ledger_sequence, bank_amount, ledger_amount, bank_on, ledger_on, last_on) "
        "SELECT number, nextval('matching.match_id'), 0, $1, ($2::text[])[rule + 1], "
        "($3::smallint[])[rule + 1], sequence, part, ledger_sequence, bank_amount, ledger_amount, "
        "bank_on, ledger_on, greatest(bank_on, ledger_on) "
        # In the order of the indexes: they then grow at one place.
        "FROM (SELECT * FROM work_pair ORDER BY number, sequence, part) AS p",
        run_id,
        [each.name for each in request.rules.references],
        [each.score for each in request.rules.references],
        timeout=_SECONDS_MAX,
    )


async def _finish(
    unit: UnitOfWork, run_id: int, through: Mapping[int, int], request: MatchRequest
) -> None:
    numbers = sorted(through)
    values = [through[number] for number in numbers]
    await unit.connection.execute(
        "INSERT INTO matching.run_account (run_id, number, through) "
        "SELECT $1, * FROM unnest($2::int[], $3::bigint[]) ON CONFLICT DO NOTHING",
        run_id,
        numbers,
        values,
    )
    await unit.connection.execute(
        "INSERT INTO matching.progress AS p (number, through, confirmed_on) "
        "SELECT number, through, $3 FROM unnest($1::int[], $2::bigint[]) AS k(number, through) "
        "ON CONFLICT (number) DO UPDATE SET through = greatest(p.through, excluded.through), "
        "confirmed_on = greatest(p.confirmed_on, excluded.confirmed_on)",
        numbers,
        values,
        request.at.date(),
    )
    for table in working_tables.all_tables(request.rules):
        await unit.connection.execute(f"DROP TABLE {table}")


async def _answer(
    unit: UnitOfWork,
    request: MatchRequest,
    through: Mapping[int, int],
    found: tuple[Mapping[int, Found], Mapping[int, Found]],
) -> list[MatchedDay]:
    days = await read_days(unit.connection, request, through)
    calendars = {account.number: account.calendar for account in request.accounts}
    before, matched_by = found
    answered = []
    for day in days:
        findings = findings_of(
            day.account,
            [*day.open_bank, *day.open_ledger],
            on=request.on,
            rules=request.rules,
            calendar=calendars[day.account],
        )
        cleared = cleared_of(
            day.account,
            before.get(day.account, {}),
            findings,
            matched_by.get(day.account, {}),
        )
        unique = {spelled(each.cause): each for each in findings.values()}
        answered.append(
            msgspec.structs.replace(day, findings=tuple(unique.values()), cleared=cleared)
        )
    return answered
