"""Whom a record is about: its key, and what becomes of records without a usable one."""

import json

from cases.case import A, B, Case, live, state
from cases.signing import FIRST


def keys() -> list[Case]:
    good = json.dumps(state(A, "CLOSED", 4)).encode()
    signed = FIRST.headers(good)
    return [
        live("a record about another scope than its key denies the scope of the key")
        .put(state(B, "CLOSED", 4), key=A)
        .denied(4_000, "UNREADABLE", A)
        .denied(4_000, "UNKNOWN_SCOPE", B),
        live("a lease under the key of a scope denies the scope")
        .lease(9, key=A)
        .denied(4_000, "UNREADABLE", A),
        live("a state under the key of the lease is no lease, and no state either")
        .put(state(A, "OPEN", 4), key="_lease")
        .granted(4_000, epoch=3)
        .denied(4_000, "UNKNOWN_SCOPE", "_lease"),
        *(
            live(f"a lease under the key {key!r} is none")
            .end(6_000)
            .lease(3, key=key)
            .granted(14_499, lease_seq=2)
            .denied(14_500, "LEASE_EXPIRED", lease_seq=2)
            for key in ("_lease2", "_LEASE", "lease", "_lease ", "", None)
        ),
        live("a lease under a key that begins like its own is a damaged record of that scope")
        .lease(3, key="_lease2")
        .denied(4_000, "UNREADABLE", "_lease2"),
        live("a record without a key is nobody's").raw(None, good, signed).granted(4_000, epoch=3),
        live("a deletion without a key is nobody's").raw(None, None).granted(4_000, epoch=3),
        live("a record with an empty key is nobody's")
        .put(state("", "CLOSED", 4))
        .denied(4_000, "UNKNOWN_SCOPE", ""),
        live("a key that is no UTF-8 is nobody's")
        .raw(b"\xff\xfe", good, signed)
        .granted(4_000, epoch=3),
        live("a key with a byte that is no UTF-8 in it is not the key without it")
        .raw(A.encode() + b"\xff", None)
        .granted(4_000, epoch=3)
        .denied(4_000, "UNKNOWN_SCOPE", A + "\ufffd"),
        live("a key after a byte order mark is another key")
        .raw(b"\xef\xbb\xbf" + A.encode(), None)
        .granted(4_000, epoch=3),
    ]
