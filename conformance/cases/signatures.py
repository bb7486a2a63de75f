"""Whose word a record is."""

import json

from cases.case import A, Case, live, state
from cases.signing import FIRST, SECOND, STRANGER, b64


def signatures() -> list[Case]:
    good = json.dumps(state(A, "CLOSED", 4)).encode()
    signed = FIRST.headers(good)
    other = FIRST.headers(good + b" ")
    return [
        live("a record that is not signed is denied").raw(A, good).denied(4_000, "BAD_SIGNATURE"),
        live("a signature over other bytes is none")
        .raw(A, good, other)
        .denied(4_000, "BAD_SIGNATURE", epoch=3),
        live("a signature cut short is none")
        .raw(A, good, [*signed[:2], ["sig", b64(b"x" * 63)]])
        .denied(4_000, "BAD_SIGNATURE"),
        live("a signature of another algorithm is none")
        .raw(A, good, [["alg", b64(b"none")], *signed[1:]])
        .denied(4_000, "BAD_SIGNATURE"),
        live("two signatures are none")
        .raw(A, good, [*signed, signed[2]])
        .denied(4_000, "BAD_SIGNATURE"),
        live("headers that a reader does not know are passed over")
        .raw(A, good, [["traceparent", b64(b"00-1-2-01")], *signed])
        .granted(4_000, epoch=4),
        live("a record with a bad signature counts no more once a good one follows")
        .raw(A, good, other)
        .closed(A, 3)
        .granted(4_000, epoch=3),
        live("a key that is not pinned is nobody's")
        .put(state(A, "CLOSED", 4), by=STRANGER)
        .denied(4_000, "UNKNOWN_KEY", epoch=3),
        live("a stranger's record does not raise the number that counts")
        .put(state(A, "OPEN", 99), by=STRANGER)
        .closed(A, 4)
        .granted(4_000, epoch=4),
        live("two keys are live while one replaces the other")
        .put(state(A, "CLOSED", 4), by=SECOND)
        .granted(4_000, epoch=4)
        .end(6_000)
        .lease(3, by=SECOND)
        .end(9_000)
        .lease(4, by=FIRST)
        .granted(20_499, lease_seq=4),
        *(
            live(f"a header {name} without a value is none")
            .raw(A, good, [[each, None if each == name else said] for each, said in signed])
            .denied(4_000, reason, epoch=3)
            for name, reason in (
                ("alg", "BAD_SIGNATURE"),
                ("kid", "UNKNOWN_KEY"),
                ("sig", "BAD_SIGNATURE"),
            )
        ),
        live("a lease whose signature has no value is as if it were not there")
        .end(6_000)
        .raw("_lease", good, [*signed[:2], ["sig", None]])
        .granted(14_499, lease_seq=2),
        live("headers may come in any order").raw(A, good, signed[::-1]).granted(4_000, epoch=4),
        live("the name of a header is not known in capitals")
        .raw(A, good, [["ALG", signed[0][1]], *signed[1:]])
        .denied(4_000, "BAD_SIGNATURE"),
        live("headers that a reader does not know may have no value")
        .raw(A, good, [["traceparent", None], *signed])
        .granted(4_000, epoch=4),
    ]
