"""The SQL of approvals: operators as the book has seen them, requests, and how they ended."""

from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from recon_streams.approvals.machine import Request, RequestState, Ruling
from recon_streams.approvals.subject import ApprovalKind
from recon_streams.book.connection import Session
from recon_streams.identity.flaw import IdentityFlaw, NotBelieved
from recon_streams.identity.operators import Operators
from recon_streams.identity.person import Person, Signed
from recon_streams.identity.statement import Statement

_REQUESTS: Final = """
SELECT r.*, d.decision, d.checker, coalesce(d.reason, v.words) AS ended_words,
    coalesce(d.decided_at, v.voided_at) AS ended_at, v.cause AS voided_by
FROM {source} AS r LEFT JOIN approvals.decision AS d USING (request_id)
LEFT JOIN approvals.voiding AS v USING (request_id)
"""
_ONE: Final = _REQUESTS.format(source="approvals.request") + "WHERE r.request_id = $1"
_LIST: Final = (
    _REQUESTS.format(source="approvals.request")
    + "WHERE $1 OR (d.request_id IS NULL AND v.request_id IS NULL "
    "AND r.expires_at > clock_timestamp()) ORDER BY r.request_id DESC LIMIT $2"
)
_END_OVERDUE: Final = """
INSERT INTO approvals.voiding (request_id, cause, words)
SELECT r.request_id, CASE WHEN s.epoch > r.epoch THEN 'EPOCH_CHANGED' ELSE 'EXPIRED' END,
    CASE WHEN s.epoch > r.epoch THEN 'the scope has changed since it was asked; ask again'
        ELSE 'nobody else agreed in time' END
FROM approvals.request AS r
LEFT JOIN breaker.scope AS s ON s.scope = r.subject AND r.epoch IS NOT NULL
WHERE (r.expires_at <= clock_timestamp() OR s.epoch > r.epoch)
    AND NOT EXISTS (SELECT FROM approvals.ending AS e WHERE e.request_id = r.request_id)
ORDER BY r.request_id LIMIT 100
RETURNING request_id
"""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """The newest file of operators that the book has seen."""

    version: int
    root_kid: str
    sha256: str


async def now(connection: Session | asyncpg.Pool) -> datetime:
    """Return the book's own clock, by which requests expire."""
    found: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return found


async def seen(connection: Session | asyncpg.Pool) -> Seen | None:
    """Return the newest file of operators that the book has seen; None if it never saw one."""
    row = await connection.fetchrow(
        "SELECT version, root_kid, sha256 FROM approvals.operators_file "
        "ORDER BY version DESC LIMIT 1"
    )
    return None if row is None else Seen(**row)


async def admit(connection: Session, operators: Operators) -> None:
    """Make `operators` those of the book, if they are newer than those it has seen.

    Raises:
        NotBelieved: They are older, have another root, or are another list of the same version.
    """
    listed = operators.listed
    newest = await seen(connection)
    if newest is not None and newest.root_kid != listed.root_kid:
        words = f"the operators of this book have the root key {newest.root_kid}"
        raise NotBelieved(IdentityFlaw.UNKNOWN_ROOT, words)
    if newest is not None and newest.version > listed.version:
        words = (
            f"the file of operators has version {listed.version}; the book has seen "
            f"version {newest.version}"
        )
        raise NotBelieved(IdentityFlaw.OLDER_VERSION, words)
    if newest is not None and newest.version == listed.version:
        if newest.sha256 != operators.sha256:
            words = f"the book has seen another version {listed.version} of the operators"
            raise NotBelieved(IdentityFlaw.OTHER_CONTENT, words)
        return
    await connection.execute(
        "INSERT INTO approvals.operators_file (version, root_kid, sha256, content) "
        "VALUES ($1, $2, $3, $4)",
        listed.version,
        listed.root_kid,
        operators.sha256,
        operators.content,
    )


