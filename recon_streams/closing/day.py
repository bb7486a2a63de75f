"""The life of one account's day: open, looked at, closed, and opened again by what comes later.

Pure. A closed day never changes silently: what would change it makes another numbered version and
opens the day again, so that somebody looks at it and closes it once more.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from enum import StrEnum, unique
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

# Who acts where no person does.
MACHINE: Final = "recon-streams"


@unique
class DayState(StrEnum):
    """Where a day stands."""

    OPEN = "OPEN"  # nobody has looked at it yet
    RUN = "RUN"  # its figures are there
    CLOSED = "CLOSED"  # somebody has signed them
    REOPENED = "REOPENED"  # they were signed, and are not what they were, or are doubted


@unique
class DayAction(StrEnum):
    """What can happen to a day."""

    RUN = "RUN"
    CLOSE = "CLOSE"
    REOPEN = "REOPEN"
    CORRECT = "CORRECT"  # later data changed the figures of a closed day


@unique
class Obstacle(StrEnum):
    """What stands against closing a day."""

    NOT_RUN = "NOT_RUN"
    ALREADY_CLOSED = "ALREADY_CLOSED"
    NOT_CURRENT = "NOT_CURRENT"
    STATEMENT_MISSING = "STATEMENT_MISSING"
    SEQUENCE_GAP = "SEQUENCE_GAP"
    CONTINUITY_BROKEN = "CONTINUITY_BROKEN"
    PROOF_NOT_ZERO = "PROOF_NOT_ZERO"
    UNKNOWN = "UNKNOWN"
    CRITICAL = "CRITICAL"


# What a person may accept, with a reason: everything else is not there yet, or not so any more.
# That nobody can explain a figure is one thing, that tokens are not backed another: who accepts the
# one has not accepted the other.
UNEXPLAINED: Final = frozenset(
    {Obstacle.PROOF_NOT_ZERO, Obstacle.CONTINUITY_BROKEN, Obstacle.UNKNOWN}
)
CRITICAL_VERDICT: Final = frozenset({Obstacle.CRITICAL})
WAIVABLE: Final = UNEXPLAINED | CRITICAL_VERDICT
# What stops payouts stops signatures; the words are those of the report.
_CRITICAL_TIERS: Final = frozenset({"CRITICAL", "INTEGRITY"})
_UNKNOWN_TIER: Final = "UNKNOWN"

WORDS: Final = {
    Obstacle.NOT_RUN: "nobody can have looked at it; it is run only now",
    Obstacle.ALREADY_CLOSED: "it is closed",
    Obstacle.NOT_CURRENT: "its figures changed since version {version}; look at the new ones",
    Obstacle.STATEMENT_MISSING: "no statement of the day is there that adds up",
    Obstacle.SEQUENCE_GAP: "statements before it are missing: number {missing}",
    Obstacle.CONTINUITY_BROKEN: "its opening is not the closing before it; they differ by {jump}",
    Obstacle.PROOF_NOT_ZERO: "{proof} of the difference is not explained",
    Obstacle.UNKNOWN: "the verdict is {tier}: {reason}",
    Obstacle.CRITICAL: "the verdict is {tier}: {reason}",
}


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """Who says so, why and when.

    Attributes:
        approved_by: The second person; None where one did it alone,
        approval_id: and the request that both signed.
    """

    actor: str
    reason: str
    at: datetime
    approved_by: str | None = None
    approval_id: int | None = None


class Approval(Protocol):
    """The seam for a second person: asked before a day is closed or opened again."""

    async def approve(self, what: str, sha256: str, actor: str, reason: str) -> str | None:
        """Return who approved, None if one person is enough; raise if it is refused."""
        ...


class OnePerson:
    """One person is enough: the actor and the reason are recorded, and nothing more is asked."""

    async def approve(self, what: str, sha256: str, actor: str, reason: str) -> str | None:
        """Return that nobody else approved."""
        del what, sha256, actor, reason
        approved_by: str | None = None
        return approved_by


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot of a day says, as far as its life depends on it.

    Attributes:
        figures_sha256: Hash of what makes a version: the figures without coverage and ages.
        proof: What is not explained, as text; None without a statement.
        statement_required: Whether the day can be closed without one.
        missing_sequences: Numbers of statements before it that are missing, in words.
        jump: Opening less the closing before it, where they do not join.
        tier: The verdict on the day.
        reason: Why it has that verdict, in the words of the report; "" if it was not kept.
    """

    sha256: str
    figures_sha256: str
    proof: str | None
    has_statement: bool
    statement_required: bool
    missing_sequences: tuple[str, ...] = ()
    jump: str | None = None
    tier: str = ""
    reason: str = ""


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """One account's day.

    Attributes:
        version: Of the newest snapshot; 0 if there is none.
        sequence: Of the newest action.
        figures: Of the newest snapshot.
    """

    number: int
    on: date
    state: DayState = DayState.OPEN
    version: int = 0
    sequence: int = 0
    figures: Figures | None = None


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """An action that was taken, and the day after it."""

    action: DayAction
    day: Day
    signature: Signature
    waived: tuple[Obstacle, ...] = ()


