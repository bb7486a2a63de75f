"""Loosening the rules of registered accounts as something that takes two people.

The registry that was asked for is kept until it is agreed to, by the hash of its content: what is
applied is what both were shown, whatever has become of the file.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final

import asyncpg
import msgspec

from recon_streams.approvals.subject import Agreed, ApprovalKind, NotAskable, Shown, Wish
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.positions.authorship import Authorship
from recon_streams.positions.registry_store import apply_in, newest_registry
from recon_streams.registry.definition import (
    AccountDefinition,
    definition_bytes,
    definition_from_bytes,
    opening_bytes,
)
from recon_streams.registry.loosening import Direction, RuleChange, changes_of

_ENCODER: Final = msgspec.json.Encoder(order="sorted")
DOCUMENT: Final = "definitions_sha256"
_Known = Mapping[tuple[str, str], tuple[int, AccountDefinition]]


async def split(
    unit: UnitOfWork, definitions: Sequence[AccountDefinition]
) -> tuple[list[AccountDefinition], dict[str, tuple[RuleChange, ...]]]:
    """Return the definitions that loosen nothing, and by account what the others loosen."""
    _, known = await newest_registry(unit)
    found = {_name(each): _loosened(each, known) for each in definitions}
    return (
        [each for each in definitions if not found[_name(each)]],
        {name: changes for name, changes in found.items() if changes},
    )


async def wish_to_apply(
    pool: asyncpg.Pool, definitions: Sequence[AccountDefinition], source: str
) -> Wish:
    """Keep `definitions` and return the wish to make them the registry."""
    content = _ENCODER.encode([msgspec.Raw(definition_bytes(each)) for each in definitions])
    digest = sha256(content).hexdigest()
    await pool.execute(
        "INSERT INTO approvals.document (sha256, content) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        digest,
        content,
    )
    return Wish(kind=ApprovalKind.RULES_LOOSENED, subject=source, details={DOCUMENT: digest})


class LooserRules:
    """Making a registry the newest that loosens rules; see `ApprovalSubject`."""

    kind = ApprovalKind.RULES_LOOSENED

    async def show(self, unit: UnitOfWork, wish: Wish) -> Shown:
        """Return every rule that changes, what it was and what it becomes."""
        definitions = await _definitions(unit, wish)
        version, known = await newest_registry(unit)
        changes = {
            _name(each): changes_of(known[each.account_id, each.currency][1], each)
            for each in definitions
            if (each.account_id, each.currency) in known
        }
        facts = {
            "registry_version": version,
            "loosened": _told(changes, Direction.LOOSENED),
            "tightened": _told(changes, Direction.TIGHTENED),
            "registered": sorted({_name(each) for each in definitions} - changes.keys()),
            DOCUMENT: wish.details[DOCUMENT],
        }
        return Shown(facts=_ENCODER.encode(facts))

    async def obstacles(self, unit: UnitOfWork, wish: Wish, *, now: datetime) -> tuple[str, ...]:
        """Return which openings differ: those cannot change."""
        del now
        _, known = await newest_registry(unit)
        return tuple(
            f"{_name(each)}: the opening figures cannot be changed"
            for each in await _definitions(unit, wish)
            if (each.account_id, each.currency) in known
            and opening_bytes(known[each.account_id, each.currency][1]) != opening_bytes(each)
        )

    async def carry_out(self, unit: UnitOfWork, agreed: Agreed) -> None:
        """Make it the registry."""
        authorship = Authorship(
            source=agreed.wish.subject,
            actor=agreed.maker,
            at=agreed.at,
            approval_id=agreed.request_id,
            approved_by=agreed.checker,
        )
        await apply_in(unit, await _definitions(unit, agreed.wish), authorship)


async def _definitions(unit: UnitOfWork, wish: Wish) -> list[AccountDefinition]:
    content = await unit.connection.fetchval(
        "SELECT content FROM approvals.document WHERE sha256 = $1", wish.details.get(DOCUMENT, "")
    )
    if content is None:
        raise NotAskable("the registry that is asked for was not kept")
    return [
        definition_from_bytes(bytes(each))
        for each in msgspec.json.decode(content, type=list[msgspec.Raw])
    ]


def _loosened(definition: AccountDefinition, known: _Known) -> tuple[RuleChange, ...]:
    _, before = known.get((definition.account_id, definition.currency), (0, None))
    if before is None:
        return ()
    changes = changes_of(before, definition)
    return tuple(each for each in changes if each.direction is Direction.LOOSENED)


def _told(
    changes: Mapping[str, tuple[RuleChange, ...]], direction: Direction
) -> list[dict[str, object]]:
    found = {
        name: [
            {"rule": each.path, "before": each.before, "after": each.after}
            for each in rules
            if each.direction is direction
        ]
        for name, rules in changes.items()
    }
    return [{"account": name, "rules": rules} for name, rules in sorted(found.items()) if rules]


def _name(definition: AccountDefinition) -> str:
    return f"{definition.account_id}:{definition.currency}"
