"""From a ledger record to an account event: seen before or new, and what it means."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, TypeGuard, assert_never

import msgspec

from recon_streams.kernel.disposition import Disposition, Held, Outcome, quarantined
from recon_streams.kernel.json_text import decode
from recon_streams.kernel.money import ZERO, normal, parse_amount, subtract
from recon_streams.kernel.refusal import RefusalCode, Refused
from recon_streams.positions.directory import Account, Directory
from recon_streams.positions.event import (
    AccountEvent,
    Announced,
    Evidence,
    ItemKind,
    LedgerBalanced,
    LedgerMoved,
    Released,
)
from recon_streams.positions.identity import digest_of
from recon_streams.positions.known import AddedMovement, Known
from recon_streams.positions.working_set import WorkingSet
from topics.ledger_balances import LedgerBalance
from topics.ledger_movements import (
    Adjustment,
    Announcement,
    Deposit,
    Fee,
    Hold,
    Issue,
    LedgerRecord,
    Movement,
    Payout,
    Redeem,
    Release,
    Transfer,
)

# The ledger's clock may be this far ahead of the broker's.
AHEAD_MAX: Final = timedelta(minutes=5)

_MOVEMENTS: Final[msgspec.json.Decoder[LedgerRecord]] = msgspec.json.Decoder(LedgerRecord)
_BALANCES: Final = msgspec.json.Decoder(LedgerBalance)
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class PreparedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger record with the account it is about and the digest of what it says."""

    account: Account
    record: LedgerRecord | LedgerBalance
    content: bytes
    amount: Decimal


def prepare_movement(payload: bytes, directory: Directory, *, at: datetime) -> PreparedRecord:
    """Return the `ledger.movements` record that `payload` spells, resolved to its account.

    Raises:
        Refused: it breaks the contract, is from the future, or names an unknown account.
    """
    record = decode(payload, _MOVEMENTS)
    return _prepared(record, record.occurred_at, directory, at)


def prepare_balance(payload: bytes, directory: Directory, *, at: datetime) -> PreparedRecord:
    """Return the `ledger.balances` record that `payload` spells, resolved to its account.

    Raises:
        Refused: it breaks the contract, is from the future, or names an unknown account.
    """
    record = decode(payload, _BALANCES)
    return _prepared(record, record.as_of, directory, at)


def take(
    prepared: PreparedRecord, working: WorkingSet, *, at: datetime, evidence: Evidence
) -> Outcome:
    """Decide a prepared record on the accounts of `working`, and return what became of it."""
    if isinstance(prepared.record, LedgerBalance):
        return _take_balance(prepared, prepared.record, working, (at, evidence))
    return _take_movement(prepared, prepared.record, working, (at, evidence))


def _take_movement(
    prepared: PreparedRecord,
    record: LedgerRecord,
    working: WorkingSet,
    origin: tuple[datetime, Evidence],
) -> Outcome:
    account, known = prepared.account, working.known
    seen = known.movements.get((account.number, record.movement_id))
    if seen is not None and seen.content == prepared.content:
        where = f"{account.account_id}#{seen.sequence}"
        return Outcome(disposition=Disposition.DUPLICATE, duplicate_of=where)
    if seen is not None:
        rule = "a record sent again says the same; another content needs another movement_id"
        return quarantined(_conflict("/movement_id", rule, f"{account.account_id}#{seen.sequence}"))
    other = known.ledger_sequences.get((account.number, record.ledger_sequence))
    if other is not None:
        rule = "one ledger_sequence names one record of the account; this one is taken"
        return quarantined(_conflict("/ledger_sequence", rule, other))
    state = working.states[account.number]
    if (
        isinstance(record, Hold | Payout | Deposit)
        and record.reference not in state.items
        and len(state.items) >= account.rules.open_items_max
    ):
        rule = f"at most {account.rules.open_items_max} announced payments are open at a time"
        return quarantined(Held(code=RefusalCode.LIMIT_REACHED, field="/reference", rule=rule))
    event = _event_of(prepared, record, known, origin)
    known.learn_movement(
        AddedMovement(
            account=account.number,
            movement_id=record.movement_id,
            content=prepared.content,
            ledger_sequence=record.ledger_sequence,
            amount=prepared.amount,
            reference=record.reference,
            names_payment=isinstance(record, Release) or is_announcement(record),
            sequence=working.next_sequence(account),
            kind=str(type(record).__struct_config__.tag),
            occurred_at=record.occurred_at,
            uetr=record.uetr if isinstance(record, Movement) else None,
            bank_reference=record.bank_reference if isinstance(record, Movement) else None,
            batch_reference=record.batch_reference if isinstance(record, Movement) else None,
        )
    )
    working.record(account, event)
    return Outcome(disposition=Disposition.APPLIED, events=1)


