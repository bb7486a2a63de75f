"""Which answer a record gets that has two flaws: that of the earlier rule, one case for each pair.

The rules in their order: no value; too long; not one signature of ours; a key that is not pinned;
a signature over other bytes; no JSON; another schema version; no number, or about another scope;
a state that is not known; any other field.
"""

import json

from cases.case import MEBIBYTE, A, B, Case, live, state
from cases.signing import FIRST, STRANGER


def precedence() -> list[Case]:
    good = json.dumps(state(A, "CLOSED", 4)).encode()
    other = json.dumps(state(A, "CLOSED", 5)).encode()
    alg, kid, sig = FIRST.headers(good)
    stranger = STRANGER.headers(good)
    broken = b'{"schema_version": 2,'
    return [
        live("no value goes before no signature").raw(A, None, [alg]).denied(4_000, "TOMBSTONE"),
        live("too long goes before no signature")
        .raw(A, b" " * 16, value_times=MEBIBYTE)
        .denied(4_000, "UNREADABLE"),
        live("no signature goes before a key that is not pinned")
        .raw(A, good, stranger[:2])
        .denied(4_000, "BAD_SIGNATURE"),
        live("another algorithm goes before a key that is not pinned")
        .raw(A, good, [[alg[0], kid[1]], *stranger[1:]])
        .denied(4_000, "BAD_SIGNATURE"),
        live("a key that is not pinned goes before a signature over other bytes")
        .raw(A, other, stranger)
        .denied(4_000, "UNKNOWN_KEY"),
        live("a key that is not pinned goes before no JSON")
        .text(broken, by=STRANGER)
        .denied(4_000, "UNKNOWN_KEY"),
        live("a key that is not pinned goes before another schema version")
        .put(state(A, "OPEN", 9, schema_version=2), by=STRANGER)
        .denied(4_000, "UNKNOWN_KEY", epoch=3),
        live("a key that is not pinned goes before a state that is not known")
        .put(state(A, "PROBATION", 9), by=STRANGER)
        .denied(4_000, "UNKNOWN_KEY", epoch=3),
        live("a signature over other bytes goes before no JSON")
        .raw(A, broken, [alg, kid, sig])
        .denied(4_000, "BAD_SIGNATURE"),
        live("a signature over other bytes goes before another schema version")
        .raw(A, other.replace(b'"epoch"', b'"schema_version": 2, "epoch"'), [alg, kid, sig])
        .denied(4_000, "BAD_SIGNATURE", epoch=3),
        live("a signature over other bytes goes before a state that is not known")
        .raw(A, other.replace(b"CLOSED", b"LOCKED"), [alg, kid, sig])
        .denied(4_000, "BAD_SIGNATURE", epoch=3),
        live("no JSON goes before another schema version")
        .text(broken)
        .denied(4_000, "UNREADABLE", epoch=3),
        live("a field that stands twice goes before another schema version")
        .text('{"schema_version": 2, "schema_version": 2}')
        .denied(4_000, "UNREADABLE", epoch=3),
        live("another schema version goes before no number")
        .put(state(A, "CLOSED", -4, schema_version=2))
        .denied(4_000, "UNKNOWN_SCHEMA", epoch=3),
        live("another schema version goes before another scope")
        .put(state(B, "CLOSED", 4, schema_version=2), key=A)
        .denied(4_000, "UNKNOWN_SCHEMA", epoch=3),
        live("another schema version goes before a state that is not known")
        .put(state(A, "PROBATION", 4, schema_version=2))
        .denied(4_000, "UNKNOWN_SCHEMA", epoch=4),
        live("no number goes before a state that is not known")
        .put(state(A, "PROBATION", -4))
        .denied(4_000, "UNREADABLE", epoch=3),
        live("another scope goes before a state that is not known, and raises no number")
        .put(state(B, "PROBATION", 99), key=A)
        .denied(4_000, "UNREADABLE", epoch=3)
        .closed(A, 4)
        .granted(4_000, epoch=4),
        live("a state that is not known goes before any other field")
        .put({**state(A, "PROBATION", 4), "reason_code": None})
        .denied(4_000, "UNKNOWN_STATE", epoch=4),
    ]
