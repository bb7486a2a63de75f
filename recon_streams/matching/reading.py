"""Matches, suggestions and open items as people ask for them."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import asyncpg
import msgspec

from recon_streams.book.connection import Session
from recon_streams.kernel.money import amount_text

ROWS_MAX: Final = 1_000

_LIST: Final = """
SELECT m.match_id, a.account_id, a.currency, m.rule, m.score, m.last_on, m.explained_by,
    m.difference, m.because, m.run_id, m.released_by
FROM matching.match AS m JOIN positions.account AS a USING (number)
WHERE m.line = 0 AND ($1::text IS NULL OR a.account_id = $1)
    AND ($2::date IS NULL OR m.last_on = $2) AND ($3::text IS NULL OR m.rule = $3)
    AND ($4 OR m.released_by IS NULL)
ORDER BY m.match_id DESC LIMIT $5
"""
_LEGS: Final = """
SELECT m.*, l.movement_id, coalesce(l.reference, l.bank_reference, l.uetr, '') AS ledger_name,
    coalesce(b.end_to_end_id, b.servicer_reference, b.uetr, b.clearing_reference, '') AS bank_name
FROM matching.match AS m
LEFT JOIN LATERAL (SELECT * FROM positions.ledger_record AS r WHERE r.number = m.number
    AND r.ledger_sequence = m.ledger_sequence OFFSET 0) AS l ON true
LEFT JOIN LATERAL (SELECT * FROM positions.bank_entry AS e WHERE e.number = m.number
    AND e.sequence = m.bank_sequence AND e.part = m.bank_part OFFSET 0) AS b ON true
WHERE m.match_id = ANY($1) ORDER BY m.match_id, m.line
"""
_DEEDS: Final = """
SELECT match_id, kind, actor, reason, acted_at AS at FROM matching.action
WHERE match_id = ANY($1) ORDER BY action_id
"""


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a match; `name` for commands, `reference` for people."""

    name: str
    on: date
    amount: str
    reference: str = ""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did with a match."""

    kind: str
    actor: str
    reason: str
    at: datetime


class MatchShown(msgspec.Struct, frozen=True, kw_only=True):
    """A match with its items."""

    match_id: int
    account_id: str
    currency: str
    rule: str
    score: int
    on: date
    difference: str
    explained_by: str
    because: tuple[str, ...]
    holds: bool
    bank: tuple[Leg, ...] = ()
    ledger: tuple[Leg, ...] = ()
    actions: tuple[Action, ...] = ()


class OpenShown(msgspec.Struct, frozen=True, kw_only=True):
    """An open item with its reason."""

    account_id: str
    currency: str
    name: str
    on: date
    since: date
    amount: str
    reference: str
    why: str
    reason: str
    candidates: list[Any]


class SuggestionShown(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is asked."""

    account_id: str
    currency: str
    suggestion: str
    rule: str
    score: int
    bank: tuple[str, ...]
    ledger: tuple[str, ...]
    difference: str
    because: tuple[str, ...]


async def list_matches(
    connection: Session | asyncpg.Pool,
    *,
    account_id: str | None = None,
    on: date | None = None,
    rule: str | None = None,
    released: bool = False,
) -> list[MatchShown]:
    """Return the newest matches, at most 1,000, the newest first."""
    rows = await connection.fetch(_LIST, account_id, on, rule, released, ROWS_MAX)
    return await _with_legs(connection, rows)


async def read_match(connection: Session | asyncpg.Pool, match_id: int) -> MatchShown | None:
    """Return one match, or None."""
    rows = await connection.fetch(
        _LIST.replace("m.line = 0", "m.line = 0 AND m.match_id = $6"),
        None,
        None,
        None,
        True,  # noqa: FBT003 - an argument of the statement
        1,
        match_id,
    )
    if not rows:
        return None
    (found,) = await _with_legs(connection, rows)
    return found


async def list_open(
    connection: Session | asyncpg.Pool, account_id: str | None = None
) -> list[OpenShown]:
    """Return what is open, oldest first, at most 1,000."""
    rows = await connection.fetch(
        "SELECT a.account_id, a.currency, o.* FROM matching.open_item AS o "
        "JOIN positions.account AS a USING (number) "
        "WHERE $1::text IS NULL OR a.account_id = $1 "
        "ORDER BY o.day, a.account_id, o.name LIMIT $2",
        account_id,
        ROWS_MAX,
    )
    return [
        OpenShown(
            account_id=row["account_id"],
            currency=row["currency"],
            name=row["name"],
            on=row["day"],
            since=row["since"],
            amount=amount_text(row["amount"]),
            reference=row["reference"] or "",
            why=row["why"],
            reason=row["reason"],
            candidates=msgspec.json.decode(row["candidates"]),
        )
        for row in rows
    ]


