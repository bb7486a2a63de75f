"""What matches by hand leave between bank and ledger as of a day, by rows and by the database.

Of such a match only so much is a matter of time as its later items make good. The rest is a
difference that a person has accepted: it explains the day and makes up for nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec

from recon_streams.book.connection import Session
from recon_streams.kernel.money import ZERO, add, amount_text, subtract
from recon_streams.matching.request import ClassTotal, HandDifference, MatchedLater

# Of a match with a hundred items a person reads the first, and `matches show` has them all.
_ITEMS_MAX: Final = 6

_LINES: Final = """
SELECT m.*, b.end_to_end_id, b.servicer_reference, b.uetr, b.clearing_reference, l.movement_id,
    l.reference, l.bank_reference
FROM (SELECT *, max(difference) OVER (PARTITION BY number, match_id) AS apart
    FROM matching.match WHERE number = ANY($1) AND rule = 'hand' AND released_by IS NULL) AS m
LEFT JOIN LATERAL (SELECT * FROM matching.bank_item AS b WHERE b.number = m.number
    AND b.sequence = m.bank_sequence AND b.part = m.bank_part OFFSET 0) AS b ON true
LEFT JOIN LATERAL (SELECT * FROM positions.ledger_record AS l WHERE l.number = m.number
    AND l.ledger_sequence = m.ledger_sequence OFFSET 0) AS l ON true
WHERE m.apart IS NOT NULL ORDER BY m.number, m.match_id, m.line
"""
_DEEDS: Final = """
SELECT match_id, actor, reason FROM matching.action WHERE match_id = ANY($1) AND kind = 'MATCH'
"""
_TOTALS: Final = """
SELECT number, count(*) FILTER (WHERE part <> made_good) AS n,
    sum(part - made_good) AS amount, count(*) FILTER (WHERE made_good <> 0) AS later,
    sum(made_good) AS later_amount
FROM (SELECT number, part, CASE WHEN sign(part) = -sign(apart - part)
        THEN sign(part) * least(abs(part), abs(apart - part)) ELSE 0 END AS made_good
    FROM (SELECT number, max(difference) AS apart,
            coalesce(sum(bank_amount) FILTER (WHERE bank_on <= $2), 0)
            - coalesce(sum(ledger_amount) FILTER (WHERE ledger_on <= $2), 0) AS part
        FROM matching.match WHERE number = ANY($1) AND rule = 'hand' AND released_by IS NULL
        GROUP BY number, match_id HAVING max(difference) IS NOT NULL) AS m) AS p
GROUP BY number
"""


class ByHand(msgspec.Struct, frozen=True, kw_only=True):
    """What the matches by hand of one account leave as of a day."""

    differences: tuple[HandDifference, ...] = ()
    later: tuple[MatchedLater, ...] = ()
    total: ClassTotal = ClassTotal()
    later_total: ClassTotal = ClassTotal()


async def read_by_hand(connection: Session, numbers: Sequence[int], on: date) -> dict[int, ByHand]:
    """Return, by account, what matches by hand of differing amounts leave as of `on`."""
    lines = await connection.fetch(_LINES, numbers)
    if not lines:
        return {}
    by_match: dict[tuple[int, int], list[Any]] = {}
    for line in lines:
        by_match.setdefault((line["number"], line["match_id"]), []).append(line)
    rows = await connection.fetch(_DEEDS, [match_id for _, match_id in by_match])
    deeds = {row["match_id"]: (row["actor"], row["reason"]) for row in rows}
    found: dict[int, tuple[list[HandDifference], list[MatchedLater]]] = {}
    for (number, match_id), of_match in by_match.items():
        left, made_good = _of_match(of_match, deeds.get(match_id, ("", "")), on)
        differences, later = found.setdefault(number, ([], []))
        differences += left
        later += made_good
    totals = {row["number"]: row for row in await connection.fetch(_TOTALS, numbers, on)}
    return {
        number: ByHand(
            differences=tuple(differences),
            later=tuple(later),
            total=_total(totals[number], "n", "amount"),
            later_total=_total(totals[number], "later", "later_amount"),
        )
        for number, (differences, later) in found.items()
    }


def made_good_of(part: Decimal, difference: Decimal) -> Decimal:
    """Return how much of `part` is made good by what is of later days.

    Args:
        part: Bank less ledger of the items up to the day.
        difference: Bank less ledger of all items.
    """
    coming = subtract(difference, part)
    if not part or not coming or (part > 0) == (coming > 0):
        return ZERO
    return part if abs(part) <= abs(coming) else -coming


def _of_match(
    lines: Sequence[Mapping[str, Any]], deed: tuple[str, str], on: date
) -> tuple[list[HandDifference], list[MatchedLater]]:
    amounts = list(_amounts(lines))
    reached = [(day, amount) for day, amount in amounts if day <= on]
    if not reached:
        return [], []
    part = _sum(amount for _, amount in reached)
    made_good = made_good_of(part, _sum(amount for _, amount in amounts))
    first_on, match_id = min(day for day, _ in reached), lines[0]["match_id"]
    items, references = _names(lines)
    left, later = [], []
    if part != made_good:
        left.append(
            HandDifference(
                match_id=match_id,
                on=first_on,
                amount=subtract(part, made_good),
                actor=deed[0],
                reason=deed[1],
                items=items,
                references=references,
            )
        )
    if made_good:
        later.append(
            MatchedLater(
                match_id=match_id,
                on=first_on,
                last_on=lines[0]["last_on"],
                amount=made_good,
                reference=references[0],
                by_hand=True,
            )
        )
    return left, later


def _amounts(lines: Iterable[Mapping[str, Any]]) -> Iterable[tuple[date, Decimal]]:
    for line in lines:
        if line["bank_on"] is not None:
            yield line["bank_on"], line["bank_amount"]
        if line["ledger_on"] is not None:
            yield line["ledger_on"], -line["ledger_amount"]


def _names(lines: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    items: list[str] = []
    references: dict[str, None] = {}
    for line in lines:
        if line["bank_on"] is not None:
            reference = line["end_to_end_id"] or line["servicer_reference"] or line["uetr"]
            reference = reference or line["clearing_reference"] or ""
            name = f"bank:{line['bank_sequence']}.{line['bank_part']}"
            items.append(f"{name} {reference} {amount_text(line['bank_amount'])}")
            references[reference or name] = None
    for line in lines:
        if line["ledger_on"] is not None:
            reference = line["reference"] or line["bank_reference"] or ""
            name = f"ledger:{line['movement_id']}"
            items.append(f"{name} {reference} {amount_text(line['ledger_amount'])}")
            references[reference or name] = None
    more = [f"and {len(items) - _ITEMS_MAX} more"] if len(items) > _ITEMS_MAX else []
    shown = [" ".join(each.split()) for each in items[:_ITEMS_MAX]]
    return (*shown, *more), tuple(references)


def _total(row: Any, count: str, amount: str) -> ClassTotal:  # noqa: ANN401 - a row
    return ClassTotal(count=row[count], amount=row[amount])


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for amount in amounts:
        total = add(total, amount)
    return total
