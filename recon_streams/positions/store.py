"""The SQL of accounts: their states, locked for a batch, and the log each state is folded from."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from recon_streams.book.bulk import Bulk
from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.positions.event import event_bytes
from recon_streams.positions.state import AccountState, state_bytes, state_from_bytes
from recon_streams.positions.step import wake_at
from recon_streams.positions.working_set import RecordedStep

_STATE_TYPES: Final = {
    "number": "int",
    "version": "bigint",
    "state": "bytea",
    "wake_at": "timestamptz",
    "tier": "text",
    "raw_tier": "text",
    "rule": "text",
    "breaker": "text",
    "bank": "numeric",
    "ledger": "numeric",
    "reserved": "numeric",
    "difference": "numeric",
    "explained": "numeric",
    "unexplained": "numeric",
    "evaluated_at": "timestamptz",
}
# The newest state takes the place of the one before, found by its key whatever the planner knows.
_STATE: Final = Bulk(
    "account_state",
    tuple(_STATE_TYPES.items()),
    f"INSERT INTO positions.account_state ({', '.join(_STATE_TYPES)}) "  # noqa: S608 - ours
    "SELECT * FROM {rows} ON CONFLICT (number) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in _STATE_TYPES if column != "number"),
)
_EVENT: Final = Bulk.insert(
    "positions.account_event",
    {"number": "int", "sequence": "bigint", "rules_version": "int", "event": "bytea"},
)


async def lock_states(connection: Session, accounts: Collection[int]) -> dict[int, AccountState]:
    """Return the states of `accounts`, locked until the transaction ends.

    Locked in sorted order, so that two batches that share accounts wait for each other instead
    of for ever. One by one by their key: a join would be planned for the few accounts there were
    once, and read all there are now.
    """
    rows = await connection.fetch(
        "SELECT s.number, s.state FROM unnest($1::int[]) AS k(number) "
        "CROSS JOIN LATERAL (SELECT number, state FROM positions.account_state AS s "
        "WHERE s.number = k.number OFFSET 0 FOR UPDATE) AS s",
        sorted(accounts),
    )
    return {row["number"]: state_from_bytes(row["state"]) for row in rows}


def write(unit: UnitOfWork, steps: Sequence[RecordedStep]) -> None:
    """Append to the log of each account, and keep its newest state.

    The key of the log lets no sequence number stand twice.
    """
    newest = {recorded.account.number: recorded for recorded in steps}
    unit.write(_STATE, (_state_row(recorded) for recorded in newest.values()))
    unit.write(
        _EVENT,
        (
            (
                recorded.account.number,
                recorded.step.state.version,
                recorded.account.rules.version,
                event_bytes(recorded.event),
            )
            for recorded in steps
        ),
    )


async def due_accounts(
    connection: Session, *, now: datetime, accounts_max: int
) -> list[tuple[int, datetime]]:
    """Return accounts whose next instant has come, locked; those others hold are left to them."""
    rows = await connection.fetch(
        "SELECT number, wake_at FROM positions.account_state WHERE wake_at <= $1 "
        "ORDER BY wake_at LIMIT $2 FOR UPDATE SKIP LOCKED",
        now,
        accounts_max,
    )
    return [(row["number"], row["wake_at"]) for row in rows]


def _state_row(recorded: RecordedStep) -> tuple[Any, ...]:
    state, verdict = recorded.step.state, recorded.step.verdict
    return (
        recorded.account.number,
        state.version,
        state_bytes(state),
        wake_at(state, recorded.account.rules),
        verdict.tier.value,
        verdict.raw_tier.value,
        verdict.rule.value,
        state.breaker.state.value,
        verdict.bank,
        verdict.ledger,
        verdict.reserved,
        verdict.difference,
        verdict.explained,
        verdict.unexplained,
        state.evaluated_at,
    )
