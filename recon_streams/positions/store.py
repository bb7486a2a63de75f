"""The SQL of accounts: their states, locked for a batch, and the log each state is folded from."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from recon_streams.book.connection import Session
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
_STATE_COLUMNS: Final = tuple(_STATE_TYPES)
_UPDATE_STATES: Final = (  # of the names above only
    "UPDATE positions.account_state AS s SET "  # noqa: S608
    + ", ".join(f"{column} = n.{column}" for column in _STATE_COLUMNS[1:])
    + " FROM unnest("
    + ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(_STATE_TYPES.values(), 1))
    + f") AS n({', '.join(_STATE_COLUMNS)}) WHERE s.number = n.number"
)


async def lock_states(connection: Session, accounts: Collection[int]) -> dict[int, AccountState]:
    """Return the states of `accounts`, locked until the transaction ends.

    Locked in sorted order, so that two batches that share accounts wait for each other instead
    of for ever.
    """
    rows = await connection.fetch(
        "SELECT number, state FROM positions.account_state WHERE number = ANY($1::int[]) "
        "ORDER BY number FOR UPDATE",
        sorted(accounts),
    )
    return {row["number"]: state_from_bytes(row["state"]) for row in rows}


async def write(connection: Session, steps: Sequence[RecordedStep]) -> None:
    """Write every event, and the newest state of each account."""
    if not steps:
        return
    await write_events(connection, steps)
    newest = {recorded.account.number: recorded for recorded in steps}
    rows = [_state_row(recorded) for recorded in newest.values()]
    await connection.execute(
        _UPDATE_STATES, *([row[column] for row in rows] for column in range(len(_STATE_COLUMNS)))
    )


async def write_events(connection: Session, steps: Sequence[RecordedStep]) -> None:
    """Append to the log of each account; its key lets no sequence number stand twice."""
    await connection.copy_records_to_table(
        "account_event",
        schema_name="positions",
        columns=("number", "sequence", "rules_version", "event"),
        records=[
            (
                recorded.account.number,
                recorded.step.state.version,
                recorded.account.rules.version,
                event_bytes(recorded.event),
            )
            for recorded in steps
        ],
    )


async def insert_states(connection: Session, steps: Sequence[RecordedStep]) -> None:
    """Write the first states of accounts."""
    await connection.copy_records_to_table(
        "account_state",
        schema_name="positions",
        columns=_STATE_COLUMNS,
        records=[_state_row(recorded) for recorded in steps],
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
