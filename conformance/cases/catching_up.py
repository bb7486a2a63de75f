"""When a reader knows enough to answer, and what it keeps when the log turns out to be another."""

from cases.case import A, B, Case


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
        Case("of two records that say one number the one that denies is believed")
        .end(0, 2)
        .open(A, 5)
        .closed(A, 5)
        .leased()
        .denied(4_000, "OPEN"),
    ]
