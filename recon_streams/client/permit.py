"""The answer to a payout service, with what must be stored beside the payout."""

import msgspec


class Permit(msgspec.Struct, frozen=True):
    """May this payout leave now. Store it with the payout: auditors join it with the book.

    The reason is the first of these that holds; all but the last are denials:

    - `NOT_RUNNING`: the guard was not started, was stopped, or its follower died
    - `NOT_CAUGHT_UP`: the log has not been read to where it ended at the start
    - `NO_LEASE`: no lease has counted yet
    - `LEASE_EXPIRED`: the last one that counted has run out
    - of each scope that was asked for, and then with `PARENT_` before it of each of their parents:
      - `UNKNOWN_SCOPE`: the log says nothing of it
      - `TOMBSTONE`: somebody deleted its record
      - `UNREADABLE`: over 1 MiB, no JSON, a field missing or not what it must be, or about
        another scope
      - `BAD_SIGNATURE`: none, not one Ed25519 signature, or one of other bytes
      - `UNKNOWN_KEY`: signed by a key that is not pinned here
      - `UNKNOWN_SCHEMA`: a version of the contract that this reader does not know
      - `UNKNOWN_STATE`: a state that this reader does not know
      - `SUSPENDED`: no new payouts; heals by itself, with proof
      - `OPEN`: nothing leaves until two people say so
    - `GRANTED`

    Attributes:
        granted: Pay only if this is true, and at once.
        reason: Why.
        scope: The scope that was asked for, the first if there were several.
        denied_by: The scope that says no, where it is one.
        payout_id: What the payout service called the payout.
        relied_on: (scope, epoch, seq) of all that a granted permit hangs on: what was asked for, in
            that order, then the parents, each once. Empty in a denial.
        epoch: The epoch of the newest record known of `scope`; None if there is none.
        seq: The seq of that record.
        publisher_epoch: Whose lease stands behind it; None as long as none has counted.
        lease_seq: Which of its leases.
    """

    granted: bool
    reason: str
    scope: str
    denied_by: str | None
    payout_id: str | None
    relied_on: tuple[tuple[str, int, int], ...]
    epoch: int | None
    seq: int | None
    publisher_epoch: int | None
    lease_seq: int | None