async def list_suggestions(
    connection: Session | asyncpg.Pool, account_id: str | None = None
) -> list[SuggestionShown]:
    """Return what people are asked, the best first, at most 1,000."""
    rows = await connection.fetch(
        "SELECT a.account_id, a.currency, s.* FROM matching.suggestion AS s "
        "JOIN positions.account AS a USING (number) "
        "WHERE $1::text IS NULL OR a.account_id = $1 "
        "ORDER BY s.score DESC, a.account_id, s.suggestion LIMIT $2",
        account_id,
        ROWS_MAX,
    )
    ledger = {(row["number"], key[0]) for row in rows for key in msgspec.json.decode(row["ledger"])}
    names = await _movements(connection, ledger)
    return [
        SuggestionShown(
            account_id=row["account_id"],
            currency=row["currency"],
            suggestion=row["suggestion"],
            rule=row["rule"],
            score=row["score"],
            bank=tuple(f"bank:{s}.{p}" for s, p in msgspec.json.decode(row["bank"])),
            ledger=tuple(
                f"ledger:{names[row['number'], s]}" for s, _ in msgspec.json.decode(row["ledger"])
            ),
            difference=amount_text(row["difference"]),
            because=tuple(row["because"]),
        )
        for row in rows
    ]


async def _with_legs(
    connection: Session | asyncpg.Pool, rows: Sequence[asyncpg.Record]
) -> list[MatchShown]:
    ids = [row["match_id"] for row in rows]
    banks: dict[int, list[Leg]] = {}
    ledgers: dict[int, list[Leg]] = {}
    for line in await connection.fetch(_LEGS, ids):
        if line["bank_sequence"] is not None:
            name = f"bank:{line['bank_sequence']}.{line['bank_part']}"
            banks.setdefault(line["match_id"], []).append(_leg(line, "bank", name))
        if line["ledger_sequence"] is not None:
            name = f"ledger:{line['movement_id']}"
            ledgers.setdefault(line["match_id"], []).append(_leg(line, "ledger", name))
    deeds: dict[int, list[Action]] = {}
    for deed in await connection.fetch(_DEEDS, ids):
        told = {name: deed[name] for name in Action.__struct_fields__}
        deeds.setdefault(deed["match_id"], []).append(Action(**told))
    shown = [
        _shown(row, banks.get(row["match_id"], []), ledgers.get(row["match_id"], []))
        for row in rows
    ]
    return [
        msgspec.structs.replace(each, actions=tuple(deeds.get(each.match_id, ()))) for each in shown
    ]


def _leg(line: asyncpg.Record, side: str, name: str) -> Leg:
    return Leg(
        name=name,
        on=line[f"{side}_on"],
        amount=amount_text(line[f"{side}_amount"]),
        reference=line[f"{side}_name"],
    )


def _shown(row: asyncpg.Record, bank: list[Leg], ledger: list[Leg]) -> MatchShown:
    because = row["because"]
    if because is None:
        # By a reference, with equal amounts: what the rule and the two items say.
        # (What has no ledger item always says why itself.)
        days = (bank[0].on - ledger[0].on).days
        said = "date equal" if days == 0 else f"date {days:+d} d"
        because = (f"{row['rule']} equal", f"amount {bank[0].amount} equal", said)
    return MatchShown(
        match_id=row["match_id"],
        account_id=row["account_id"],
        currency=row["currency"],
        rule=row["rule"],
        score=row["score"],
        on=row["last_on"],
        difference=amount_text(row["difference"] or Decimal(0)),
        explained_by=row["explained_by"] or "",
        because=tuple(because),
        holds=row["released_by"] is None,
        bank=tuple(bank),
        ledger=tuple(ledger),
    )


async def _movements(
    connection: Session | asyncpg.Pool, keys: set[tuple[int, int]]
) -> dict[tuple[int, int], str]:
    rows = await connection.fetch(
        "SELECT r.number, r.ledger_sequence, r.movement_id "
        "FROM unnest($1::int[], $2::bigint[]) AS k(number, ledger_sequence) "
        "JOIN positions.ledger_record AS r USING (number, ledger_sequence)",
        [number for number, _ in keys],
        [sequence for _, sequence in keys],
    )
    return {(row["number"], row["ledger_sequence"]): row["movement_id"] for row in rows}
