"""The items a person names, read from the book as they are, whether open or matched."""

from collections.abc import Sequence

from recon_streams.book.connection import Session
from recon_streams.matching import store
from recon_streams.matching.items import BankItem, ItemKey, LedgerItem, Side
from recon_streams.matching.store import Place


async def bank_items(connection: Session, account: int, keys: Sequence[ItemKey]) -> list[BankItem]:
    """Return those of `keys` that the bank has booked, in order."""
    rows = await connection.fetch(
        "SELECT i.* FROM unnest($2::bigint[], $3::int[]) AS k(sequence, part) CROSS JOIN LATERAL "
        "(SELECT * FROM matching.bank_item AS b WHERE b.number = $1 AND b.sequence = k.sequence "
        "AND b.part = k.part OFFSET 0) AS i ORDER BY sequence, part",
        account,
        [key.sequence for key in keys],
        [key.part for key in keys],
    )
    return [store.bank_item(row) for row in rows]


async def ledger_items(
    connection: Session, account: int, zone: str, sequences: Sequence[int]
) -> list[LedgerItem]:
    """Return the ledger's movements with these ledger sequences, in order."""
    rows = await connection.fetch(
        "SELECT *, (occurred_at AT TIME ZONE $2)::date AS day FROM matching.ledger_item "
        "WHERE number = $1 AND ledger_sequence = ANY($3) ORDER BY ledger_sequence",
        account,
        zone,
        list(sequences),
    )
    return [store.ledger_item(row) for row in rows]


async def findings_of_items(
    connection: Session, number: int, places: Sequence[Place]
) -> dict[Place, str]:
    """Return what was found of open items, where something was."""
    rows = await connection.fetch(
        "SELECT o.side, o.sequence, o.part, o.finding FROM matching.open_item AS o "
        "JOIN unnest($2::text[], $3::bigint[], $4::int[]) AS k(side, sequence, part) "
        "USING (side, sequence, part) WHERE o.number = $1 AND o.finding IS NOT NULL",
        number,
        [side.value for side, _ in places],
        [key.sequence for _, key in places],
        [key.part for _, key in places],
    )
    return {
        (Side(row["side"]), ItemKey(row["sequence"], row["part"])): row["finding"] for row in rows
    }
