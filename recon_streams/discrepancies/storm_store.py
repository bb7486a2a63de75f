"""The SQL of storms: how many of a kind are alerted, and since when they are too many."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

from recon_streams.book.connection import Session
from recon_streams.discrepancies.change import Discrepancy
from recon_streams.discrepancies.finding import Kind
from recon_streams.discrepancies.store import COLUMNS, discrepancy_of
from recon_streams.discrepancies.storm import Weather

COUNTED_MAX: Final = 1_000


async def weather(connection: Session, kinds: Collection[Kind]) -> dict[Kind, Weather]:
    """Return the weather of `kinds` after what the unit has written.

    A kind in a storm is locked until the unit ends, and counted after that: of two units that end
    its last discrepancies, the second sees that the storm is over.
    """
    names = sorted(kind.value for kind in kinds)
    locked = await connection.fetch(
        "SELECT kind FROM discrepancies.storm WHERE kind = ANY($1::text[]) "
        "ORDER BY kind FOR UPDATE",
        names,
    )
    storms = {row["kind"] for row in locked}
    rows = await connection.fetch(
        "SELECT k.kind, (SELECT count(*) FROM (SELECT 1 FROM discrepancies.discrepancy AS d "
        "WHERE d.kind = k.kind AND d.is_alerted LIMIT $2) AS c) AS alerted "
        "FROM unnest($1::text[]) AS k(kind)",
        names,
        COUNTED_MAX,
    )
    found = (
        Weather(kind=Kind(row["kind"]), alerted=row["alerted"], was_storm=row["kind"] in storms)
        for row in rows
    )
    return {each.kind: each for each in found}


async def keep(connection: Session, found: Iterable[Weather], *, at: datetime) -> None:
    """Remember which storms began `at`, and forget those that ended."""
    began = sorted(each.kind.value for each in found if each.is_storm and not each.was_storm)
    ended = sorted(each.kind.value for each in found if each.ends)
    if began:
        await connection.execute(
            "INSERT INTO discrepancies.storm (kind, since) "
            "SELECT kind, $2 FROM unnest($1::text[]) AS k(kind) ON CONFLICT DO NOTHING",
            began,
            at,
        )
    if ended:
        await connection.execute(
            "DELETE FROM discrepancies.storm WHERE kind = ANY($1::text[])", ended
        )


async def alerted(connection: Session, kind: Kind) -> list[Discrepancy]:
    """Return the open discrepancies of `kind` that are worth an alert."""
    rows = await connection.fetch(
        f"SELECT {COLUMNS} FROM discrepancies.discrepancy AS d "  # noqa: S608 - ours
        "WHERE d.kind = $1 AND d.is_alerted ORDER BY d.id LIMIT $2",
        kind.value,
        COUNTED_MAX,
    )
    return [discrepancy_of(row) for row in rows]
