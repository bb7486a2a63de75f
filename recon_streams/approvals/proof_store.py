"""The SQL of proofs: agreements as the book has them, and the operators it has ever had."""

from collections.abc import Collection
from typing import Final

import asyncpg
from msgspec.structs import replace

from recon_streams.approvals import store
from recon_streams.approvals.machine import RequestState
from recon_streams.approvals.proof import Agreement, RollRow
from recon_streams.book.connection import Session
from recon_streams.identity.person import Signed

_AGREEMENTS: Final = """
SELECT r.*, NULL AS decision, NULL AS voided_by, NULL AS ended_words, NULL AS ended_at, d.checker,
    d.checker_kid, d.nonce AS decision_nonce, d.statement AS decision_statement,
    d.signature AS decision_signature, d.decided_at
FROM approvals.decision AS d JOIN approvals.request AS r USING (request_id)
WHERE d.decision = 'APPROVED' AND d.request_id = ANY($1::bigint[])
"""


async def agreements(
    connection: Session | asyncpg.Pool, request_ids: Collection[int]
) -> dict[int, Agreement]:
    """Return which of the requests were agreed to, as the book says, by number."""
    rows = await connection.fetch(_AGREEMENTS, list(request_ids))
    return {row["request_id"]: _agreement(row) for row in rows}


async def agreed_numbers(connection: Session | asyncpg.Pool) -> list[int]:
    """Return the numbers of all requests that were agreed to, as the book says."""
    rows = await connection.fetch(
        "SELECT request_id FROM approvals.decision WHERE decision = 'APPROVED'"
    )
    return [row["request_id"] for row in rows]


async def roll_rows(connection: Session | asyncpg.Pool) -> list[RollRow]:
    """Return every version of the operators that came into the book."""
    rows = await connection.fetch(
        "SELECT version, loaded_at, content FROM approvals.operators_file ORDER BY version"
    )
    return [RollRow(**row) for row in rows]


async def roll_count(connection: Session | asyncpg.Pool) -> int:
    """Return how many versions came into the book; none ever leaves it."""
    count: int = await connection.fetchval("SELECT count(*) FROM approvals.operators_file")
    return count


def _agreement(row: asyncpg.Record) -> Agreement:
    request = replace(store.request_of(row), state=RequestState.REQUESTED, checker=None)
    return Agreement(
        request=request,
        asked=Signed(statement=row["statement"], kid=row["maker_kid"], signature=row["signature"]),
        agreed=Signed(
            statement=row["decision_statement"],
            kid=row["checker_kid"],
            signature=row["decision_signature"],
        ),
        checker=row["checker"],
        nonce=row["decision_nonce"],
        at=row["decided_at"],
    )
