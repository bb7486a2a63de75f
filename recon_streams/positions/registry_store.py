"""The account registry in the book: versions of definitions, and the directory of the newest."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from recon_streams.book.bulk import Bulk
from recon_streams.book.connection import Session
from recon_streams.book.streams import wait_for_batches
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.money import normal
from recon_streams.positions import breaker_store, store
from recon_streams.positions.authorship import Authorship
from recon_streams.positions.directory import Account, Directory
from recon_streams.positions.event import Registered, RulesChanged
from recon_streams.positions.known import Known
from recon_streams.positions.rules import rules_of
from recon_streams.positions.step import register
from recon_streams.positions.telling import tell_of
from recon_streams.positions.working_set import RecordedStep, WorkingSet
from recon_streams.registry.definition import (
    AccountDefinition,
    definition_bytes,
    definition_from_bytes,
    opening_bytes,
)
from recon_streams.registry.feeds import feed_of, shared_feeds
from recon_streams.scopes import store as scopes

_DEFINITION: Final = Bulk.insert(
    "positions.account_version", {"number": "int", "version": "int", "definition": "bytea"}
)

# Two people applying a registry at once must not take the same version number.
_REGISTRY_LOCK = 0x7265636F6E03


class OpeningChanged(Exception):
    """An account's opening figures were edited after they had been used."""

    def __init__(self, scope: str) -> None:
        super().__init__(
            f"{scope}: the opening figures were used when the account was registered and cannot "
            "be changed; later figures come from ledger balances and bank notifications"
        )


class RegistryChange(msgspec.Struct, frozen=True, kw_only=True):
    """What applying a registry did. `absent` are registered accounts the file does not name."""

    version: int
    registered: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    absent: tuple[str, ...]


class DirectoryCache:
    """The directory of the newest registry version, loaded again only when there is a newer one."""

    def __init__(self) -> None:
        """Load at first use."""
        self._directory = Directory((), version=-1)

    async def current(self, connection: Session | asyncpg.Pool) -> Directory:
        """Return the directory in force for the transaction of `connection`."""
        version = await connection.fetchval(
            "SELECT coalesce(max(version), 0) FROM positions.registry_version"
        )
        if version != self._directory.version:
            self._directory = await _load(connection, version)
        return self._directory


async def apply_registry(
    pool: asyncpg.Pool,
    definitions: Sequence[AccountDefinition],
    *,
    source: str,
    actor: str,
    now: datetime,
) -> RegistryChange:
    """Make `definitions` the newest version of the registry, in a unit of its own: `apply_in`."""
    async with UnitOfWork(pool) as unit:
        return await apply_in(unit, definitions, Authorship(source=source, actor=actor, at=now))


async def apply_in(
    unit: UnitOfWork, definitions: Sequence[AccountDefinition], authorship: Authorship
) -> RegistryChange:
    """Make `definitions` the newest version of the registry.

    New accounts are registered, each with a breaker that denies until evidence has come. Changed
    ones are judged by the new rules from here on. Accounts the file no longer names keep theirs.

    Raises:
        OpeningChanged: The opening figures of a registered account differ; nothing was applied.
        TakesTwo: It loosens rules, and `authorship` does not allow that; nothing was applied.
    """
    version, known = await newest_registry(unit)
    fresh = [d for d in definitions if (d.account_id, d.currency) not in known]
    changed: list[tuple[int, AccountDefinition]] = []
    unchanged: list[str] = []
    for definition in definitions:
        number, before = known.get((definition.account_id, definition.currency), (0, None))
        if before is None:
            continue
        if opening_bytes(before) != opening_bytes(definition):
            raise OpeningChanged(_name(definition))
        if definition_bytes(before) == definition_bytes(definition):
            unchanged.append(_name(definition))
        else:
            changed.append((number, definition))
    authorship.check((known[d.account_id, d.currency][1], d) for _, d in changed)
    if fresh or changed:
        version += 1
        await _new_version(unit, version, authorship)
        corridors = {corridor for d in definitions for corridor in d.corridors}
        await scopes.make_corridors(unit, corridors, at=authorship.at)
        await _register(unit, fresh, version, authorship.at)
        await _change(unit, changed, version, authorship.at)
    named = {(d.account_id, d.currency) for d in definitions}
    return RegistryChange(
        version=version,
        registered=tuple(_name(d) for d in fresh),
        changed=tuple(_name(d) for _, d in changed),
        unchanged=tuple(unchanged),
        absent=tuple(f"{a}:{c}" for a, c in sorted(known.keys() - named)),
    )


async def newest_registry(
    unit: UnitOfWork,
) -> tuple[int, dict[tuple[str, str], tuple[int, AccountDefinition]]]:
    """Return the newest version and each account's number and definition, by id and currency.

    Nobody else changes it before `unit` ends.
    """
    await unit.connection.execute("SELECT pg_advisory_xact_lock($1)", _REGISTRY_LOCK)
    version: int = await unit.connection.fetchval(
        "SELECT coalesce(max(version), 0) FROM positions.registry_version"
    )
    return version, await _newest_definitions(unit.connection)


