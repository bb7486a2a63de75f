"""The cases themselves, each named after the rule that it proves."""

import json
from typing import Any

from generate import (
    CORRIDOR,
    FIRST,
    MEBIBYTE,
    SECOND,
    STRANGER,
    A,
    B,
    Case,
    b64,
    live,
    state,
)


def catching_up() -> list[Case]:
    return [
        Case("before the first look at the log every answer is no").denied(0, "NOT_CAUGHT_UP"),
        Case("a reader that nobody feeds any more answers no, whatever it knows")
        .end(0, 1)
        .closed(A, 3)
        .leased()
        .granted(4_000)
        .ask(None, A, reason="NOT_RUNNING"),
        Case("until the end that was first seen is reached every answer is no")
        .end(0, 2)
        .closed(A, 3)
        .denied(10, "NOT_CAUGHT_UP")
        .closed(B, 1)
        .denied(20, "NO_LEASE"),
        Case("an empty log is read at once, and says nothing").end(0).denied(10, "NO_LEASE"),
        Case("leases from before the first look prove nothing")
        .end(0, 4)
        .closed(A, 3)
        .lease(1)
        .lease(2)
        .lease(3)
        .denied(10, "NO_LEASE"),
        Case("the lease that follows on the last one from before the first look proves nothing yet")
        .end(0, 2)
        .closed(A, 3)
        .lease(7)
        .end(3_000)
        .lease(8)
        .denied(3_100, "NO_LEASE")
        .end(6_000)
        .lease(9)
        .granted(6_100, epoch=3, seq=3, lease_seq=9, publisher_epoch=1),
        Case("what compaction left out is passed over, and the end is reached all the same")
        .end(0, 10)
        .at(4)
        .closed(A, 3)
        .denied(10, "NOT_CAUGHT_UP")
        .pass_over(10)
        .leased(at=100)
        .granted(4_000, lease_seq=2),
        Case(
            "a reader that joins after compaction knows the newest records only, and that is enough"
        )
        .end(0, 901)
        .at(700)
        .open(B, 12)
        .at(899)
        .closed(A, 9)
        .lease(400)
        .end(1_000)
        .lease(401)
        .end(4_000)
        .lease(402)
        .granted(4_100, A, epoch=9, lease_seq=402)
        .denied(4_100, "OPEN", B, epoch=12),
        Case("a record that is read a second time changes nothing")
        .end(0, 2)
        .closed(A, 3)
        .open(A, 4)
        .at(0)
        .closed(A, 3)
        .at(2)
        .leased()
        .denied(4_000, "OPEN"),
        Case("a log that has gone back is another log: it is read from its beginning")
        .end(0, 1)
        .closed(A, 3)
        .leased()
        .granted(4_000)
        .end(5_000, 1, went_back=True)
        .denied(5_100, "NOT_CAUGHT_UP")
        .at(0)
        .closed(A, 3)
        .denied(14_500, "LEASE_EXPIRED")
        .end(15_000)
        .lease(3)
        .end(18_000)
        .lease(4)
        .granted(18_100, lease_seq=4),
        Case("a log that has gone back undoes no denial that was heard")
        .end(0, 1)
        .open(A, 5)
        .leased()
        .denied(4_000, "OPEN")
        .end(5_000, 1, went_back=True)
        .at(0)
        .closed(A, 4)
        .end(6_000)
        .lease(3)
        .end(9_000)
        .lease(4)
        .denied(9_100, "OPEN", epoch=5),
        Case("a yes that was heard must be read again where the log has gone back")
        .end(0, 1)
        .closed(A, 9)
        .leased()
        .granted(4_000)
        .end(5_000, 1, went_back=True)
        .at(0)
        .closed(A, 4)
        .end(6_000)
        .lease(3)
        .end(9_000)
        .lease(4)
        .denied(9_100, "UNKNOWN_SCOPE", epoch=9),
        Case("of two records that say one number the one that denies is believed")
        .end(0, 2)
        .open(A, 5)
        .closed(A, 5)
        .leased()
        .denied(4_000, "OPEN"),
        Case("a log that ends sooner than it did has gone back, even if that far was never read")
        .end(0, 5)
        .end(10, 3, went_back=True)
        .denied(20, "NOT_CAUGHT_UP"),
    ]


