"""`recon.breaker.acks`: a payout service says how far it has heard, and what it now denies.

Proof that a trip reached those who pay. A service writes one when it has caught up, and one for
each change of a scope that it has applied since.
"""

import msgspec

from topics.breaker import BreakerState, Scope
from topics.ledger_movements import SchemaVersion
from topics.words import Instant, RecordId

TOPIC = "recon.breaker.acks"


class BreakerAck(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one payout service has applied. Its key is the client id.

    Attributes:
        client_id: Who speaks; the operator registers it.
        through_offset: Everything on `recon.breaker` below this offset has been applied.
        acked_at: By the service's own clock; only shown, never counted with.
        scope: The scope whose change was applied last; absent when it has only caught up.
        state: What it now is there,
        epoch: since this epoch
        seq: and record.
        schema_version: The major version of the contract.
    """

    client_id: RecordId
    through_offset: int
    acked_at: Instant
    scope: Scope | None = None
    state: BreakerState | None = None
    epoch: int | None = None
    seq: int | None = None
    schema_version: SchemaVersion = 1
