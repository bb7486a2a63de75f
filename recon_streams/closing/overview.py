"""Where days stand, for somebody who looks: with everything that keeps them from being closed."""

from datetime import date

import asyncpg
import msgspec

from recon_streams.closing import store
from recon_streams.closing.day import DayState, obstacles_of, said_of
from recon_streams.closing.signatures import DaySigned, signatures


class DayLine(msgspec.Struct, frozen=True, kw_only=True):
    """One account's day.

    Attributes:
        name: The account and its currency.
        proof: What is not explained; None without a statement.
        obstacles: What stands against closing it, in words; of a closed day nothing does.
        signed: Who closed it and opened it again, why, and what was accepted; the newest last.
    """

    on: date
    name: str
    state: DayState
    version: int
    tier: str
    proof: str | None
    has_statement: bool
    obstacles: tuple[str, ...]
    signed: tuple[DaySigned, ...] = ()


async def overview(pool: asyncpg.Pool, on: date | None) -> list[DayLine]:
    """Return where the accounts' days `on` stand, or those of the newest day that was run."""
    if on is None:
        on = await store.newest_day(pool)
    if on is None:
        return []
    names = {each.number: each.name for each in await store.registered(pool)}
    signed: dict[str, list[DaySigned]] = {}
    for each in await signatures(pool, on):
        signed.setdefault(f"{each.account_id} {each.currency}", []).append(each)
    lines = []
    for snapshot in (await store.snapshots(pool, on)).values():
        day, figures = snapshot.day, snapshot.day.figures
        assert figures is not None, "a snapshot has figures"
        found = [] if day.state is DayState.CLOSED else obstacles_of(day, seen=figures)
        name = names[day.number]
        lines.append(
            DayLine(
                on=day.on,
                name=name,
                state=day.state,
                version=day.version,
                tier=snapshot.tier,
                proof=figures.proof,
                has_statement=figures.has_statement,
                obstacles=tuple(said_of(each, day) for each in found),
                signed=tuple(signed.get(name, ())),
            )
        )
    return sorted(lines, key=lambda line: line.name)
