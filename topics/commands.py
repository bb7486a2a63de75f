"""`recon.commands`: another system asks for something that only makes payouts safer.

A fraud system stops a scope without asking anybody; nothing on this topic can start one again.
"""

import msgspec

from topics.breaker import Scope
from topics.ledger_movements import SchemaVersion
from topics.words import Instant, RecordId

TOPIC = "recon.commands"


class TripCommand(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="trip"
):
    """Open the breaker of `scope`. Its key is the scope.

    Attributes:
        kind: `trip`.
        command_id: A name of this command; said twice it has one effect.
        scope: What to stop. It must exist, except a drill's, which is made.
        reason: Why, for those who come later.
        actor: Who or what asks, as the sender names it.
        asked_at: When.
        schema_version: The major version of the contract.
    """

    command_id: RecordId
    scope: Scope
    reason: str
    actor: str
    asked_at: Instant
    schema_version: SchemaVersion = 1


COMMAND_TYPES = (TripCommand,)