def leases() -> list[Case]:
    return [
        live("a lease counts from before the lease before it was written, less the safety")
        .granted(14_499, epoch=3, seq=3, lease_seq=2, relied_on=[[A, 3, 3]])
        .denied(14_500, "LEASE_EXPIRED", lease_seq=2),
        Case("one lease alone gives nothing")
        .end(0, 1)
        .closed(A, 3)
        .end(100)
        .lease(1)
        .denied(200, "NO_LEASE"),
        Case("a lease does not count from its receipt: what the network held back has aged")
        .end(0, 1)
        .closed(A, 3)
        .end(0)
        .lease(1)
        .end(20_000)
        .lease(2)
        .denied(20_001, "LEASE_EXPIRED"),
        Case("two leases that arrive together count from the last look without them")
        .end(0, 1)
        .closed(A, 3)
        .end(100)
        .end(50_000, 3)
        .lease(1)
        .lease(2)
        .denied(50_001, "LEASE_EXPIRED"),
        Case("two leases that arrive together soon are as good as any")
        .end(0, 1)
        .closed(A, 3)
        .end(100)
        .end(3_000, 3)
        .lease(1)
        .lease(2)
        .granted(3_001, lease_seq=2)
        .granted(14_599)
        .denied(14_600, "LEASE_EXPIRED"),
        live("a reader that stood still finds its lease run out").denied(64_000, "LEASE_EXPIRED"),
        live("an old lease that is delivered late, after the reader stood still, has run out too")
        .end(64_000, 6)
        .lease(3)
        .lease(4)
        .lease(5)
        .denied(64_001, "LEASE_EXPIRED", lease_seq=3)
        .end(66_000)
        .lease(6)
        .denied(66_001, "LEASE_EXPIRED")
        .end(69_000)
        .lease(7)
        .granted(69_001, lease_seq=7),
        live("the reader's clock decides at the question, not at the reading")
        .granted(3_000)
        .denied(14_500, "LEASE_EXPIRED")
        .granted(14_499),
        live("leases follow one another for as long as they are renewed")
        .end(6_000)
        .lease(3)
        .end(9_000)
        .lease(4)
        .granted(20_499, lease_seq=4)
        .denied(20_500, "LEASE_EXPIRED"),
        live("a number that was skipped breaks the chain: the next one gives nothing")
        .end(6_000)
        .lease(4)
        .granted(14_499, lease_seq=2)
        .denied(14_500, "LEASE_EXPIRED"),
        live("after a skipped number the chain begins anew")
        .end(6_000)
        .lease(4)
        .end(9_000)
        .lease(5)
        .granted(20_499, lease_seq=5)
        .denied(20_500, "LEASE_EXPIRED"),
        live("a lease whose number does not rise is no lease")
        .end(6_000)
        .lease(2)
        .end(9_000)
        .lease(1)
        .denied(14_500, "LEASE_EXPIRED", lease_seq=2),
        live("a lease that comes twice counts once, and from its first coming")
        .end(6_000)
        .lease(3)
        .end(12_000)
        .lease(3)
        .end(13_000)
        .lease(4)
        .granted(20_499, lease_seq=4)
        .denied(20_500, "LEASE_EXPIRED"),
        live("a publisher that was replaced gives no more leases")
        .end(6_000)
        .lease(1, epoch=2)
        .end(7_000)
        .lease(3)
        .end(8_000)
        .lease(4)
        .granted(14_499, lease_seq=2, publisher_epoch=1)
        .denied(14_500, "LEASE_EXPIRED"),
        live("the lease of a publisher that was replaced runs to its own end")
        .end(6_000)
        .lease(1, epoch=2)
        .granted(14_499, publisher_epoch=1, lease_seq=2),
        live("two leases of a new publisher count, whatever the numbers of the old one were")
        .end(6_000)
        .lease(1, epoch=2)
        .lease(2, epoch=2)
        .granted(20_499, publisher_epoch=2, lease_seq=2)
        .denied(20_500, "LEASE_EXPIRED"),
        live("the first lease of a new publisher does not follow on the old one's")
        .end(6_000)
        .lease(3, epoch=2)
        .denied(14_500, "LEASE_EXPIRED", lease_seq=2),
        Case("a lease is as long as it says")
        .end(0, 1)
        .closed(A, 3)
        .end(0)
        .lease(1)
        .end(3_000)
        .lease(2, ttl_ms=6_000)
        .granted(5_499)
        .denied(5_500, "LEASE_EXPIRED"),
        Case("no lease is longer than fifteen seconds, whatever it says")
        .end(0, 1)
        .closed(A, 3)
        .end(0)
        .lease(1)
        .end(3_000)
        .lease(2, ttl_ms=3_600_000)
        .granted(14_499)
        .denied(14_500, "LEASE_EXPIRED"),
        live("a shorter lease takes nothing back from a longer one")
        .end(6_000)
        .lease(3, ttl_ms=1_000)
        .granted(14_499, lease_seq=2),
        Case("a lease that has run out when it comes gives nothing")
        .end(0, 1)
        .closed(A, 3)
        .end(0)
        .lease(1)
        .end(3_000)
        .lease(2, ttl_ms=-5)
        .denied(3_001, "LEASE_EXPIRED"),
        live("a lease that names a state not yet applied is of another log")
        .end(6_000)
        .lease(3, state_head={"offset": 99, "seq": 9})
        .end(9_000)
        .lease(4)
        .denied(14_500, "LEASE_EXPIRED", lease_seq=2),
        live("a lease for something else than all scopes is none")
        .end(6_000)
        .lease(3, covers="corridor:AE-IN")
        .denied(14_500, "LEASE_EXPIRED", lease_seq=2),
        live("a lease that is not signed is as if it were not there")
        .end(6_000)
        .raw("_lease", b'{"publisher_epoch":1,"lease_seq":3}')
        .end(7_000)
        .lease(3)
        .end(8_000)
        .lease(4)
        .granted(21_499, lease_seq=4),
        live("a lease signed by a stranger is as if it were not there")
        .end(6_000)
        .lease(3, by=STRANGER)
        .denied(14_500, "LEASE_EXPIRED", lease_seq=2),
        live("a lease of another schema version is none")
        .end(6_000)
        .lease(3, schema_version=2)
        .denied(14_500, "LEASE_EXPIRED", lease_seq=2),
        live("a lease that was deleted takes nothing back").raw("_lease", None).granted(14_499),
        live("who answers has changed: what is new from there on cannot be dated")
        .doubt(6_000)
        .lease(3)
        .granted(17_499, lease_seq=3)
        .end(9_000)
        .lease(4)
        .granted(17_499, lease_seq=3)
        .denied(17_500, "LEASE_EXPIRED")
        .end(12_000)
        .lease(5)
        .granted(23_499, lease_seq=5),
    ]


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
    ]