def _take_balance(
    prepared: PreparedRecord,
    record: LedgerBalance,
    working: WorkingSet,
    origin: tuple[datetime, Evidence],
) -> Outcome:
    account = prepared.account
    state = working.states[account.number]
    at, evidence = origin
    is_stated = state.ledger.anchor is not None
    if is_stated and record.ledger_sequence == state.ledger_sequence:
        if state.ledger.anchor != prepared.amount:
            rule = "a second balance at the same ledger_sequence states the same amount"
            return quarantined(_conflict("/amount", rule, f"{account.account_id}"))
        if state.ledger.as_of is not None and record.as_of <= state.ledger.as_of:
            return Outcome(disposition=Disposition.DUPLICATE, duplicate_of=account.account_id)
    event = LedgerBalanced(
        at=at,
        evidence=evidence,
        amount=prepared.amount,
        ledger_sequence=record.ledger_sequence,
        as_of=record.as_of,
        moved_after=normal(
            working.known.moved_after.get((account.number, record.ledger_sequence), ZERO)
        ),
    )
    is_older = is_stated and record.ledger_sequence <= state.ledger_sequence
    working.record(account, event)
    return Outcome(
        disposition=Disposition.OBSERVATION if is_older else Disposition.APPLIED, events=1
    )


def _event_of(
    prepared: PreparedRecord,
    record: LedgerRecord,
    known: Known,
    origin: tuple[datetime, Evidence],
) -> AccountEvent:
    at, evidence = origin
    match record:
        case Hold() | Payout() | Deposit():
            return _announced(prepared, record, known, origin)
        case Release():
            return Released(
                at=at,
                evidence=evidence,
                reference=record.reference,
                ledger_sequence=record.ledger_sequence,
                occurred_at=record.occurred_at,
            )
        case Issue() | Redeem() | Transfer() | Fee() | Adjustment():
            return LedgerMoved(
                at=at,
                evidence=evidence,
                amount=prepared.amount,
                ledger_sequence=record.ledger_sequence,
                occurred_at=record.occurred_at,
                reference=record.reference,
            )
        case _ as unreachable:
            assert_never(unreachable)


def _announced(
    prepared: PreparedRecord,
    record: Announcement,
    known: Known,
    origin: tuple[datetime, Evidence],
) -> Announced:
    at, evidence = origin
    key = (prepared.account.number, record.reference)
    due_at = record.due_at or record.occurred_at + prepared.account.rules.due_within(record.rail)
    return Announced(
        at=at,
        evidence=evidence,
        item=_ITEM_KINDS[type(record)],
        reference=record.reference,
        amount=normal(parse_amount(record.amount, field="/amount")),
        due_at=due_at,
        ledger_sequence=record.ledger_sequence,
        occurred_at=record.occurred_at,
        bank_leg=normal(known.bank_legs.get(key, ZERO)),
        ledger_leg=normal(known.ledger_legs.get(key, ZERO)),
        released=known.named.get(key, 0) > record.ledger_sequence,
    )


_ITEM_KINDS: Final[dict[type, ItemKind]] = {
    Hold: ItemKind.HOLD,
    Payout: ItemKind.PAYOUT,
    Deposit: ItemKind.DEPOSIT,
}


def _prepared(
    record: LedgerRecord | LedgerBalance,
    spoken_at: datetime,
    directory: Directory,
    at: datetime,
) -> PreparedRecord:
    account = directory.by_ledger(record.account_id, record.currency)
    if account is None and directory.knows_ledger(record.account_id):
        rule = "the account is registered, but not in this currency"
        raise Refused(RefusalCode.CURRENCY_MISMATCH, "/currency", rule, record.currency)
    if account is None:
        rule = "the account registry names the account; register it and this record is replayed"
        raise Refused(RefusalCode.UNKNOWN_ACCOUNT, "/account_id", rule)
    if spoken_at > at + AHEAD_MAX:
        field = "/as_of" if isinstance(record, LedgerBalance) else "/occurred_at"
        raise Refused(RefusalCode.FUTURE_INSTANT, field, "an instant is not in the future")
    if is_announcement(record):
        _check_due(record, account)
    return PreparedRecord(
        account=account,
        record=record,
        content=digest_of(_ENCODER.encode(record).decode()),
        amount=normal(_signed_amount(record, account)),
    )


def _check_due(record: Announcement, account: Account) -> None:
    """Refuse an announcement that would explain a shortage for longer than the account allows."""
    longest = timedelta(seconds=account.rules.due_seconds_max)
    if record.due_at is not None and record.due_at > record.occurred_at + longest:
        rule = f"due at most {account.rules.due_seconds_max} seconds after occurred_at"
        raise Refused(RefusalCode.OUT_OF_RANGE, "/due_at", rule)


def _signed_amount(record: LedgerRecord | LedgerBalance, account: Account) -> Decimal:
    """Return what the record adds to the ledger balance; for a balance, the balance itself."""
    if isinstance(record, Release):
        return ZERO
    amount = parse_amount(record.amount, field="/amount", scale_max=account.rules.scale)
    match record:
        case LedgerBalance() | Issue():
            return amount
        case Redeem() | Fee():
            return subtract(ZERO, amount)
        case Transfer() | Adjustment():
            return amount if record.direction == "in" else subtract(ZERO, amount)
        case Hold() | Payout() | Deposit():
            return ZERO
        case _ as unreachable:
            assert_never(unreachable)


def _conflict(field: str, rule: str, first: str) -> Held:
    return Held(
        code=RefusalCode.ID_CONFLICT, field=field, rule=rule, detail=f"first seen as {first}"
    )


def is_announcement(record: LedgerRecord | LedgerBalance) -> TypeGuard[Announcement]:
    """Return whether `record` names a payment instead of moving a balance."""
    return isinstance(record, Hold | Payout | Deposit)
