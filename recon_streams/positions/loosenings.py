"""Which rules were loosened, when, and whether two people are said to have agreed: for an audit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from recon_streams.approvals.machine import Request
from recon_streams.approvals.proof import Agreement
from recon_streams.approvals.subject import ApprovalKind
from recon_streams.positions.looser_rules import DOCUMENT
from recon_streams.registry.definition import definition_from_bytes
from recon_streams.registry.loosening import Direction, changes_of

_VERSIONS: Final = """
SELECT v.number, v.version, v.definition, r.applied_at, r.actor, r.approval_id, r.approved_by,
    lag(v.definition) OVER (PARTITION BY v.number ORDER BY v.version) AS before
FROM positions.account_version AS v JOIN positions.registry_version AS r USING (version)
ORDER BY v.version, v.number
"""


class Loosening(msgspec.Struct, frozen=True, kw_only=True):
    """One account whose rules were loosened by one version of the registry.

    Attributes:
        account: Its id and currency.
        rules: Which rules, by path.
        definition: What became of it, in its one spelling.
    """

    version: int
    account: str
    rules: tuple[str, ...]
    definition: bytes
    applied_at: datetime
    actor: str
    approval_id: int | None
    approved_by: str | None


async def loosenings(pool: asyncpg.Pool, *, after_version: int = 0) -> list[Loosening]:
    """Return what the versions after `after_version` have loosened, oldest first."""
    found: list[Loosening] = []
    for row in await pool.fetch(_VERSIONS):
        if row["before"] is None or row["version"] <= after_version:
            continue
        before, after = (definition_from_bytes(row[name]) for name in ("before", "definition"))
        changes = changes_of(before, after)
        rules = tuple(each.path for each in changes if each.direction is Direction.LOOSENED)
        if rules:
            found.append(
                Loosening(
                    version=row["version"],
                    account=f"{after.account_id}:{after.currency}",
                    rules=rules,
                    definition=row["definition"],
                    applied_at=row["applied_at"],
                    actor=row["actor"],
                    approval_id=row["approval_id"],
                    approved_by=row["approved_by"],
                )
            )
    return found


async def documents(pool: asyncpg.Pool, requests: Mapping[int, Request]) -> dict[int, bytes]:
    """Return the registry that each of `requests` asked for, as it was kept, by number."""
    names = {number: each.details.get(DOCUMENT, "") for number, each in requests.items()}
    rows = await pool.fetch(
        "SELECT sha256, content FROM approvals.document WHERE sha256 = ANY($1::text[])",
        list(names.values()),
    )
    kept = {row["sha256"]: row["content"] for row in rows}
    return {number: kept.get(name, b"") for number, name in names.items()}


def flaw_of_loosening(done: Loosening, agreed: Agreement, document: bytes) -> str | None:
    """Return why `agreed`, about `document`, does not allow `done`; None if it does."""
    request = agreed.request
    if request.kind is not ApprovalKind.RULES_LOOSENED:
        return f"what was agreed to is {request.kind} of {request.subject}"
    if (done.actor, done.approved_by) != (request.maker, agreed.checker):
        return f"{request.maker} and {agreed.checker} agreed, the registry names others"
    if done.definition not in document:
        return "what was agreed to are other rules"
    return None
