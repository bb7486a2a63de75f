"""How an account's day stands, from matching's own tables: each sum by the database and by rows."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from recon_streams.book.connection import Session
from recon_streams.kernel.money import ZERO, add
from recon_streams.matching.hand_day import ByHand, read_by_hand
from recon_streams.matching.items import Side
from recon_streams.matching.request import (
    ClassTotal,
    Difference,
    HandDifference,
    MatchedDay,
    MatchedLater,
    MatchRequest,
    OpenItem,
    RuleTotal,
)
from recon_streams.matching.store import open_item

_OPEN: Final = """
SELECT * FROM matching.open_item WHERE number = ANY($1) AND day <= $2
ORDER BY number, side, day, name
"""
_OPEN_TOTAL: Final = """
SELECT number, 'open ' || side AS class, count(*) AS n, sum(amount) AS amount
FROM matching.open_item WHERE number = ANY($1) AND day <= $2 GROUP BY number, side
"""
_DIFFERENCES: Final = """
SELECT number, match_id, last_on, difference, coalesce(explained_by, '') AS explained_by
FROM matching.match WHERE number = ANY($1) AND difference IS NOT NULL AND released_by IS NULL
    AND explained_by IS DISTINCT FROM 'hand' AND last_on <= $2 ORDER BY number, match_id
"""
_DIFFERENCES_TOTAL: Final = """
SELECT number, 'difference' AS class, count(*) AS n, sum(difference) AS amount
FROM matching.match WHERE number = ANY($1) AND difference IS NOT NULL AND released_by IS NULL
    AND explained_by IS DISTINCT FROM 'hand' AND last_on <= $2 GROUP BY number
"""
# A match counts here as far as its items are of the day or before; whether a statement denies one
# of the others is asked of all its lines. One that a person made of two amounts is told of by
# itself: what comes later makes up for a part of it at most.
_LATER: Final = """
SELECT number, match_id, rule, last_on, bank_amount, bank_on, ledger_amount, ledger_on, l.name,
    EXISTS (SELECT FROM matching.match AS d WHERE d.number = m.number
        AND d.match_id = m.match_id AND d.released_by IS NULL AND d.bank_on > $2
        AND EXISTS (SELECT FROM positions.statement AS s WHERE s.number = d.number
            AND s.closing_on >= d.bank_on AND s.status = 'ACCEPTED')
        AND NOT EXISTS (SELECT FROM positions.bank_entry AS e WHERE e.number = d.number
            AND e.sequence = d.bank_sequence AND e.part = d.bank_part AND e.stated)
        AND NOT EXISTS (SELECT FROM positions.entry_confirmation AS c WHERE c.number = d.number
            AND c.sequence = d.bank_sequence AND c.part = d.bank_part AND c.stated)) AS denied
FROM matching.match AS m LEFT JOIN LATERAL (
    SELECT coalesce(reference, bank_reference, movement_id) AS name FROM positions.ledger_record
    WHERE number = m.number AND ledger_sequence = m.ledger_sequence OFFSET 0) AS l ON true
WHERE number = ANY($1) AND released_by IS NULL AND last_on > $2
    AND (bank_on <= $2 OR ledger_on <= $2)
    AND NOT (rule = 'hand' AND EXISTS (SELECT FROM matching.match AS d WHERE d.number = m.number
        AND d.match_id = m.match_id AND d.rule = 'hand' AND d.released_by IS NULL
        AND d.difference IS NOT NULL))
ORDER BY number, match_id, line
"""
_LATER_TOTAL: Final = """
SELECT number, 'later' AS class, count(DISTINCT match_id) AS n,
    coalesce(sum(bank_amount) FILTER (WHERE bank_on <= $2), 0)
    - coalesce(sum(ledger_amount) FILTER (WHERE ledger_on <= $2), 0) AS amount
FROM matching.match AS m WHERE number = ANY($1) AND released_by IS NULL AND last_on > $2
    AND (bank_on <= $2 OR ledger_on <= $2)
    AND NOT (rule = 'hand' AND EXISTS (SELECT FROM matching.match AS d WHERE d.number = m.number
        AND d.match_id = m.match_id AND d.rule = 'hand' AND d.released_by IS NULL
        AND d.difference IS NOT NULL))
GROUP BY number
"""
_RULES: Final = """
SELECT number, rule, count(*) FILTER (WHERE line = 0) AS matches,
    count(bank_sequence) AS bank_items, count(ledger_sequence) AS ledger_items,
    coalesce(sum(bank_amount), 0) AS bank_amount,
    coalesce(sum(ledger_amount), 0) AS ledger_amount, coalesce(sum(difference), 0) AS difference
