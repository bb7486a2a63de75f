"""Every input with its bytes and what became of it; the refused ones with the reason."""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

import msgspec

from recon_streams.alerts.alarm import Facts, Gone, Raised
from recon_streams.alerts.classes import AlertClass, Component
from recon_streams.alerts.telling import tell
from recon_streams.book.bulk import Bulk
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.disposition import Disposition, Held, Outcome
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.log.record import Batch, OutgoingRecord, ProvenGap, Record
from topics.alerts import Severity
from topics.quarantine import QuarantineNotice

_INPUT: Final = Bulk.insert(
    "book.input",
    {
        "off": "bigint",
        "span": "bigint",
        "at": "timestamptz",
        "key": "bytea",
        "payload": "bytea",
        "sha256": "bytea",
        "disposition": "text",
        "duplicate_of": "text",
        "stream": "int",
    },
)
_ENCODER: Final = msgspec.json.Encoder()
_NO_INSTANT: Final = datetime(1970, 1, 1, tzinfo=UTC)


async def write(unit: UnitOfWork, stream: int, batch: Batch, outcomes: Sequence[Outcome]) -> None:
    """Record what became of each record of `batch`, and each proven hole between them.

    What was quarantined is announced on `recon.quarantine` and `recon.alerts` in the same
    transaction.
    """
    assert len(outcomes) == len(batch.records), "every input ends with exactly one disposition"
    rows: list[tuple[object, ...]] = [
        (
            record.offset,
            1,
            record.appended_at,
            record.key,
            record.value,
            sha256(record.value or b"").digest(),
            outcome.disposition.value,
            outcome.duplicate_of,
            stream,
        )
        for record, outcome in zip(batch.records, outcomes, strict=True)
    ]
    at = batch.records[-1].appended_at if batch.records else None
    rows.extend(_gap_row(stream, gap.first, gap.until, gap.cause.value, at) for gap in batch.gaps)
    covered = len(batch.records) + sum(gap.until - gap.first for gap in batch.gaps)
    assert covered == batch.next_offset - batch.first_offset, "every offset once, none twice"
    unit.write(_INPUT, rows)
    held = [
        (record, outcome)
        for record, outcome in zip(batch.records, outcomes, strict=True)
        if outcome.held
    ]
    if held:
        await unit.flush()  # what is held refers to its input
        await _quarantine(unit, stream, held)


async def redispose(unit: UnitOfWork, stream: int, record: Record, outcome: Outcome) -> None:
    """Record what became of an input that was in quarantine and has been decided again.

    `unit` must hold the stream: a batch under way may be about to quarantine for the same cause,
    and its alert must come before or after what is resolved here, never beside it.
    """
    changed = await unit.connection.execute(
        "UPDATE book.input SET disposition = $3, duplicate_of = $4, decided_at = clock_timestamp() "
        "WHERE stream = $1 AND off = $2",
        stream,
        record.offset,
        outcome.disposition.value,
        outcome.duplicate_of,
    )
    assert changed == "UPDATE 1", "only what was taken in can be decided again"
    if outcome.held:
        await _quarantine(unit, stream, [(record, outcome)])
    await resolve_alerts(unit, stream, record)


async def resolve_alerts(unit: UnitOfWork, stream: int, record: Record) -> None:
    """Resolve the alert of every cause of `record` for which its stream waits no more.

    `unit` must hold the stream, and have written how `record` was answered.
    """
    rows = await unit.connection.fetch(
        "SELECT q.code, CASE WHEN q.code = $3 THEN q.detail ELSE '' END AS detail "
        "FROM book.quarantine q WHERE q.stream = $1 GROUP BY 1, 2 "
        "HAVING bool_or(q.off = $2) AND bool_and(EXISTS (SELECT FROM book.quarantine_action a "
        "WHERE a.quarantine_id = q.quarantine_id))",
        stream,
        record.offset,
        RefusalCode.UNKNOWN_CLIENT.value,
    )
    at, source = record.appended_at, _place(record)
    causes = [_cause(record, RefusalCode(row["code"]), row["detail"]) for row in rows]
    tell(unit, (Gone(key=each, at=at, source=source) for each in causes))


def write_gap(unit: UnitOfWork, stream: int, gap: ProvenGap, at: datetime) -> None:
    """Record offsets that hold nothing to read, outside of any batch; `at` is when it was known."""
    unit.write(_INPUT, [_gap_row(stream, gap.first, gap.until, gap.cause.value, at)])


def _gap_row(
    stream: int, first: int, until: int, cause: str, at: datetime | None
) -> tuple[int, int, datetime, None, None, None, str, str, int]:
    # A hole has no instant of its own; that of the batch says when it was passed.
    return (
        first,
        until - first,
        at or _NO_INSTANT,
        None,
        None,
        None,
        Disposition.CONTROL.value,
        cause,
        stream,
    )


def _cause(record: Record, code: RefusalCode, detail: str) -> str:
    cause = f"quarantine:{record.topic}/{record.partition}:{code}"
    # Each service that nobody registered is a trouble of its own, with somebody else to ask.
    return f"{cause}:{detail}" if code is RefusalCode.UNKNOWN_CLIENT else cause


def _place(record: Record) -> str:
    return f"{record.topic}/{record.partition}/{record.offset}"


def _raised(record: Record, part: Held) -> Raised:
    summary = f"An input of {record.topic} could not be used: {part.code}"
    if part.code is RefusalCode.UNKNOWN_CLIENT:
        summary = (
            f"The payout service {part.detail} acknowledges and is not registered: nobody hears if "
            "it misses a stop. Add it to breaker.clients, restart the workers and replay "
            f"{part.code}; or have it stopped, if nobody knows it"
        )
    facts = Facts(
        alert_class=AlertClass.QUARANTINE.value,
        severity=Severity.ERROR,
        summary=summary,
        component=Component.INPUTS.value,
        source=_place(record),
        evidence="recon-streams quarantine list",
    )
    key = _cause(record, part.code, part.detail)
    return Raised(key=key, at=record.appended_at, facts=facts)


async def _quarantine(
    unit: UnitOfWork, stream: int, held: Sequence[tuple[Record, Outcome]]
) -> None:
    parts = [(record, part) for record, outcome in held for part in outcome.held]
    ids = await unit.connection.fetch(
        "INSERT INTO book.quarantine (stream, off, code, field, rule, detail) "
        "SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[]) "
        "RETURNING quarantine_id",
        stream,
        [record.offset for record, _ in parts],
        [part.code.value for _, part in parts],
        [part.field for _, part in parts],
        [part.rule for _, part in parts],
        [part.detail for _, part in parts],
    )
    for row, (record, part) in zip(ids, parts, strict=True):
        notice = QuarantineNotice(
            quarantine_id=row["quarantine_id"],
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            code=part.code.value,
            field=part.field,
            rule=part.rule,
            detail=part.detail,
            payload_sha256=sha256(record.value or b"").hexdigest(),
            payload_bytes=len(record.value or b""),
            at=record.appended_at,
        )
        key = record.topic.encode()
        unit.publish([OutgoingRecord("recon.quarantine", key, _ENCODER.encode(notice))])
    tell(unit, (_raised(record, part) for record, part in parts))
