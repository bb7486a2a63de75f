"""Somebody who may write into the book as the program does, and holds nobody's key."""

import secrets
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
from desk_books import Book

from recon_streams.identity.statement import Deed, Statement, new_nonce, statement_bytes

TRANSITION = """
INSERT INTO breaker.transition (scope, epoch, seq, from_state, to_state, reason, evidence,
    evidence_hash, decided_at, parents, actor, words, approval_id, maker, checker, override_until)
SELECT scope, epoch + 1, seq + 1, state, 'CLOSED', $2, '{}', encode(sha256('{}'), 'hex'),
    date_trunc('milliseconds', clock_timestamp()), parents, 'bashir', 'words', $3, 'amal',
    'bashir', CASE $2 WHEN 'OVERRIDE' THEN clock_timestamp() + interval '29 minutes' END
FROM breaker.scope WHERE scope = $1
"""
DECISION = """
INSERT INTO approvals.decision (request_id, decision, facts_sha256, reason, checker, checker_kid,
    nonce, statement, signature) VALUES
    ($1, 'APPROVED', $2, 'looked at it', 'bashir', $3, $4, $5, $6)
"""
REQUEST = """
INSERT INTO approvals.request (kind, subject, details, facts, facts_sha256, epoch, reason, maker,
    maker_kid, nonce, statement, signature, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'amal', $8, $9, $10, $11,
    clock_timestamp() + interval '10 minutes') RETURNING request_id
"""
WHY = "the bank has confirmed it in writing"


class Forger:
    """Knows names and public keys of two people, and every rule of the database; has no key."""

    def __init__(self, book: Book) -> None:
        self.book = book

    async def agree(
        self, connection: Any, scope: str, kind: str = "BREAKER_RESET", minutes: str = "10"
    ) -> int:
        """Write down that both have agreed; the signatures are noise."""
        epoch = await connection.fetchval("SELECT epoch FROM breaker.scope WHERE scope = $1", scope)
        details = {"minutes": minutes} if kind == "BREAKER_OVERRIDE" else {}
        facts = b'{"shown":"anything"}'
        about = {
            "installation": self.book.operators.installation,
            "kind": kind,
            "subject": scope,
            "details": details,
            "facts_sha256": sha256(facts).hexdigest(),
            "epoch": epoch,
        }
        asked = statement("amal", Deed.REQUEST, WHY, **about)
        number: int = await connection.fetchval(
            REQUEST,
            kind,
            scope,
            msgspec.json.encode(details).decode(),
            facts,
            asked.facts_sha256,
            epoch,
            WHY,
            self.book.keys["amal"].public.kid,
            asked.nonce,
            statement_bytes(asked),
            secrets.token_bytes(64),
        )
        about |= {"request_id": number, "request_nonce": asked.nonce}
        agreed = statement("bashir", Deed.APPROVE, "looked at it", **about)
        await connection.execute(
            DECISION,
            number,
            agreed.facts_sha256,
            self.book.keys["bashir"].public.kid,
            agreed.nonce,
            statement_bytes(agreed),
            secrets.token_bytes(64),
        )
        return number

    async def release(self, scope: str, reason: str = "RESET", *, keeps: bool = True) -> None:
        """Let `scope` go, with everything in its place but two signatures."""
        async with self.book.pool.acquire() as connection, connection.transaction():
            kind = "BREAKER_OVERRIDE" if reason == "OVERRIDE" else "BREAKER_RESET"
            number = await self.agree(connection, scope, kind)
            await connection.execute(TRANSITION, scope, reason, number)
            if keeps:
                await self.keep(connection, scope)

    async def keep(self, connection: Any, scope: str) -> None:
        """Make what is kept beside the transitions say the same."""
        number = await connection.fetchval(
            "SELECT number FROM breaker.scope WHERE scope = $1", scope
        )
        if number is None:
            await connection.execute(
                "UPDATE breaker.scope SET fold = convert_to(jsonb_set(jsonb_set("
                "convert_from(fold, 'UTF8')::jsonb, '{epoch}', to_jsonb(epoch)), '{state}', "
                "to_jsonb(state))::text, 'UTF8') WHERE scope = $1",
                scope,
            )
            return
        await connection.execute(
            "UPDATE positions.account_state AS a SET breaker = s.state, state = convert_to("
            "jsonb_set(jsonb_set(convert_from(a.state, 'UTF8')::jsonb, '{breaker,epoch}', "
            "to_jsonb(s.epoch)), '{breaker,state}', to_jsonb(s.state))::text, 'UTF8') "
            "FROM breaker.scope AS s WHERE s.number = a.number AND s.scope = $1",
            scope,
        )


def statement(who: str, deed: Deed, reason: str, **about: Any) -> Statement:
    """Return what a person would sign."""
    about = {"request_id": None, "request_nonce": None} | about
    return Statement(
        deed=deed, reason=reason, signer=who, nonce=new_nonce(), at=datetime.now(UTC), **about
    )
