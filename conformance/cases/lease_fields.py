"""What must stand in a lease, and in which form: else it is as if it were not there."""

import json
from typing import Any

from cases.case import NUMBER_MAX, Case, live

HEAD = {"offset": 0, "seq": 1}
# Of each field something that it may not be.
WRONG: dict[str, tuple[Any, ...]] = {
    "publisher_id": (None, 7),
    "publisher_epoch": (None, "1", 1.0, 1.5, True, -1, NUMBER_MAX + 1, 2**63),
    "lease_seq": (None, "3", 3.0, 3.5, True, -3, NUMBER_MAX + 1, 2**63),
    "ttl_ms": (None, "15000", 15_000.0, 14_999.5, True, NUMBER_MAX + 1, 2**63, -(2**63)),
    "state_head": (None, 0, [], {}, {"offset": 0}, {"seq": 1}),
    "covers": (None, "", ["all"], "ALL", True),
    "schema_version": (None, 2, "1", 1.0, True),
}
WRONG["state_head"] += tuple(
    {**HEAD, name: said}
    for name in HEAD
    for said in (None, "0", 0.0, 0.5, False, -2, NUMBER_MAX + 1)
)
LEFT_OUT = ("publisher_id", "publisher_epoch", "lease_seq", "ttl_ms", "state_head")


def unheard(name: str, lease: Any) -> Case:
    """A case in which `lease` makes one that is as if it were not there."""
    return (
        lease(live(name).end(6_000))
        .denied(14_500, "LEASE_EXPIRED", lease_seq=2)
        .end(7_000)
        .lease(3)
        .end(8_000)
        .lease(4)
        .granted(21_499, lease_seq=4)
        .denied(21_500, "LEASE_EXPIRED", lease_seq=4)
    )


def lease_fields() -> list[Case]:
    left_out = [
        unheard(
            f"a lease without its {name} is as if it were not there",
            lambda case, name=name: case.lease(3, leave_out=name),
        )
        for name in LEFT_OUT
    ]
    wrong = [
        unheard(
            f"a lease in which the {name} is {json.dumps(said)} is as if it were not there",
            lambda case, name=name, said=said: case.lease(3, **{name: said}),
        )
        for name, each in WRONG.items()
        for said in each
    ]
    return [*left_out, *wrong, *heads(), *short()]


def heads() -> list[Case]:
    return [
        unheard(
            "a lease that names itself as the state before it is of another log",
            lambda case: case.lease(3, state_head={"offset": 3, "seq": 1}),
        ),
        live("a lease may name the record right before it as the newest state")
        .end(6_000)
        .lease(3, state_head={"offset": 2, "seq": 1})
        .granted(17_499, lease_seq=3)
        .denied(17_500, "LEASE_EXPIRED"),
        live("a lease may say that there is no state yet")
        .end(6_000)
        .lease(3, state_head={"offset": -1, "seq": 0})
        .granted(17_499, lease_seq=3),
        live("a lease that leaves out what it covers covers all")
        .end(6_000)
        .lease(3, leave_out="covers")
        .granted(17_499, lease_seq=3),
        live("a lease that leaves out its schema version is of the first")
        .end(6_000)
        .lease(3, leave_out="schema_version")
        .granted(17_499, lease_seq=3),
    ]


def short() -> list[Case]:
    none_yet = Case("a first lease of no milliseconds gives nothing").leased_for(0)
    below = Case("a first lease of less than no milliseconds gives nothing").leased_for(-15_000)
    return [
        none_yet.denied(3_001, "LEASE_EXPIRED").denied(0, "LEASE_EXPIRED"),
        below.denied(3_001, "LEASE_EXPIRED").denied(0, "LEASE_EXPIRED"),
        *(
            live(f"a lease of {ttl_ms} ms takes nothing back, and the next may follow on it")
            .end(6_000)
            .lease(3, ttl_ms=ttl_ms)
            .granted(14_499, lease_seq=2)
            .denied(14_500, "LEASE_EXPIRED", lease_seq=2)
            .end(9_000)
            .lease(4)
            .granted(20_499, lease_seq=4)
            for ttl_ms in (0, -1, -NUMBER_MAX)
        ),
        live("a lease that is no longer than the safety gives nothing")
        .end(14_000)
        .lease(3, ttl_ms=500)
        .denied(14_500, "LEASE_EXPIRED"),
    ]
