"""What a record says of its scope, and of those above it."""

from cases.case import CORRIDOR, A, B, Case, live, state


def scopes() -> list[Case]:
    child = {"parent_scopes": [CORRIDOR, "all"]}
    return [
        live("a scope that the log says nothing of is denied").denied(
            4_000, "UNKNOWN_SCOPE", B, epoch=None, seq=None, denied_by=B
        ),
        live("OPEN denies, and needs no lease for it")
        .open(A, 4)
        .denied(4_000, "OPEN", epoch=4, seq=4, denied_by=A),
        live("SUSPENDED denies").put(state(A, "SUSPENDED", 4)).denied(4_000, "SUSPENDED", epoch=4),
        live("what was stopped is permitted again by a newer record")
        .open(A, 4)
        .closed(A, 5)
        .granted(4_000, epoch=5),
        live("a stale CLOSED never opens what a newer record stopped")
        .open(A, 4)
        .closed(A, 3)
        .denied(4_000, "OPEN", epoch=4),
        live("of two records of an epoch the one with the higher seq counts")
        .open(A, 4, seq=9)
        .closed(A, 4, seq=8)
        .denied(4_000, "OPEN", epoch=4, seq=9),
        live("the epoch goes before the seq")
        .open(A, 4, seq=1)
        .closed(A, 3, seq=7)
        .denied(4_000, "OPEN", epoch=4, seq=1),
        live("a stale OPEN stops nothing").open(A, 2).granted(4_000, epoch=3),
        live("a record that is published again changes nothing")
        .closed(A, 3)
        .granted(4_000, epoch=3),
        live("fields that a reader does not know are passed over")
        .closed(A, 4, added_later={"x": 1})
        .granted(4_000, epoch=4),
        live("a payout needs every scope it names")
        .open(B, 1)
        .denied(4_000, "OPEN", A, B, scope=A, denied_by=B, epoch=3)
        .granted(4_000, A)
        .denied(4_000, "UNKNOWN_SCOPE", A, CORRIDOR, denied_by=CORRIDOR),
        live("a parent that stops, stops the child")
        .closed("all", 1)
        .open(CORRIDOR, 2)
        .closed(A, 4, **child)
        .denied(4_000, "PARENT_OPEN", epoch=4, denied_by=CORRIDOR),
        live("a parent that the log says nothing of, stops the child")
        .closed(CORRIDOR, 1)
        .closed(A, 4, **child)
        .denied(4_000, "PARENT_UNKNOWN_SCOPE", denied_by="all"),
        live("with every parent closed the child may pay, and the permit names them all")
        .closed(CORRIDOR, 2, parent_scopes=["all"])
        .closed("all", 1)
        .closed(A, 4, **child)
        .granted(4_000, epoch=4, relied_on=[[A, 4, 4], [CORRIDOR, 2, 2], ["all", 1, 1]]),
        live("the parents of a parent count")
        .closed(CORRIDOR, 1, parent_scopes=["all"])
        .put(state("all", "SUSPENDED", 5))
        .closed(A, 4, parent_scopes=[CORRIDOR])
        .denied(4_000, "PARENT_SUSPENDED", denied_by="all"),
        live("scopes that are each other's parents end no reader")
        .closed(B, 1, parent_scopes=[A])
        .closed(A, 4, parent_scopes=[B])
        .granted(4_000, relied_on=[[A, 4, 4], [B, 1, 1]]),
        live("a scope that was asked for itself is no parent in the answer")
        .open("all", 1)
        .closed(A, 4, parent_scopes=["all"])
        .denied(4_000, "OPEN", A, "all", denied_by="all"),
        live("the parents of the newest record count, not those of the one before")
        .open(CORRIDOR, 1)
        .closed(A, 4, parent_scopes=[CORRIDOR])
        .closed(A, 5)
        .granted(4_000),
        live("a permit names all scopes asked for in their order, then the parents, each once")
        .closed("all", 1)
        .closed(CORRIDOR, 2, parent_scopes=["all"])
        .closed(B, 6, parent_scopes=["all", CORRIDOR])
        .closed(A, 4, **child)
        .granted(
            4_000,
            B,
            A,
            B,
            scope=B,
            epoch=6,
            relied_on=[[B, 6, 6], [A, 4, 4], ["all", 1, 1], [CORRIDOR, 2, 2]],
        ),
        live("a denial relies on nothing")
        .open(B, 1)
        .denied(4_000, "OPEN", A, B, relied_on=[])
        .denied(14_500, "LEASE_EXPIRED", A, relied_on=[], denied_by=None),
        live("a denial of a scope that was asked for goes before one of a parent")
        .open(CORRIDOR, 1)
        .put(state(B, "SUSPENDED", 1))
        .closed(A, 4, parent_scopes=[CORRIDOR])
        .denied(4_000, "SUSPENDED", A, B, denied_by=B),
        live("the nearer of two parents that deny is named")
        .put(state("all", "SUSPENDED", 1))
        .open(CORRIDOR, 1)
        .closed(B, 2, parent_scopes=["all"])
        .closed(A, 4, parent_scopes=[B, CORRIDOR])
        .denied(4_000, "PARENT_OPEN", denied_by=CORRIDOR),
        live("a great-grandparent counts")
        .open("all", 1)
        .closed(CORRIDOR, 1, parent_scopes=["all"])
        .closed(B, 1, parent_scopes=[CORRIDOR])
        .closed(A, 4, parent_scopes=[B])
        .denied(4_000, "PARENT_OPEN", denied_by="all"),
        live("a parent that is damaged stops the child")
        .closed(A, 4, parent_scopes=["all"])
        .raw("all", None)
        .denied(4_000, "PARENT_TOMBSTONE", denied_by="all")
        .put(state("all", "PROBATION", 1))
        .denied(4_000, "PARENT_UNKNOWN_STATE", denied_by="all")
        .text("{", key="all")
        .denied(4_000, "PARENT_UNREADABLE", denied_by="all")
        .closed("all", 1)
        .granted(4_000),
    ]
