"""The SQL of matching's own tables: what a run writes, and what it reads back of it."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import asyncpg
import msgspec

from recon_streams.book.bulk import Bulk
from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.money import amount_text
from recon_streams.matching.items import BankItem, Item, ItemKey, LedgerItem, Side
from recon_streams.matching.request import OpenItem
from recon_streams.matching.results import Candidate, Match, Why

Place: TypeAlias = tuple[Side, ItemKey]

_LINE: Final = {
    "number": "int",
    "match_id": "bigint",
    "line": "int",
    "run_id": "bigint",
    "rule": "text",
    "score": "smallint",
    "bank_sequence": "bigint",
    "bank_part": "int",
    "ledger_sequence": "bigint",
    "bank_amount": "numeric",
    "ledger_amount": "numeric",
    "bank_on": "date",
    "ledger_on": "date",
    "last_on": "date",
    "difference": "numeric",
    "explained_by": "text",
}
_LINE_NAMES: Final = ", ".join(_LINE)
# An array of arrays cannot be unnested row by row; the reasons travel as one text.
MATCH: Final = Bulk(
    "match_line",
    (*_LINE.items(), ("because", "text")),
    f"INSERT INTO matching.match ({_LINE_NAMES}, because) SELECT {_LINE_NAMES}, "  # noqa: S608 - ours
    "string_to_array(because, chr(10)) FROM {rows}",
)
OPEN: Final = Bulk(
    "open_item",
    (
        ("number", "int"),
        ("side", "text"),
        ("sequence", "bigint"),
        ("part", "int"),
        ("arrived_on", "date"),
        ("name", "text"),
        ("day", "date"),
        ("amount", "numeric"),
        ("reference", "text"),
        ("since", "date"),
        ("why", "text"),
        ("reason", "text"),
        ("candidates", "text"),
        ("finding", "text"),
    ),
    "INSERT INTO matching.open_item AS o (number, side, sequence, part, arrived_on, name, day, "
    "amount, reference, since, why, reason, candidates, finding) "
    "SELECT number, side, sequence, part, arrived_on, name, day, amount, reference, since, why, "
    "reason, candidates::jsonb, finding FROM {rows} "
    "ON CONFLICT (number, side, sequence, part) DO UPDATE SET day = excluded.day, "
    "why = excluded.why, reason = excluded.reason, candidates = excluded.candidates, "
    "finding = excluded.finding WHERE (o.day, o.why, o.reason, o.candidates, o.finding) "
    "IS DISTINCT FROM (excluded.day, excluded.why, excluded.reason, excluded.candidates, "
    "excluded.finding)",
)
SUGGESTION: Final = Bulk(
    "suggestion",
    (
        ("number", "int"),
        ("suggestion", "text"),
        ("rule", "text"),
        ("score", "smallint"),
        ("bank", "text"),
        ("ledger", "text"),
        ("difference", "numeric"),
        ("explained_by", "text"),
        ("because", "text"),
    ),
    "INSERT INTO matching.suggestion SELECT number, suggestion, rule, score, bank::jsonb, "
    "ledger::jsonb, difference, explained_by, string_to_array(because, chr(10)) FROM {rows}",
)
_BANK_COLUMNS: Final = (
    "e.number, e.sequence, e.part, e.arrived_on, e.value_on, lower(e.uetr) AS uetr, "
    "e.servicer_reference, e.entry_reference, e.clearing_reference, e.end_to_end_id, "
    "e.batch_reference, e.counterparty, e.remittance"
)


async def read_bank_rest(connection: Session, table: str, numbers: Sequence[int]) -> list[Any]:
    """Return what the passes left of the bank items of some accounts."""
    return await connection.fetch(
        f"SELECT {_BANK_COLUMNS}, w.day, w.amount FROM {table} AS w "  # noqa: S608 - ours
        "JOIN positions.bank_entry AS e USING (number, sequence, part, arrived_on) "
        "WHERE w.number = ANY($1)",
        numbers,
    )


async def read_ledger_rest(connection: Session, table: str, numbers: Sequence[int]) -> list[Any]:
    """Return what the passes left of the ledger items of some accounts."""
    return await connection.fetch(
        "SELECT i.*, w.day "  # noqa: S608 - ours
        f"FROM {table} AS w JOIN matching.ledger_item AS i USING (number, ledger_sequence) "
        "WHERE w.number = ANY($1)",
        numbers,
    )


def bank_item(row: asyncpg.Record) -> BankItem:
    """Return the bank item of a row of `matching.bank_item`."""
    return BankItem(
        key=ItemKey(row["sequence"], row["part"]),
        on=row["day"],
        amount=row["amount"],
        value_on=row["value_on"],
        uetr=row["uetr"],
        servicer_reference=row["servicer_reference"],
        entry_reference=row["entry_reference"],
        clearing_reference=row["clearing_reference"],
        end_to_end_id=row["end_to_end_id"],
        batch_reference=row["batch_reference"],
        counterparty=row["counterparty"],
        remittance=row["remittance"],
        arrived_on=row["arrived_on"],
    )


def ledger_item(row: asyncpg.Record) -> LedgerItem:
    """Return the ledger item of a row of `matching.ledger_item` with its `day`."""
    return LedgerItem(
        key=ItemKey(row["ledger_sequence"]),
        movement_id=row["movement_id"],
        on=row["day"],
        amount=row["amount"],
        kind=row["kind"] or "",
        uetr=row["uetr"],
        bank_reference=row["bank_reference"],
        reference=row["reference"],
        batch_reference=row["batch_reference"],
        counterparty=row["counterparty"],
    )


def open_item(row: asyncpg.Record) -> OpenItem:
    """Return the value of a row of `matching.open_item`."""
    return OpenItem(
        side=Side(row["side"]),
        key=ItemKey(row["sequence"], row["part"]),
        name=row["name"],
        on=row["day"],
        amount=row["amount"],
        reference=row["reference"] or "",
        since=row["since"],
        why=Why(row["why"]),
        reason=row["reason"],
        candidates=tuple(msgspec.json.decode(row["candidates"], type=list[Candidate])),
        arrived_on=row["arrived_on"],
        finding=row["finding"] or "",
    )


async def new_match_ids(connection: Session, count: int) -> list[int]:
    """Return `count` names for matches."""
    rows = await connection.fetch(
        "SELECT nextval('matching.match_id') AS id FROM generate_series(1, $1)", count
    )
    return [row["id"] for row in rows]


def write_match(
    unit: UnitOfWork,
    match: Match,
    items: tuple[Sequence[BankItem], Sequence[LedgerItem]],
    *,
    numbers: tuple[int, int],
    run_id: int | None,
) -> None:
    """Write one match.

    Args:
        unit: Writes it.
        match: What is said of it.
        items: Its items in order.
        numbers: The account's, and the name of the match.
        run_id: The run that found it; None if a person did.
    """
    banks, ledgers = items
    last_on = max(item.on for side in items for item in side)
    rows = []
    for line in range(max(len(banks), len(ledgers))):
        bank = banks[line] if line < len(banks) else None
        ledger = ledgers[line] if line < len(ledgers) else None
        said: tuple[Any, ...] = (None, None, None)
        if line == 0:
            said = (match.difference or None, match.explained_by or None, "\n".join(match.because))
        rows.append(
            (
                *numbers,
                line,
                run_id,
                match.rule,
                match.score,
                bank and bank.key.sequence,
                bank and bank.key.part,
                ledger and ledger.key.sequence,
                bank and bank.amount,
                ledger and ledger.amount,
                bank and bank.on,
                ledger and ledger.on,
                last_on,
                *said,
            )
        )
    unit.write(MATCH, rows)


def write_open(unit: UnitOfWork, number: int, items: Sequence[OpenItem]) -> None:
    """Write what is open of an account, over what was written of it before."""
    unit.write(
        OPEN,
        (
            (
                number,
                item.side.value,
                item.key.sequence,
                item.key.part,
                item.arrived_on,
                item.name,
                item.on,
                item.amount,
                item.reference or None,
                item.since,
                item.why.value,
                item.reason,
                msgspec.json.encode(item.candidates).decode(),
                item.finding or None,
            )
            for item in items
        ),
    )


def write_suggestions(unit: UnitOfWork, number: int, suggestions: Sequence[Match]) -> None:
    """Write what a person is asked about an account."""
    unit.write(
        SUGGESTION,
        (
            (
                number,
                suggestion_name(number, each),
                each.rule,
                each.score,
                _keys(each.bank),
                _keys(each.ledger),
                each.difference,
                each.explained_by,
                "\n".join(each.because),
            )
            for each in suggestions
        ),
    )


def suggestion_name(number: int, match: Match) -> str:
    """Return the name of a suggestion: the same items have the same one in every run."""
    text = f"{number} {_keys(match.bank)} {_keys(match.ledger)} {amount_text(match.difference)}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def reference_of(item: Item) -> str:
    """Return by what a person recognises `item`."""
    if isinstance(item, BankItem):
        found = item.end_to_end_id or item.servicer_reference or item.uetr
        return found or item.clearing_reference or item.batch_reference or ""
    return item.reference or item.bank_reference or item.uetr or item.movement_id


async def close_items(connection: Session, number: int, places: Sequence[Place]) -> None:
    """Take items that were matched out of what is open."""
    await connection.execute(
        "DELETE FROM matching.open_item AS o USING unnest($2::text[], $3::bigint[], $4::int[]) "
        "AS k(side, sequence, part) WHERE o.number = $1 AND o.side = k.side "
        "AND o.sequence = k.sequence AND o.part = k.part",
        number,
        [side.value for side, _ in places],
        [key.sequence for _, key in places],
        [key.part for _, key in places],
    )


def _keys(keys: Sequence[ItemKey]) -> str:
    return msgspec.json.encode([list(key) for key in keys]).decode()
