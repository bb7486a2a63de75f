"""The rules in the book: every version that was applied, as the file it was."""

from importlib.resources import files
from typing import Final

import asyncpg
import msgspec

from recon_streams.book.connection import Session
from recon_streams.matching.rules import MatchingRules
from recon_streams.matching.rules_file import rules_from_text
from recon_streams.registry.definition import AccountDefinition, definition_from_bytes

# Two people applying rules at once must not take the same version number.
_LOCK: Final = 0x7265636F6E06
_SHIPPED: Final = "matching.yaml"


class RulesVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The rules in force, and who made them so; nobody has applied version 0."""

    rules: MatchingRules
    source: str
    content: str
    actor: str = ""


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """An account and the newest definition of it."""

    number: int
    definition: AccountDefinition


async def current_rules(connection: Session | asyncpg.Pool) -> RulesVersion:
    """Return the newest version that was applied, else the one this program comes with."""
    row = await connection.fetchrow(
        "SELECT version, source, content, actor FROM matching.rule_version "
        "ORDER BY version DESC LIMIT 1"
    )
    if row is None:
        return shipped_rules()
    rules = rules_from_text(row["source"], row["content"], version=row["version"])
    return RulesVersion(
        rules=rules, source=row["source"], content=row["content"], actor=row["actor"]
    )


def shipped_rules() -> RulesVersion:
    """Return the rules that hold until others are applied."""
    text = (files("config") / _SHIPPED).read_text("utf-8")
    rules = rules_from_text(_SHIPPED, text, version=0)
    return RulesVersion(rules=rules, source=_SHIPPED, content=text)


async def apply_rules(pool: asyncpg.Pool, *, source: str, content: str, actor: str) -> RulesVersion:
    """Make a file the newest version, unless it is that already; return the version in force.

    What is matched stays matched; what is open is looked at again by the next run.

    Raises:
        ConfigurationInvalid: The file is not a set of rules.
    """
    rules = rules_from_text(source, content, version=0)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        newest = await current_rules(connection)
        if newest.rules.version and newest.rules.sha256 == rules.sha256:
            return newest
        version = newest.rules.version + 1
        await connection.execute(
            "INSERT INTO matching.rule_version (version, sha256, source, content, actor) "
            "VALUES ($1, $2, $3, $4, $5)",
            version,
            rules.sha256,
            source,
            content,
            actor,
        )
    rules = msgspec.structs.replace(rules, version=version)
    return RulesVersion(rules=rules, source=source, content=content, actor=actor)


async def registered(
    connection: Session | asyncpg.Pool, account_id: str | None = None
) -> list[Registered]:
    """Return the registered accounts, all or those the ledger calls `account_id`, in order."""
    rows = await connection.fetch(
        "SELECT DISTINCT ON (a.account_id, a.currency) a.number, v.definition "
        "FROM positions.account AS a JOIN positions.account_version AS v USING (number) "
        "WHERE $1::text IS NULL OR a.account_id = $1 "
        "ORDER BY a.account_id, a.currency, v.version DESC",
        account_id,
    )
    return [
        Registered(number=row["number"], definition=definition_from_bytes(row["definition"]))
        for row in rows
    ]
