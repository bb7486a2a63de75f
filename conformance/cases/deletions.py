"""Records that somebody deleted."""

from cases.case import A, B, Case, live


def deletions() -> list[Case]:
    return [
        live("a scope whose record was deleted is denied")
        .raw(A, None)
        .denied(4_000, "TOMBSTONE", epoch=3, denied_by=A),
        live("a deleted record that is published again counts again")
        .raw(A, None)
        .closed(A, 3)
        .granted(4_000, epoch=3),
        live("after a deletion no lower record counts")
        .open(A, 4)
        .raw(A, None)
        .closed(A, 3)
        .denied(4_000, "TOMBSTONE", epoch=4),
        live("a deletion of what nobody knows denies").raw(B, None).denied(4_000, "TOMBSTONE", B),
        live("damage to one scope is no harm to another")
        .closed(B, 1)
        .raw(A, None)
        .granted(4_000, B)
        .denied(4_000, "TOMBSTONE", A),
    ]