async def insert_request(
    connection: Session,
    statement: Statement,
    signed: Signed,
    *,
    facts: bytes,
    expires_at: datetime,
) -> int:
    """Write a request; return its number.

    Raises:
        asyncpg.CheckViolationError: The database does not believe it.
        asyncpg.UniqueViolationError: The statement was used before.
    """
    number: int = await connection.fetchval(
        "INSERT INTO approvals.request (kind, subject, details, facts, facts_sha256, epoch, "
        "reason, maker, maker_kid, nonce, statement, signature, expires_at) "
        "VALUES ($1, $2, $3::jsonb, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) "
        "RETURNING request_id",
        statement.kind,
        statement.subject,
        msgspec.json.encode(statement.details).decode(),
        facts,
        statement.facts_sha256,
        statement.epoch,
        statement.reason,
        statement.signer,
        signed.kid,
        statement.nonce,
        signed.statement,
        signed.signature,
        expires_at,
    )
    return number


async def insert_decision(
    connection: Session, statement: Statement, signed: Signed, person: Person, *, decision: str
) -> datetime:
    """Write how a request ended; return when.

    Raises:
        asyncpg.CheckViolationError: The database does not believe it.
        asyncpg.UniqueViolationError: It ended before, or the statement was used before.
    """
    decided_at: datetime = await connection.fetchval(
        "INSERT INTO approvals.decision (request_id, decision, facts_sha256, reason, checker, "
        "checker_kid, nonce, statement, signature) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
        "RETURNING decided_at",
        statement.request_id,
        decision,
        statement.facts_sha256,
        statement.reason,
        person.subject,
        person.kid,
        statement.nonce,
        signed.statement,
        signed.signature,
    )
    return decided_at


async def insert_voiding(
    connection: Session, request_id: int, cause: Ruling, *, words: str
) -> None:
    """Write that a request is void, and why."""
    await connection.execute(
        "INSERT INTO approvals.voiding (request_id, cause, words) VALUES ($1, $2, $3)",
        request_id,
        cause.value,
        words,
    )


async def locked(connection: Session, request_id: int) -> Request | None:
    """Return a request, which nobody else ends before this transaction does; None if none is."""
    # Locked first, read then: what ended it while we waited is seen.
    await connection.execute("SELECT FROM approvals.lock_request($1)", request_id)
    return await find(connection, request_id)


async def find(connection: Session | asyncpg.Pool, request_id: int) -> Request | None:
    """Return a request; None if there is none of that number."""
    row = await connection.fetchrow(_ONE, request_id)
    return None if row is None else request_of(row)


async def requests(
    connection: Session | asyncpg.Pool, *, everything: bool, rows_max: int
) -> list[Request]:
    """Return the newest requests; only those that wait for somebody, unless `everything`."""
    return [request_of(row) for row in await connection.fetch(_LIST, everything, rows_max)]


async def end_overdue(connection: Session) -> list[Request]:
    """Write down which requests nobody can agree to any more, and why; return them.

    They have expired, or their scope has changed since.

    Raises:
        asyncpg.UniqueViolationError: Somebody else ended one of them at this moment.
    """
    numbers = [row["request_id"] for row in await connection.fetch(_END_OVERDUE)]
    found = [await find(connection, number) for number in numbers]
    return [each for each in found if each is not None]


def request_of(row: asyncpg.Record) -> Request:
    """Return the request that a row of `_REQUESTS` tells of."""
    state = RequestState.REQUESTED
    if row["voided_by"] is not None:
        is_late = row["voided_by"] == Ruling.EXPIRED.value
        state = RequestState.EXPIRED if is_late else RequestState.VOIDED
    elif row["decision"] is not None:
        state = RequestState(row["decision"])
    return Request(
        request_id=row["request_id"],
        kind=ApprovalKind(row["kind"]),
        subject=row["subject"],
        details=msgspec.json.decode(row["details"], type=dict[str, str]),
        facts=row["facts"],
        facts_sha256=row["facts_sha256"],
        epoch=row["epoch"],
        reason=row["reason"],
        maker=row["maker"],
        maker_kid=row["maker_kid"],
        nonce=row["nonce"],
        requested_at=row["requested_at"],
        expires_at=row["expires_at"],
        state=state,
        checker=row["checker"],
        ended_words=row["ended_words"],
        ended_at=row["ended_at"],
    )
