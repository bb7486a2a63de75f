"""`recon.breaker` and `recon.breaker.events`: may I pay from this account now, and why not.

`recon.breaker` is compacted and has one partition: the newest record per scope, plus the key
`_lease`. Denials never expire. A CLOSED record counts only under a lease that has not run out, so
silence of the reconciliation, of Kafka or of the bank means *no* by itself.

Every record of `recon.breaker` is signed with Ed25519 over the bytes of its value, as they are. The
algorithm, the id of the key and the signature stand in the headers `alg`, `kid` and `sig`. A reader
pins the public keys it trusts and denies on anything else.
"""

from enum import StrEnum, unique
from typing import Annotated

import msgspec

from topics.words import Instant

LEASE_KEY = b"_lease"
LEASE_MS_MAX = 15_000  # no lease is longer, whatever it says
ALGORITHM_HEADER = "alg"
ALGORITHM = b"Ed25519"
KEY_ID_HEADER = "kid"  # RFC 7638 thumbprint of the public key, as ASCII text
SIGNATURE_HEADER = "sig"  # the 64 bytes themselves
NUMBER_MAX = 9_007_199_254_740_991  # 2^53 - 1: what every JSON reader keeps exactly

Number = Annotated[int, msgspec.Meta(ge=0, le=NUMBER_MAX)]
Scope = Annotated[
    str,
    msgspec.Meta(
        description="`account:<account id>:<currency>`, `corridor:<id>`, `all`, or, for exercises "
        "that no payout hangs on, `drill:<id>`.",
        examples=["account:AE-SAFEGUARDING:AED", "corridor:AE-IN", "all"],
    ),
]


@unique
class BreakerState(StrEnum):
    """A reader that meets an unknown value must deny."""

    CLOSED = "CLOSED"  # may pay, under a fresh lease
    SUSPENDED = "SUSPENDED"  # no new payouts; heals with proof
    OPEN = "OPEN"  # halt everything; never closes alone


class BreakerRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of one scope. Of two records the one with the higher (epoch, seq) counts.

    Attributes:
        scope: What the record is about.
        state: Whether payouts from it are allowed.
        epoch: Rises with every transition: another state, a new trip, other parents; the payout
            system stores it with each payment.
        seq: Rises with every new record of the same epoch. A record that is written again keeps it.
        reason_code: Why the state is what it is.
        evidence_hash: SHA-256 of the evidence, in hexadecimal; the evidence is in
            `recon.breaker.events`.
        decided_at: When it was decided.
        inputs_through: Offset of the newest input behind each side, by `topic/partition`.
        parent_scopes: Scopes that must be CLOSED too.
        schema_version: The major version of the contract; a reader that meets another denies.
    """

    scope: Scope
    state: BreakerState
    epoch: Number
    seq: Number
    reason_code: str
    evidence_hash: str
    decided_at: Instant
    inputs_through: dict[str, int]
    parent_scopes: tuple[str, ...] = ()
    schema_version: int = 1


class StateHead(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader must have applied before the lease says anything: the record before it.

    Attributes:
        offset: Offset of the newest state record on the topic; -1 if there is none.
        seq: Its seq.
    """

    offset: Annotated[int, msgspec.Meta(ge=-1, le=NUMBER_MAX)]
    seq: Number


class LeaseRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Permission for all CLOSED scopes, for `ttl_ms` by the reader's own clock, no clock set right.

    A lease proves what the book said some time after the lease *before* it was written. So its
    `ttl_ms` count from the last instant at which the reader knew that the lease before it (of the
    same publisher epoch, numbered one less) was not there yet; a lease that does not follow on one
    which the reader saw arrive gives nothing. A reader, publisher or network that stood still
    finds its leases run out.

    Attributes:
        publisher_id: Who publishes.
        publisher_epoch: Rises with every new publisher; a lower one is ignored.
        lease_seq: Rises by one with every lease; a lease that does not rise is ignored.
        ttl_ms: Milliseconds of permission: 15000, less what the newest evaluation was old.
        state_head: The state record that must have been applied.
        covers: The scopes it is for.
        schema_version: The major version of the contract; a reader that meets another denies.
    """

    publisher_id: str
    publisher_epoch: Number
    lease_seq: Number
    ttl_ms: Annotated[int, msgspec.Meta(ge=-NUMBER_MAX, le=NUMBER_MAX)]
    state_head: StateHead
    covers: str = "all"
    schema_version: int = 1


class BreakerEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One transition with its evidence, for the record; kept for 400 days or more.

    Attributes:
        scope: What changed.
        from_state: The state before; equal to `to_state` when the scope is new, and when it was
            stopped once more, held for flapping, or got other parents.
        to_state: The state after.
        epoch: The epoch that began with this transition.
        seq: The seq of the state record that published it.
        reason_code: Why.
        evidence_hash: SHA-256 of `evidence`, in hexadecimal.
        evidence: What the decision rests on: event, position, version of the rules. For people; its
            fields may change.
        decided_at: When it was decided.
        schema_version: The major version of the contract.
    """

    scope: Scope
    from_state: BreakerState
    to_state: BreakerState
    epoch: int
    seq: int
    reason_code: str
    evidence_hash: str
    evidence: msgspec.Raw
    decided_at: Instant
    schema_version: int = 1
