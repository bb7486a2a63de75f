"""Bank items that a corrected statement takes back: closed together with what takes them back.

Left open, both would wait for a partner that nobody has, and a rule might still give them one.
"""

from typing import Final

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.matching import store
from recon_streams.matching.items import BankItem, ItemKey, Side
from recon_streams.matching.rest import Found
from recon_streams.matching.results import Match

RULE: Final = "withdrawn"

# A corrected statement takes back what the version before it held: two bank items that are one and
# nothing. What was matched before stays matched, and what takes it back stays open beside it.
_TAKEN_BACK: Final = """
SELECT DISTINCT ON (t.number, t.sequence, t.part) t.number, t.sequence, t.part, t.day, t.amount,
    p.sequence AS other_sequence, p.part AS other_part, p.day AS other_day
FROM work_bank AS t JOIN positions.bank_entry AS e USING (number, sequence, part, arrived_on)
JOIN positions.entry_confirmation AS c ON c.number = e.number AND c.arrived_on = e.arrived_on
    AND c.origin = e.origin AND c.withdraws
JOIN work_bank AS p ON p.number = c.number AND p.sequence = c.sequence AND p.part = c.part
    AND p.amount = -t.amount
JOIN positions.bank_entry AS o ON o.number = p.number AND o.sequence = p.sequence
    AND o.part = p.part AND o.arrived_on = p.arrived_on AND o.path = e.path
WHERE t.takes_back ORDER BY t.number, t.sequence, t.part, p.sequence, p.part
"""
_FORGET: Final = """
DELETE FROM work_bank AS w USING unnest($1::int[], $2::bigint[], $3::int[])
    AS k(number, sequence, part)
WHERE w.number = k.number AND w.sequence = k.sequence AND w.part = k.part
"""


async def close_taken_back(unit: UnitOfWork, run_id: int) -> dict[int, Found]:
    """Close what was taken back before anything matched it; return by account what was closed."""
    connection = unit.connection
    rows = await connection.fetch(_TAKEN_BACK)
    found: dict[int, Found] = {}
    ids = await store.new_match_ids(connection, len(rows))
    for match_id, row in zip(ids, rows, strict=True):
        key = ItemKey(row["sequence"], row["part"])
        other = ItemKey(row["other_sequence"], row["other_part"])
        closed = found.setdefault(row["number"], {})
        if (Side.BANK, other) in closed:
            continue
        items = [
            BankItem(key=other, on=row["other_day"], amount=-row["amount"]),
            BankItem(key=key, on=row["day"], amount=row["amount"]),
        ]
        match = Match(
            rule=RULE,
            score=100,
            bank=(other, key),
            ledger=(),
            because=("taken back by a corrected statement",),
        )
        store.write_match(
            unit, match, (items, []), numbers=(row["number"], match_id), run_id=run_id
        )
        closed |= {(Side.BANK, other): RULE, (Side.BANK, key): RULE}
    for number, closed in found.items():
        places = sorted(closed)
        await store.close_items(connection, number, places)
        keys = [key for _, key in places]
        await connection.execute(
            _FORGET,
            [number] * len(keys),
            [key.sequence for key in keys],
            [key.part for key in keys],
        )
    await unit.flush()
    return found