def damage() -> list[Case]:
    good = json.dumps(state(A, "CLOSED", 4)).encode()
    signed = FIRST.headers(good)
    other = FIRST.headers(good + b" ")
    missing = json.dumps({"scope": A, "state": "CLOSED", "seq": 4}).encode()
    large = {"value": b" " * 10, "key": A}
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
        live("a state that a reader does not know is denied")
        .put(state(A, "PROBATION", 4))
        .denied(4_000, "UNKNOWN_STATE", epoch=4),
        live("a state in small letters is not known")
        .put(state(A, "closed", 4))
        .denied(4_000, "UNKNOWN_STATE"),
        live("a stale CLOSED does not undo a state that the reader does not know")
        .put(state(A, "PROBATION", 5))
        .closed(A, 4)
        .denied(4_000, "UNKNOWN_STATE", epoch=5)
        .closed(A, 6)
        .granted(4_000, epoch=6),
        live("another schema version is denied")
        .closed(A, 4, schema_version=2)
        .denied(4_000, "UNKNOWN_SCHEMA"),
        live("a stale CLOSED does not undo a record of a later schema version")
        .open(A, 5, schema_version=2)
        .closed(A, 4)
        .denied(4_000, "UNKNOWN_SCHEMA", epoch=5),
        live("a later schema version may have other fields altogether")
        .put({}, value=json.dumps({"schema_version": 2, "epoch": "x"}).encode(), key=A)
        .denied(4_000, "UNKNOWN_SCHEMA", epoch=3),
        live("what is no JSON is denied")
        .put({}, value=b'{"scope":', key=A)
        .denied(4_000, "UNREADABLE"),
        live("what is no UTF-8 is denied")
        .put({}, value=good.replace(b"CONF", b"\xff\xfe"), key=A)
        .denied(4_000, "UNREADABLE"),
        live("JSON that is no object is denied")
        .put({}, value=b"[1,2]", key=A)
        .denied(4_000, "UNREADABLE"),
        live("a record without one of its fields is denied")
        .put({}, value=missing, key=A)
        .denied(4_000, "UNREADABLE"),
        live("a number as text is no number").closed(A, "4", seq="4").denied(4_000, "UNREADABLE"),  # type: ignore[arg-type] # on purpose
        live("a record about another scope than its key denies the scope of the key")
        .put(state(B, "CLOSED", 4), key=A)
        .denied(4_000, "UNREADABLE", A)
        .denied(4_000, "UNKNOWN_SCOPE", B),
        live("a lease under the key of a scope denies the scope")
        .put(json_lease(), key=A)
        .denied(4_000, "UNREADABLE", A),
        live("a state under the key of the lease is no lease, and no state either")
        .put(state(A, "OPEN", 4), key="_lease")
        .granted(4_000, epoch=3),
        live("a record of ten million bytes is denied without being looked at")
        .put({}, **large, value_times=MEBIBYTE)
        .denied(4_000, "UNREADABLE"),
        live("a record without a key is nobody's").raw(None, good, signed).granted(4_000, epoch=3),
        live("a key that is no UTF-8 is nobody's")
        .raw(b"\xff\xfe", good, signed)
        .granted(4_000, epoch=3),
        live("damage to one scope is no harm to another")
        .closed(B, 1)
        .raw(A, None)
        .granted(4_000, B)
        .denied(4_000, "TOMBSTONE", A),
    ]


def json_lease() -> dict[str, Any]:
    head = {"offset": 0, "seq": 1}
    return {"publisher_epoch": 9, "lease_seq": 9, "ttl_ms": 15_000, "state_head": head}


def cases() -> list[Case]:
    """Return every case."""
    return [*catching_up(), *leases(), *scopes(), *damage()]
