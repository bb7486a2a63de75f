"""What must stand in a record of a scope, and in which form."""

import json
from typing import Any

from cases.case import NUMBER_MAX, A, B, Case, live, state

REQUIRED = (
    "scope",
    "state",
    "epoch",
    "seq",
    "reason_code",
    "evidence_hash",
    "decided_at",
    "inputs_through",
)
# Of each field something that it may not be; of the numbers below more.
WRONG: dict[str, tuple[Any, ...]] = {
    "scope": (5, [A]),
    "state": (0, ["CLOSED"], True),
    "epoch": ("4", [4]),
    "seq": ("4", {}),
    "reason_code": (7, "\ud800"),
    "evidence_hash": (0,),
    "decided_at": (1_795_246_800, "2026-11-21", "2026-11-21T08:00:00", "2026-02-30T08:00:00Z"),
    "inputs_through": ([], "", {"t/0": "1"}, {"t/0": None}, {"t/0": 1.5}, {"t/0": True}),
    "parent_scopes": ("all", {}, 0, False, [1], [None], [["all"]], ["all", 1]),
}
NO_NUMBERS = (1.5, 4.0, True, -4, NUMBER_MAX + 1, 2**63, 2**64 + 4, 10**40)


def records() -> list[Case]:
    return [*fields(), *numbers(), *parents(), *versions(), *states()]


def fields() -> list[Case]:
    whole = state(A, "CLOSED", 4)
    cases = [
        live(f"a record without its {name} is denied")
        .put({each: said for each, said in whole.items() if each != name}, key=A)
        .denied(4_000, "UNREADABLE")
        for name in REQUIRED
    ]
    cases += [
        live(f"a record in which the {name} is null is denied")
        .put({**whole, name: None}, key=A)
        .denied(4_000, "UNREADABLE")
        for name in (*REQUIRED, "parent_scopes")
    ]
    return [
        *cases,
        *(
            live(f"a record in which the {name} is {json.dumps(said)} is denied")
            .put({**whole, name: said}, key=A)
            .denied(4_000, "UNREADABLE")
            for name, wrong in WRONG.items()
            for said in wrong
        ),
        live("a stale CLOSED does not undo a record that lacks a field")
        .put({**state(A, "OPEN", 5), "reason_code": None})
        .closed(A, 4)
        .denied(4_000, "UNREADABLE", epoch=5, seq=5)
        .closed(A, 5)
        .granted(4_000, epoch=5),
        live("a record about another scope than its key raises no number")
        .put(state(B, "OPEN", 99), key=A)
        .denied(4_000, "UNREADABLE", epoch=3, seq=3)
        .closed(A, 4)
        .granted(4_000, epoch=4),
    ]


def numbers() -> list[Case]:
    whole = state(A, "CLOSED", 4)
    cases = [
        live(f"{json.dumps(said)} is no {name}")
        .put({**whole, name: said})
        .denied(4_000, "UNREADABLE", epoch=3, seq=3)
        .closed(A, 4)
        .granted(4_000, epoch=4)
        for name in ("epoch", "seq")
        for said in NO_NUMBERS
    ]
    return [
        *cases,
        live("an epoch with an exponent is none")
        .text(json.dumps(whole).replace('"epoch": 4', '"epoch": 4e0'))
        .denied(4_000, "UNREADABLE", epoch=3),
        live("the highest number there is, is one")
        .closed(A, NUMBER_MAX)
        .granted(4_000, epoch=NUMBER_MAX, relied_on=[[A, NUMBER_MAX, NUMBER_MAX]])
        .closed(A, NUMBER_MAX - 1)
        .granted(4_000, epoch=NUMBER_MAX),
        live("zero is a number").closed(B, 0).granted(4_000, B, epoch=0, seq=0),
    ]


def parents() -> list[Case]:
    return [
        live("a record that names no parents has none").closed(A, 4).granted(4_000, epoch=4),
        live("an empty list of parents is none")
        .closed(A, 4, parent_scopes=[])
        .granted(4_000, relied_on=[[A, 4, 4]]),
        live("a parent that no scope can be, stops the child")
        .closed(A, 4, parent_scopes=[""])
        .denied(4_000, "PARENT_UNKNOWN_SCOPE", denied_by=""),
        live("the lease is nobody's parent")
        .closed(A, 4, parent_scopes=["_lease"])
        .denied(4_000, "PARENT_UNKNOWN_SCOPE", denied_by="_lease"),
        live("a list of parents that cannot be read is not an empty one")
        .closed(A, 4, parent_scopes=None)
        .denied(4_000, "UNREADABLE", epoch=4)
        .closed(A, 4)
        .granted(4_000, epoch=4),
    ]


def versions() -> list[Case]:
    return [
        live("another schema version is denied")
        .closed(A, 4, schema_version=2)
        .denied(4_000, "UNKNOWN_SCHEMA"),
        live("the schema version may stand in the record")
        .closed(A, 4, schema_version=1)
        .granted(4_000, epoch=4),
        *(
            live(f"{json.dumps(said)} is another schema version than 1")
            .closed(A, 4, schema_version=said)
            .denied(4_000, "UNKNOWN_SCHEMA", epoch=4)
            for said in (None, "1", 1.0, True, 0, [1])
        ),
        live("a stale CLOSED does not undo a record of a later schema version")
        .open(A, 5, schema_version=2)
        .closed(A, 4)
        .denied(4_000, "UNKNOWN_SCHEMA", epoch=5),
        live("a later schema version may have other fields altogether")
        .text('{"schema_version": 2, "epoch": "x"}')
        .denied(4_000, "UNKNOWN_SCHEMA", epoch=3),
        live("a record of a later schema version about another scope raises no number")
        .put(state(B, "OPEN", 99, schema_version=2), key=A)
        .denied(4_000, "UNKNOWN_SCHEMA", epoch=3)
        .closed(A, 4)
        .granted(4_000, epoch=4),
    ]


def states() -> list[Case]:
    return [
        live("a state that a reader does not know is denied")
        .put(state(A, "PROBATION", 4))
        .denied(4_000, "UNKNOWN_STATE", epoch=4),
        live("a state in small letters is not known")
        .put(state(A, "closed", 4))
        .denied(4_000, "UNKNOWN_STATE"),
        live("a state that is an empty text is not known")
        .put(state(A, "", 4))
        .denied(4_000, "UNKNOWN_STATE", epoch=4),
        live("a stale CLOSED does not undo a state that the reader does not know")
        .put(state(A, "PROBATION", 5))
        .closed(A, 4)
        .denied(4_000, "UNKNOWN_STATE", epoch=5)
        .closed(A, 6)
        .granted(4_000, epoch=6),
    ]
