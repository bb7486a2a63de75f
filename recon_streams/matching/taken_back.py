"""Bank items that a corrected statement takes back: closed together with what takes them back.

Left open, both would wait for a partner that nobody has, and a rule might still give them one.
"""

from typing import Final

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.matching import store, working_tables
from recon_streams.matching.items import BankItem, ItemKey, Side
from recon_streams.matching.rest import Found
from recon_streams.matching.results import Match

RULE: Final = "withdrawn"


async def close_taken_back(unit: UnitOfWork, run_id: int) -> dict[int, Found]:
    """Close what was taken back before anything matched it; return by account what was closed."""
    connection = unit.connection
    rows = await connection.fetch(working_tables.TAKEN_BACK)
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
            working_tables.FORGET,
            [number] * len(keys),
            [key.sequence for key in keys],
            [key.part for key in keys],
        )
    await unit.flush()
    return found