class NotClosable(Exception):
    """A day cannot be closed; says everything that stands against it."""

    def __init__(self, day: Day, obstacles: Sequence[Obstacle], who: str) -> None:
        self.obstacles = tuple(obstacles)
        self.said = tuple(said_of(obstacle, day) for obstacle in obstacles)
        super().__init__(f"{who} on {day.on} cannot be closed: " + "; ".join(self.said))


class NotReopenable(Exception):
    """A day that is not closed cannot be opened again."""

    def __init__(self, day: Day, who: str) -> None:
        super().__init__(f"{who} on {day.on} is not closed; it is {day.state}")


def run(day: Day, figures: Figures, at: datetime) -> Taken | None:
    """Return the day after `figures` were found; None if they are what it already says."""
    if day.figures is not None and day.figures.figures_sha256 == figures.figures_sha256:
        return None
    is_closed = day.state is DayState.CLOSED
    is_open_again = is_closed or day.state is DayState.REOPENED
    following = replace(
        day,
        state=DayState.REOPENED if is_open_again else DayState.RUN,
        version=day.version + 1,
        sequence=day.sequence + 1,
        figures=figures,
    )
    reason = "later data changed a closed day" if is_closed else ""
    return Taken(
        action=DayAction.CORRECT if is_closed else DayAction.RUN,
        day=following,
        signature=Signature(actor=MACHINE, reason=reason, at=at),
    )


def close(
    day: Day,
    signature: Signature,
    *,
    seen: Figures | None,
    waive: Collection[Obstacle] = (),
    who: str = "the account",
) -> Taken:
    """Return the day closed.

    Args:
        day: As it is, its figures just made again.
        signature: Who closes it, and why.
        seen: The figures that were there before they were made again: what the person looked at.
        waive: What the person accepts of that which may be accepted.
        who: The account's name, for a refusal.

    Raises:
        NotClosable: Something stands against it.
    """
    found = obstacles_of(day, seen=seen)
    waived = tuple(each for each in found if each in WAIVABLE and each in waive)
    standing = [each for each in found if each not in waived]
    if standing:
        raise NotClosable(day, standing, who)
    assert signature.reason, "whoever closes a day says why it may be closed"
    following = replace(day, state=DayState.CLOSED, sequence=day.sequence + 1)
    return Taken(action=DayAction.CLOSE, day=following, signature=signature, waived=waived)


def reopen(day: Day, signature: Signature, *, who: str = "the account") -> Taken:
    """Return the day open again; its figures stay.

    Raises:
        NotReopenable: It is not closed.
    """
    if day.state is not DayState.CLOSED:
        raise NotReopenable(day, who)
    assert signature.reason, "whoever opens a day again says why"
    following = replace(day, state=DayState.REOPENED, sequence=day.sequence + 1)
    return Taken(action=DayAction.REOPEN, day=following, signature=signature)


def obstacles_of(day: Day, *, seen: Figures | None) -> list[Obstacle]:
    """Return everything that stands against closing `day`."""
    figures = day.figures
    if figures is None:
        return [Obstacle.NOT_RUN]
    if day.state is DayState.CLOSED:
        return [Obstacle.ALREADY_CLOSED]
    if seen is None:
        return [Obstacle.NOT_RUN, *_obstacles_in(figures)]
    is_current = seen.figures_sha256 == figures.figures_sha256
    return [*([] if is_current else [Obstacle.NOT_CURRENT]), *_obstacles_in(figures)]


def _obstacles_in(figures: Figures) -> list[Obstacle]:
    is_missing = figures.statement_required and not figures.has_statement
    found = {
        Obstacle.STATEMENT_MISSING: is_missing,
        Obstacle.SEQUENCE_GAP: bool(figures.missing_sequences),
        Obstacle.CONTINUITY_BROKEN: figures.jump not in (None, "0"),
        Obstacle.PROOF_NOT_ZERO: figures.proof not in (None, "0"),
        # Without the statement nobody knows anything: one cause, told once, and not to be accepted.
        Obstacle.UNKNOWN: figures.tier == _UNKNOWN_TIER and not is_missing,
        Obstacle.CRITICAL: figures.tier in _CRITICAL_TIERS,
    }
    return [obstacle for obstacle, stands in found.items() if stands]


def said_of(obstacle: Obstacle, day: Day) -> str:
    """Return what stands against closing `day`, with its numbers."""
    figures = day.figures
    return WORDS[obstacle].format(
        version=day.version - 1,
        missing=", ".join(figures.missing_sequences) if figures else "",
        jump=figures.jump if figures else "",
        proof=figures.proof if figures else "",
        tier=figures.tier if figures else "",
        reason=(figures.reason if figures else "") or "the report says why",
    )
