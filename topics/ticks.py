"""`recon.ticks`: an instant that was due has come. Time as a stream, so that it is decided once.

A tick carries the instant that was due, never the moment somebody noticed: read late, it still says
the same.
"""

import msgspec

from topics.ledger_movements import SchemaVersion
from topics.words import AccountId, CurrencyCode, Instant, RecordId


class _Tick(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """What every tick carries.

    Attributes:
        kind: What is due; it chooses the fields below.
        due_at: The instant that was due; with kind and account it names the tick for ever.
        schema_version: The major version of the contract.
    """

    due_at: Instant
    schema_version: SchemaVersion = 1


class SweepTick(_Tick, frozen=True, kw_only=True, tag="sweep", omit_defaults=True):
    """An account is due to be looked at: figures, drift, and the bank's own balance.

    Attributes:
        account_id: The ledger account it is about.
        currency: The account's currency.
        request_id: Who asked for it out of turn; absent where the schedule did.
    """

    account_id: AccountId
    currency: CurrencyCode
    request_id: RecordId | None = None


class WindowTick(_Tick, frozen=True, kw_only=True, tag="window", omit_defaults=True):
    """The time for the sweeps of the window that ended last is over; its report is due."""


class DayTick(_Tick, frozen=True, kw_only=True, tag="day", omit_defaults=True):
    """Something of an account's business day is due: its end, a statement, its closing.

    Attributes:
        account_id: The ledger account it is about.
        currency: The account's currency.
    """

    account_id: AccountId
    currency: CurrencyCode


class EscalationTick(_Tick, frozen=True, kw_only=True, tag="escalation", omit_defaults=True):
    """Discrepancies that nobody resolved in time are due to be escalated."""


Tick = SweepTick | WindowTick | DayTick | EscalationTick
TICK_TYPES = (SweepTick, WindowTick, DayTick, EscalationTick)
TOPIC = "recon.ticks"
