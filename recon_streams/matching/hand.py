"""What people do by hand: match anything with anything, confirm a suggestion, take a match apart.

Nothing is rewritten. A match that is taken apart stays, with who released it and why; its items are
open again as if it had never been, and the engine does not put the same pair together any more.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import msgspec

from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.discrepancies.finding import Cleared, Finding
from recon_streams.discrepancies.register import note
from recon_streams.matching import hand_items, store
from recon_streams.matching.hand_news import (
    HAND,
    difference_of,
    difference_taken_apart,
    proven_by_hand,
    refusal_of,
)
from recon_streams.matching.items import BankItem, Item, ItemKey, LedgerItem
from recon_streams.matching.request import OpenItem
from recon_streams.matching.results import Match, Why

_LOCK: Final = 0x6D617463

# Whether the period of an account's day is closed.
Closed = Callable[[Session, int, date], Awaitable[bool]]


class HandRefused(Exception):
    """What was asked for cannot be done; says why. Nothing was changed."""


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """Who does something to an account's matches, why, and what may forbid it.

    Attributes:
        name: What people call the account.
        zone: The account's time zone.
        on: The day from which on released items are open.
    """

    account: int
    name: str
    actor: str
    reason: str
    zone: str
    on: date
    at: datetime
    is_closed: Closed


async def never_closed(_connection: Session, _account: int, _on: date) -> bool:
    """Return False: nothing closes periods yet."""
    return False


async def match_by_hand(
    unit: UnitOfWork,
    deed: Deed,
    bank: Sequence[ItemKey],
    movements: Sequence[str],
    *,
    accept_difference: Decimal | None = None,
) -> int:
    """Match items of any number on both sides; return the name of the match.

    A difference of their sums stays: as an item of each day's statement that makes up for nothing,
    and as a discrepancy.

    Args:
        unit: Writes it.
        deed: Who, and why.
        bank: Items of the bank.
        movements: Movements of the ledger.
        accept_difference: Bank less ledger, if it is not zero: whoever says it has seen it.

    Raises:
        HandRefused: An item is not open, its period is closed, the two sides do not go in one
            direction, or they differ by another amount than was accepted.
    """
    await _begin(unit, deed)
    banks, ledgers = await _open_items(unit.connection, deed, bank, movements)
    if refusal := refusal_of(banks, ledgers, accept_difference):
        raise HandRefused(refusal)
    match = Match(
        rule=HAND,
        score=100,
        bank=tuple(item.key for item in banks),
        ledger=tuple(item.key for item in ledgers),
        difference=difference_of(banks, ledgers),
        explained_by=HAND,
        because=(deed.reason,),
    )
    return await _store(unit, deed, "MATCH", match, (banks, ledgers))


async def confirm(unit: UnitOfWork, deed: Deed, suggestion: str) -> int:
    """Make a suggestion a match; return its name.

    Raises:
        HandRefused: There is no such suggestion, or a period is closed.
    """
    await _begin(unit, deed)
    row = await unit.connection.fetchrow(
        "SELECT * FROM matching.suggestion WHERE number = $1 AND suggestion = $2",
        deed.account,
        suggestion,
    )
    if row is None:
        raise HandRefused(f"{deed.name} has no suggestion {suggestion}")
    keys = [
        [ItemKey(*key) for key in msgspec.json.decode(row[side])] for side in ("bank", "ledger")
    ]
    names = await unit.connection.fetch(
        "SELECT movement_id FROM matching.ledger_item "
        "WHERE number = $1 AND ledger_sequence = ANY($2)",
        deed.account,
        [key.sequence for key in keys[1]],
    )
    movements = [name["movement_id"] for name in names]
    banks, ledgers = await _open_items(unit.connection, deed, keys[0], movements)
    match = Match(
        rule=row["rule"],
        score=row["score"],
        bank=tuple(item.key for item in banks),
        ledger=tuple(item.key for item in ledgers),
        difference=row["difference"],
        explained_by=row["explained_by"],
        because=tuple(row["because"]),
    )
    return await _store(unit, deed, "CONFIRM", match, (banks, ledgers))


async def unmatch(unit: UnitOfWork, deed: Deed, match_id: int) -> None:
    """Take a match apart: its items are open again, it stays as history.

    Raises:
        HandRefused: There is no such match, it was taken apart before, or a period is closed.
    """
    await _begin(unit, deed)
    connection = unit.connection
    rows = await connection.fetch(
        "SELECT bank_sequence, bank_part, ledger_sequence, rule, difference FROM matching.match "
        "WHERE match_id = $1 AND number = $2 AND released_by IS NULL "
        "ORDER BY line",
        match_id,
        deed.account,
    )
    if not rows:
        raise HandRefused(f"{deed.name} has no match {match_id} that holds")
    bank = [
        ItemKey(row["bank_sequence"], row["bank_part"])
        for row in rows
        if row["bank_sequence"] is not None
    ]
    ledger = [row["ledger_sequence"] for row in rows if row["ledger_sequence"] is not None]
    banks = await hand_items.bank_items(connection, deed.account, bank)
    ledgers = await hand_items.ledger_items(connection, deed.account, deed.zone, ledger)
    await _refuse_closed(unit, deed, [*banks, *ledgers])
    action = await _act(unit, deed, "UNMATCH", match_id)
    await connection.execute(
        "UPDATE matching.match SET released_by = $3 "
        "WHERE match_id = $1 AND number = $2 AND released_by IS NULL",
        match_id,
        deed.account,
        action,
    )
    items: list[Item] = [*banks, *ledgers]
    store.write_open(unit, deed.account, [_reopened(item, deed) for item in items])
    await unit.flush()
    if rows[0]["rule"] == HAND and rows[0]["difference"]:
        gone = difference_taken_apart(deed.account, match_id)
        await _tell(unit, deed, match_id, ([], [gone]))


def _reopened(item: Item, deed: Deed) -> OpenItem:
    return OpenItem(
        side=item.side,
        key=item.key,
        name=item.name,
        on=item.on,
        amount=item.amount,
        reference=store.reference_of(item),
        since=deed.on,
        why=Why.APART,
        reason=f"taken apart by {deed.actor}: {deed.reason}",
        arrived_on=item.arrived_on if isinstance(item, BankItem) else None,
    )


async def _begin(unit: UnitOfWork, deed: Deed) -> None:
    if not deed.reason.strip() or not deed.actor.strip():
        raise HandRefused("say who does it, and why")
    await unit.connection.execute("SELECT pg_advisory_xact_lock($1, $2)", _LOCK, deed.account)


async def _open_items(
    connection: Session, deed: Deed, bank: Sequence[ItemKey], movements: Sequence[str]
) -> tuple[list[BankItem], list[LedgerItem]]:
    if not bank or not movements:
        raise HandRefused("name items of both sides")
    rows = await connection.fetch(
        "SELECT ledger_sequence FROM matching.ledger_item "
        "WHERE number = $1 AND movement_id = ANY($2)",
        deed.account,
        list(movements),
    )
    banks = await hand_items.bank_items(connection, deed.account, bank)
    sequences = [row["ledger_sequence"] for row in rows]
    ledgers = await hand_items.ledger_items(connection, deed.account, deed.zone, sequences)
    found: list[Item] = [*banks, *ledgers]
    known = {item.name for item in found}
    asked = {f"bank:{key.sequence}.{key.part}" for key in bank} | {
        f"ledger:{name}" for name in movements
    }
    if missing := sorted(asked - known):
        raise HandRefused(f"no such items: {', '.join(missing)}")
    taken = await connection.fetch(
        "SELECT match_id FROM matching.match WHERE number = $1 AND released_by IS NULL "
        "AND (ledger_sequence = ANY($2) OR (bank_sequence, bank_part) IN "
        "(SELECT * FROM unnest($3::bigint[], $4::int[])))",
        deed.account,
        [item.key.sequence for item in ledgers],
        [item.key.sequence for item in banks],
        [item.key.part for item in banks],
    )
    if taken:
        names = ", ".join(sorted({str(row["match_id"]) for row in taken}))
        raise HandRefused(f"some of them are matched already, by {names}; take that apart first")
    return banks, ledgers


async def _store(
    unit: UnitOfWork,
    deed: Deed,
    kind: str,
    match: Match,
    items: tuple[list[BankItem], list[LedgerItem]],
) -> int:
    every: list[Item] = [*items[0], *items[1]]
    await _refuse_closed(unit, deed, every)
    (match_id,) = await store.new_match_ids(unit.connection, 1)
    store.write_match(unit, match, items, numbers=(deed.account, match_id), run_id=None)
    await _act(unit, deed, kind, match_id)
    places = [(item.side, item.key) for item in every]
    found_before = await hand_items.findings_of_items(unit.connection, deed.account, places)
    await store.close_items(unit.connection, deed.account, places)
    await unit.connection.execute(
        "DELETE FROM matching.suggestion WHERE number = $1 AND (EXISTS (SELECT FROM "
        "jsonb_array_elements(bank) AS k, unnest($2::bigint[], $3::int[]) AS i(s, p) "
        "WHERE (k->>0)::bigint = i.s AND (k->>1)::int = i.p) OR EXISTS (SELECT FROM "
        "jsonb_array_elements(ledger) AS k WHERE (k->>0)::bigint = ANY($4)))",
        deed.account,
        [item.key.sequence for item in items[0]],
        [item.key.part for item in items[0]],
        [item.key.sequence for item in items[1]],
    )
    await unit.flush()
    news = proven_by_hand(deed.account, match, match_id, (items, found_before))
    await _tell(unit, deed, match_id, news)
    return match_id


async def _tell(
    unit: UnitOfWork,
    deed: Deed,
    match_id: int,
    news: tuple[Sequence[Finding], Sequence[Cleared]],
) -> None:
    found, cleared = news
    # Made and taken apart are two things that are said of one match.
    evidence = f"match {match_id} by hand at {deed.at.isoformat()}"
    await note(unit, found, cleared, at=deed.at, evidence=evidence)


async def _refuse_closed(unit: UnitOfWork, deed: Deed, items: Sequence[Item]) -> None:
    for on in sorted({item.on for item in items}):
        if await deed.is_closed(unit.connection, deed.account, on):
            raise HandRefused(f"the period of {on} is closed; reopen it first")


async def _act(unit: UnitOfWork, deed: Deed, kind: str, match_id: int) -> int:
    action: int = await unit.connection.fetchval(
        "INSERT INTO matching.action (number, kind, match_id, actor, reason) "
        "VALUES ($1, $2, $3, $4, $5) RETURNING action_id",
        deed.account,
        kind,
        match_id,
        deed.actor,
        deed.reason,
    )
    return action
