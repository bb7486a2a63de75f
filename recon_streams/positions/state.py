"""The state of one account: what is folded from its event log, and nothing that is not."""

from datetime import date, datetime
from decimal import Decimal

import msgspec

from recon_streams.breaker.scope import ScopeState
from recon_streams.kernel.money import ZERO, add
from recon_streams.positions.event import Evidence, ItemKind
from recon_streams.positions.tiers import Rule
from topics.positions import Tier


class Item(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One announced payment and how much of each leg has arrived.

    Attributes:
        amount: Announced, unsigned.
        bank_leg: What the bank booked under its reference, signed; a payout's debit is negative.
        ledger_leg: What the ledger moved under its reference, signed.
        due_at: From this instant on it explains nothing.
        ledger_sequence: Of the announcement; a later one of the same reference replaces it.
    """

    kind: ItemKind
    amount: Decimal
    due_at: datetime
    ledger_sequence: int
    bank_leg: Decimal = ZERO
    ledger_leg: Decimal = ZERO


class Side(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One side's figure: an absolute anchor and what moved since.

    Attributes:
        anchor: The last absolute figure; None while nobody ever stated one.
        moved: The sum of the movements the anchor does not contain.
        as_of: The newest instant this side is known to have spoken.
        evidence: The input that moved the figure last.
    """

    anchor: Decimal | None = None
    moved: Decimal = ZERO
    as_of: datetime | None = None
    evidence: Evidence | None = None

    @property
    def figure(self) -> Decimal | None:
        """Return the balance, or None while there is no anchor."""
        return None if self.anchor is None else add(self.anchor, self.moved)


class Hold(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What the pages of a statement book that has not come whole, and that does not count yet.

    Attributes:
        until: From this instant on it counts, whatever is missing.
        days: By day, as in 2026-11-20, the sum that waits.
        inputs: The pages, `topic/partition/offset/path`.
    """

    until: datetime
    days: dict[str, Decimal] = {}
    inputs: tuple[str, ...] = ()


class AccountState(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One account after the first `version` events of its log.

    Attributes:
        tier: Of the last verdict, so that a change of it can be told; with the rule that gave it.
        ledger_sequence: The last ledger movement the ledger's anchor contains.
        items: Announced payments by reference, until settled and due, or released.
        evaluated_at: The newest instant seen in any event; the only clock of the core.
        stated_on: The day whose closing balance the bank's anchor is; None before any statement.
        stated_early: Whether that day was not over when its statement came.
        notified: Whether the bank ever announced anything by itself (camt.054).
        held: What waits for the other pages of a statement, by the name of it.
    """

    account_id: str
    currency: str
    version: int
    bank: Side
    ledger: Side
    breaker: ScopeState
    evaluated_at: datetime
    tier: Tier = Tier.UNKNOWN
    rule: Rule = Rule.NO_BANK_FIGURE
    ledger_sequence: int = 0
    items: dict[str, Item] = {}
    stated_on: date | None = None
    stated_early: bool = False
    notified: bool = False
    held: dict[str, Hold] = {}


_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER: msgspec.json.Decoder[AccountState] = msgspec.json.Decoder(AccountState)


def state_bytes(state: AccountState) -> bytes:
    """Return the one spelling of `state`; equal states have equal bytes."""
    return _ENCODER.encode(state)


def state_from_bytes(payload: bytes) -> AccountState:
    """Return the state that `state_bytes` wrote."""
    return _DECODER.decode(payload)
