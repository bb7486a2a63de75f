"""Where days stand, for somebody who looks: with everything that keeps them from being closed."""

from datetime import date

import asyncpg
import msgspec

from recon_streams.closing import store
from recon_streams.closing.day import DayState, Obstacle, obstacles_of, said_of


class DayLine(msgspec.Struct, frozen=True, kw_only=True):
    """One account's day.

    Attributes:
        name: The account and its currency.
        proof: What is not explained; None without a statement.
        obstacles: What stands against closing it, in words.
    """

    on: date
    name: str
    state: DayState
    version: int
    tier: str
    proof: str | None
    has_statement: bool
    obstacles: tuple[str, ...]


async def overview(pool: asyncpg.Pool, on: date | None) -> list[DayLine]:
    """Return where the accounts' days `on` stand, or those of the newest day that was run."""
    if on is None:
        on = await store.newest_day(pool)
    if on is None:
        return []
    names = {each.number: each.name for each in await store.registered(pool)}
    lines = []
    for snapshot in (await store.snapshots(pool, on)).values():
        day, figures = snapshot.day, snapshot.day.figures
        assert figures is not None, "a snapshot has figures"
        found = [
            each for each in obstacles_of(day, seen=figures) if each is not Obstacle.ALREADY_CLOSED
        ]
        lines.append(
            DayLine(
                on=day.on,
                name=names[day.number],
                state=day.state,
                version=day.version,
                tier=snapshot.tier,
                proof=figures.proof,
                has_statement=figures.has_statement,
                obstacles=tuple(said_of(each, day) for each in found),
            )
        )
    return sorted(lines, key=lambda line: line.name)
