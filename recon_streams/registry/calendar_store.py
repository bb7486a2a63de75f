"""The calendars in the book: what each version says, and which one is in force.

A process knows the operator's words by a file; whoever has only the book (a check, a command on
another machine) must count the same days.
"""

from typing import Final

import asyncpg

from recon_streams.book.connection import Session
from recon_streams.kernel.calendars import Calendars, calendars_from

_IN_FORCE: Final = """
SELECT version FROM closing.calendar_in_force ORDER BY place DESC LIMIT 1
"""
_FIRST: Final = """
INSERT INTO closing.calendar_in_force (version) SELECT $1
WHERE NOT EXISTS (SELECT FROM closing.calendar_in_force)
"""
_PUT: Final = """
INSERT INTO closing.calendar_in_force (version) SELECT $1
WHERE $1 IS DISTINCT FROM (SELECT version FROM closing.calendar_in_force
    ORDER BY place DESC LIMIT 1)
"""
# A process sees the version change when an operator writes a file: a handful in its life.
_KNOWN_MAX: Final = 16
_NONE: Final = Calendars()
_known: Final[dict[str, Calendars]] = {}


async def note_calendars(where: Session | asyncpg.Pool, calendars: Calendars) -> None:
    """Keep what this version of the calendars says; the first of a book is in force by that."""
    await where.execute(
        "INSERT INTO closing.calendar_version (version, content) VALUES ($1, $2) "
        "ON CONFLICT (version) DO NOTHING",
        calendars.version,
        calendars.content,
    )
    await where.execute(_FIRST, calendars.version)


async def put_in_force(where: Session | asyncpg.Pool, calendars: Calendars) -> None:
    """Let everybody who reads the book count days by `calendars` from now on."""
    await note_calendars(where, calendars)
    await where.execute(_PUT, calendars.version)


async def calendars_in_force(where: Session | asyncpg.Pool) -> Calendars:
    """Return the calendars that were put in force last; until then those without any overlay."""
    version: str | None = await where.fetchval(_IN_FORCE)
    if version is None:
        return _NONE
    if version not in _known:
        content: bytes = await where.fetchval(
            "SELECT content FROM closing.calendar_version WHERE version = $1", version
        )
        if len(_known) >= _KNOWN_MAX:
            _known.clear()
        _known[version] = calendars_from(content)
    return _known[version]