async def _new_version(unit: UnitOfWork, version: int, authorship: Authorship) -> None:
    await unit.connection.execute(
        "INSERT INTO positions.registry_version "
        "(version, source, actor, approval_id, approved_by) VALUES ($1, $2, $3, $4, $5)",
        version,
        authorship.source,
        authorship.actor,
        authorship.approval_id,
        authorship.approved_by,
    )


async def _register(
    unit: UnitOfWork, definitions: Sequence[AccountDefinition], version: int, now: datetime
) -> None:
    if not definitions:
        return
    rows = await unit.connection.fetch(
        "INSERT INTO positions.account (account_id, currency) "
        "SELECT * FROM unnest($1::text[], $2::text[]) RETURNING number, account_id, currency",
        [d.account_id for d in definitions],
        [d.currency for d in definitions],
    )
    numbers = {(row["account_id"], row["currency"]): row["number"] for row in rows}
    numbered = [(numbers[d.account_id, d.currency], d) for d in definitions]
    _write_definitions(unit, numbered, version)
    steps = [_registered(number, d, version, now) for number, d in numbered]
    await scopes.make_accounts(
        unit.connection, {each.account.scope: each.account.number for each in steps}
    )
    store.write(unit, steps)
    breaker_store.write_transitions(unit, steps)
    tell_of(unit, steps, {})


async def _change(
    unit: UnitOfWork,
    changed: Sequence[tuple[int, AccountDefinition]],
    version: int,
    now: datetime,
) -> None:
    if not changed:
        return
    _write_definitions(unit, changed, version)
    # A batch that knows the rules before must not decide after them.
    await wait_for_batches(unit)
    states = await store.lock_states(unit.connection, [number for number, _ in changed])
    before = dict(states)
    above = await scopes.parents_in_force(unit.connection, [number for number, _ in changed])
    working = WorkingSet(Directory((), version=version), states, Known())
    for number, definition in changed:
        account = _account(number, definition, version)
        parents = account.parents if account.parents != above[account.scope] else None
        working.record(account, RulesChanged(at=now, version=version, parents=parents))
    store.write(unit, working.steps)
    breaker_store.write_transitions(unit, working.steps)
    tell_of(unit, working.steps, before)


def _registered(
    number: int, definition: AccountDefinition, version: int, now: datetime
) -> RecordedStep:
    opening = definition.opening
    event = Registered(
        at=now,
        bank=normal(opening.bank) if opening and opening.bank is not None else None,
        ledger=normal(opening.ledger) if opening and opening.ledger is not None else None,
        ledger_sequence=(opening.ledger_sequence or 0) if opening else 0,
        as_of=opening.as_of if opening else None,
    )
    account = _account(number, definition, version)
    taken = register(account.account_id, account.currency, event, account.rules)
    return RecordedStep(account=account, event=event, step=taken)


async def _load(connection: Session | asyncpg.Pool, version: int) -> Directory:
    rows = await connection.fetch(
        "SELECT DISTINCT ON (number) v.number, v.version, v.definition, "
        "min(r.applied_at) OVER (PARTITION BY v.number) AS applied_at "
        "FROM positions.account_version AS v JOIN positions.registry_version AS r USING (version) "
        "WHERE v.version <= $1 ORDER BY v.number, v.version DESC",
        version,
    )
    definitions = [definition_from_bytes(row["definition"]) for row in rows]
    shared = shared_feeds(map(feed_of, definitions))
    accounts = []
    for row, definition in zip(rows, definitions, strict=True):
        names = tuple(bank.identification for bank in definition.bank_accounts)
        account = _account(row["number"], definition, row["version"], row["applied_at"])
        if (feed := feed_of(definition)) in shared:
            account = msgspec.structs.replace(account, feed=feed)
        accounts.append((account, names))
    return Directory(accounts, version=version)


async def _newest_definitions(
    connection: Session,
) -> dict[tuple[str, str], tuple[int, AccountDefinition]]:
    rows = await connection.fetch(
        "SELECT DISTINCT ON (number) number, definition FROM positions.account_version "
        "ORDER BY number, version DESC"
    )
    found = {}
    for row in rows:
        definition = definition_from_bytes(row["definition"])
        found[definition.account_id, definition.currency] = (row["number"], definition)
    return found


def _write_definitions(
    unit: UnitOfWork, numbered: Sequence[tuple[int, AccountDefinition]], version: int
) -> None:
    unit.write(_DEFINITION, ((number, version, definition_bytes(d)) for number, d in numbered))


def _account(
    number: int,
    definition: AccountDefinition,
    version: int,
    applied_at: datetime | None = None,
) -> Account:
    opening = definition.opening
    instants = (applied_at, opening.as_of if opening else None)
    return Account(
        number=number,
        account_id=definition.account_id,
        currency=definition.currency,
        rules=rules_of(definition, version),
        bank_opened_at=opening.as_of if opening and opening.bank is not None else None,
        registered_at=min((at for at in instants if at is not None), default=None),
        corridors=definition.corridors,
    )


def _name(definition: AccountDefinition) -> str:
    return f"{definition.account_id}:{definition.currency}"
