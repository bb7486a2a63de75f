"""Whether what let a scope go was signed by two people: asked before anything of it is published.

The database cannot check signatures. A release that only stands in the book is a forgery: the scope
is stopped again, and on-call is told.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import structlog

from recon_streams.alerts.alarm import Facts
from recon_streams.alerts.causes import COUNTED_SECONDS, raise_alert
from recon_streams.alerts.classes import AlertClass, Component
from recon_streams.approvals.proof import Agreement
from recon_streams.approvals.prover import Prover
from recon_streams.approvals.subject import ApprovalKind
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.breaker.record import SYSTEM
from recon_streams.breaker_desk.override import MINUTES
from recon_streams.breaker_desk.trip import TripDesk
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.scopes.releases import Release, newest_releases
from topics.alerts import Severity
from topics.breaker import BreakerState

_log = structlog.get_logger()

NOBODY_CHECKS: Final = (
    "nobody here can check what two people signed: set identity.root_key for the publisher"
)
_FEWER_PARENTS: Final = "its record names fewer scopes above it than the registry"
_PARENTS: Final = """
SELECT scope, number, parents FROM breaker.scope
WHERE number IS NOT NULL AND state <> 'OPEN' AND ($1::text[] IS NULL OR scope = ANY($1))
"""
_OUTBOX: Final = "outbox"
# What two people agreed to counts from when it is done, moments after they were written down.
_DEED_TAKES_MAX: Final = timedelta(minutes=1)


async def _nothing() -> None:
    """There is no file of operators that could change."""


class BreakerNotary:
    """A `publisher.screening.Notary` over the agreements of the book."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        prover: Prover | None,
        *,
        admit: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        """Prove with `prover`; without one no release is believed.

        `admit` lets the book see the operators' file where it has changed, so that a key that was
        revoked there counts no more.
        """
        self._pool = pool
        self._prover = prover
        self._admit = admit
        self._directories = DirectoryCache()
        self._trips = TripDesk(self._directories)
        self._told_at: dict[str, datetime] = {}

    async def unproven(self, scopes: Collection[str] | None) -> Mapping[str, str]:
        """Return why releases are not proven, by scope; what is forged is stopped again by then."""
        await self._admit()
        found = await self._with_fewer_parents(scopes)
        releases = await newest_releases(self._pool, scopes)
        numbers = {each.approval_id for each in releases if each.approval_id is not None}
        agreed: Mapping[int, Agreement | str] = {}
        if self._prover is not None and releases:
            agreed = await self._prover.prove(self._pool, numbers)
        for release in releases:
            if self._prover is None:
                found[release.scope] = NOBODY_CHECKS
                await self._tell(release.scope, NOBODY_CHECKS)
                continue
            flaw = flaw_of(release, agreed.get(release.approval_id or 0, "nobody agreed to it"))
            if flaw is not None:
                found[release.scope] = flaw
                await self._take_back(release, flaw)
        return found

    async def found_foreign(self, count: int) -> None:
        """Tell on-call that messages waited to be signed which nobody has decided."""
        _log.error("foreign_messages_withheld", count=count)
        words = f"{count} messages waited to be signed that the book has not decided"
        await self._tell(_OUTBOX, words, severity=Severity.CRITICAL)

    async def _with_fewer_parents(self, scopes: Collection[str] | None) -> dict[str, str]:
        wanted = None if scopes is None else list(scopes)
        rows = await self._pool.fetch(_PARENTS, wanted)
        # Read after the rows: what the registry says by now, a record may have yet to follow.
        directory = await self._directories.current(self._pool)
        return {
            row["scope"]: _FEWER_PARENTS
            for row in rows
            if not set(directory.by_number(row["number"]).parents) <= set(row["parents"])
        }

    async def _take_back(self, release: Release, flaw: str) -> None:
        if release.state is BreakerState.OPEN:
            return
        words = f"the release of epoch {release.epoch} is not proven: {flaw}"
        _log.error("release_taken_back", scope=release.scope, reason=flaw)
        async with UnitOfWork(self._pool) as unit:
            now = await unit.connection.fetchval("SELECT clock_timestamp()")
            await self._trips.trip(unit, release.scope, reason=words, actor=SYSTEM, at=now)
            facts = _facts(release.scope, words, Severity.CRITICAL)
            raise_alert(unit, _key(release.scope), facts, at=now)

    async def _tell(self, scope: str, words: str, *, severity: Severity = Severity.ERROR) -> None:
        async with UnitOfWork(self._pool) as unit:
            now: datetime = await unit.connection.fetchval("SELECT clock_timestamp()")
            told_at = self._told_at.get(scope)
            if told_at is None or now - told_at >= timedelta(seconds=COUNTED_SECONDS):
                self._told_at[scope] = now
                raise_alert(unit, _key(scope), _facts(scope, words, severity), at=now)


def flaw_of(release: Release, agreed: Agreement | str) -> str | None:
    """Return why `agreed`, or what is wrong with it, does not allow `release`; None if it does."""
    if isinstance(agreed, str):
        return agreed
    request = agreed.request
    is_override = release.override_until is not None
    kind = ApprovalKind.BREAKER_OVERRIDE if is_override else ApprovalKind.BREAKER_RESET
    if (request.kind, request.subject) != (kind, release.scope):
        return f"what was agreed to is {request.kind} of {request.subject}"
    if request.epoch is None or release.epoch != request.epoch + 1:
        return f"what was agreed to is epoch {request.epoch}"
    if (release.maker, release.checker) != (request.maker, agreed.checker):
        return f"{request.maker} and {agreed.checker} agreed, the release names others"
    if release.override_until is not None:
        minutes = timedelta(minutes=int(request.details.get(MINUTES, "0")))
        until = agreed.at + minutes + _DEED_TAKES_MAX
        if release.override_until > until:
            return f"it was to end at {until:%H:%M:%S}Z"
    return None


def _key(scope: str) -> str:
    return f"{AlertClass.AGREEMENT_UNPROVEN.value.lower()}:{scope}"


def _facts(scope: str, words: str, severity: Severity) -> Facts:
    return Facts(
        alert_class=AlertClass.AGREEMENT_UNPROVEN.value,
        severity=severity,
        summary=f"{scope}: {words}",
        component=Component.BREAKER.value,
        source="publisher",
        scope=None if scope == _OUTBOX else scope,
        evidence="recon-streams approvals verify",
    )
