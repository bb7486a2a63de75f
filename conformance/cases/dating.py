"""From when a lease counts where nobody can say who answered the question for the end."""

from cases.case import A, Case, live


def dating() -> list[Case]:
    return [
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
        Case("an end that nobody vouches for is not the first look")
        .doubt(0)
        .denied(1, "NOT_CAUGHT_UP")
        .end(10)
        .denied(11, "NO_LEASE"),
        Case("what came in while nobody vouched for the end has no date")
        .end(0, 1)
        .closed(A, 3)
        .doubt(100)
        .lease(1)
        .lease(2)
        .denied(101, "NO_LEASE")
        .end(3_000)
        .lease(3)
        .denied(3_001, "NO_LEASE")
        .end(6_000)
        .lease(4)
        .granted(6_001, lease_seq=4)
        .granted(17_499)
        .denied(17_500, "LEASE_EXPIRED"),
        live("an answer from before the change dates nothing that came after it")
        .end(6_000)
        .end(6_100)
        .doubt(6_200)
        .lease(3)
        .end(9_000)
        .lease(4)
        .granted(17_499, lease_seq=3)
        .denied(17_500, "LEASE_EXPIRED", lease_seq=3),
        live("an answer from after the change dates what comes after it, and not from before")
        .end(6_000)
        .doubt(6_200)
        .end(7_000)
        .lease(3)
        .end(9_000)
        .lease(4)
        .granted(21_499, lease_seq=4)
        .denied(21_500, "LEASE_EXPIRED"),
        live("a change of who answers takes no date from what was read before it")
        .end(6_000)
        .lease(3)
        .doubt(6_200)
        .lease(4)
        .granted(20_499, lease_seq=4)
        .denied(20_500, "LEASE_EXPIRED"),
        live("a change of who answers takes nothing back").doubt(6_000).granted(14_499),
    ]
