"""One subject of one kind in the schedule, and how it moves on. Pure.

What decides the next instant is the one before it and the definition that was in force then. So a
schedule that was stopped emits exactly what it would have emitted, whatever was changed meanwhile.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec.structs import replace

from recon_streams.registry.definition import AccountDefinition
from recon_streams.schedule.planner import AccountDue


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What is planned for one subject.

    Attributes:
        kind: Of the tick.
        subject: The scope of an account, or `all`.
        number: Of the account.
        registry_version: Of the definition it is planned by; 0 before the first.
        after: Everything up to here was emitted, or was never to be.
        due_at: The next instant; None while there is none.
    """

    kind: str
    subject: str
    number: int | None
    registry_version: int
    after: datetime
    due_at: datetime | None


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One definition of one account, and from when on it is in force."""

    number: int
    version: int
    applied_at: datetime
    definition: AccountDefinition


def planned(row: Row, versions: Iterable[Version], next_due: AccountDue) -> Row:
    """Return `row` by the newest of `versions`, oldest first, that may move its next instant.

    A definition moves what is due after it came into force. What was due before is emitted first,
    by the definition of its time; then this is asked again.
    """
    for version in versions:
        if version.version <= row.registry_version:
            continue
        if row.due_at is not None and row.due_at <= version.applied_at:
            break
        after = max(row.after, version.applied_at)
        row = replace(
            row,
            registry_version=version.version,
            due_at=_later_than(after, next_due(version.definition, after)),
        )
    return row


def emitted(row: Row, versions: Iterable[Version], next_due: AccountDue) -> Row:
    """Return `row` after its instant was emitted; the first of `versions` is the one in force."""
    assert row.due_at is not None, "what is not due is not emitted"
    history = list(versions)
    assert history[0].version == row.registry_version, "the plan has its definition"
    following = next_due(history[0].definition, row.due_at)
    moved = replace(row, after=row.due_at, due_at=_later_than(row.due_at, following))
    return planned(moved, history[1:], next_due)


def _later_than(after: datetime, due_at: datetime | None) -> datetime | None:
    assert due_at is None or due_at > after, "an instant is due once"
    return due_at