FROM matching.match WHERE number = ANY($1) AND released_by IS NULL AND last_on = $2
GROUP BY number, rule ORDER BY number, rule COLLATE "C"
"""


class TwoRoads(AssertionError):
    """The database's sum of a class is not that of its rows: we are wrong."""


async def read_days(
    connection: Session, request: MatchRequest, through: Mapping[int, int]
) -> list[MatchedDay]:
    """Return how the day of each account stands, in the order of their numbers."""
    numbers = sorted(through)
    asked = numbers, request.on
    items = _grouped(await connection.fetch(_OPEN, *asked))
    differences = _grouped(await connection.fetch(_DIFFERENCES, *asked))
    later = _grouped(await connection.fetch(_LATER, *asked))
    hands = await read_by_hand(connection, numbers, request.on)
    rules = _grouped(await connection.fetch(_RULES, *asked))
    totals = {
        (row["number"], row["class"]): ClassTotal(count=row["n"], amount=row["amount"])
        for statement in (_OPEN_TOTAL, _DIFFERENCES_TOTAL, _LATER_TOTAL)
        for row in await connection.fetch(statement, *asked)
    }
    days = []
    for number in numbers:
        found = [open_item(row) for row in items.get(number, ())]
        hand = hands.get(number, ByHand())
        later_total = totals.get((number, "later"), ClassTotal())
        day = MatchedDay(
            account=number,
            on=request.on,
            through=through[number],
            rules_version=request.rules.version,
            rules_sha256=request.rules.sha256,
            open_bank=tuple(item for item in found if item.side is Side.BANK),
            open_ledger=tuple(item for item in found if item.side is Side.LEDGER),
            differences=tuple(map(_difference, differences.get(number, ()))),
            by_hand=hand.differences,
            later=(*_later(later.get(number, ()), request), *hand.later),
            matched=tuple(map(_rule_total, rules.get(number, ()))),
            open_bank_total=totals.get((number, "open B"), ClassTotal()),
            open_ledger_total=totals.get((number, "open L"), ClassTotal()),
            differences_total=totals.get((number, "difference"), ClassTotal()),
            by_hand_total=hand.total,
            later_total=ClassTotal(
                count=later_total.count + hand.later_total.count,
                amount=add(later_total.amount, hand.later_total.amount),
            ),
        )
        _compare_roads(day)
        days.append(day)
    return days


def _compare_roads(day: MatchedDay) -> None:
    rows: dict[
        str, tuple[Iterable[OpenItem | Difference | HandDifference | MatchedLater], ClassTotal]
    ] = {
        "open bank items": (day.open_bank, day.open_bank_total),
        "open ledger items": (day.open_ledger, day.open_ledger_total),
        "differences": (day.differences, day.differences_total),
        "differences by hand": (day.by_hand, day.by_hand_total),
        "matched later": (day.later, day.later_total),
    }
    for name, (items, total) in rows.items():
        amounts = [item.amount for item in items]
        if len(amounts) != total.count or _sum(amounts) != total.amount:
            raise TwoRoads(
                f"account {day.account}, {day.on}, {name}: rows give {len(amounts)} and "
                f"{_sum(amounts)}, the database {total.count} and {total.amount}"
            )


def _difference(row: Any) -> Difference:  # noqa: ANN401 - a row
    return Difference(
        match_id=row["match_id"],
        on=row["last_on"],
        amount=row["difference"],
        explained_by=row["explained_by"],
    )


def _later(rows: Iterable[Any], request: MatchRequest) -> list[MatchedLater]:
    found: dict[int, MatchedLater] = {}
    for row in rows:
        amounts = [
            (row["bank_on"], row["bank_amount"]),
            (row["ledger_on"], None if row["ledger_amount"] is None else -row["ledger_amount"]),
        ]
        parts = [(day, amount) for day, amount in amounts if day and day <= request.on]
        before = found.get(row["match_id"])
        days = [day for day, _ in parts] + ([before.on] if before else [])
        found[row["match_id"]] = MatchedLater(
            match_id=row["match_id"],
            on=min(days),
            last_on=row["last_on"],
            reference=(before.reference if before else "") or row["name"] or "",
            by_hand=row["rule"] == "hand",
            is_denied=row["denied"],
            amount=_sum([amount for _, amount in parts] + ([before.amount] if before else [])),
        )
    return list(found.values())


def _rule_total(row: Any) -> RuleTotal:  # noqa: ANN401 - a row
    names = RuleTotal.__struct_fields__
    return RuleTotal(**{name: row[name] for name in names})


def _grouped(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row["number"], []).append(row)
    return found


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for amount in amounts:
        total = add(total, amount)
    return total
