"""Which leases count, and until when."""

from cases.case import A, Case, live
from cases.signing import STRANGER


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
    ]
