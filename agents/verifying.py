"""Holds everything that takes two people against what the two have signed.

The database checks the rules and the program the signatures. Whoever writes beside the program can
keep the rules and cannot sign: that is what is looked for here, in the whole of the book.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Final, Protocol, TypeVar

import asyncpg
import msgspec
from msgspec.structs import replace

from agents.expiring import end_overdue_for_ever
from recon_streams.alerts.alarm import SUMMARY_CHARACTERS_MAX, Facts
from recon_streams.alerts.causes import known_causes, raise_alert
from recon_streams.alerts.classes import AlertClass, Component
from recon_streams.approvals import proof_store
from recon_streams.approvals.proof import Agreement, Rolls
from recon_streams.approvals.prover import Prover
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.breaker.record import SYSTEM
from recon_streams.breaker_desk.notary import flaw_of
from recon_streams.breaker_desk.trip import TripDesk, TripOrder
from recon_streams.closing.agreed_days import agreed_days, flaw_of_day
from recon_streams.identity.flaw import NotBelieved
from recon_streams.identity.keys import read_public_key
from recon_streams.kernel.clock import utc_now
from recon_streams.positions.loosenings import documents, flaw_of_loosening, loosenings
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.runtime.problems import ConfigurationInvalid, Problem
from recon_streams.runtime.settings import Settings
from recon_streams.scopes.releases import all_releases
from topics.alerts import Severity

EVERY_SECONDS: Final = 60.0
_NOBODY: Final = "nobody agreed to it"
_CLASS: Final = AlertClass.AGREEMENT_UNPROVEN.value
Loop = tuple[str, Callable[[], Awaitable[None]]]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that takes two people, and two people have not signed for.

    Attributes:
        kind: Of what was done: OPERATORS, AGREEMENT, RELEASE, DAY or RULES.
        subject: What it is about.
        words: What is wrong.
        stops: The scope that is not to be paid from because of it; None if payouts are not moved by
            it, or it was stopped already.
    """

    kind: str
    subject: str
    words: str
    approval_id: int | None = None
    stops: str | None = None


class _Done(Protocol):
    @property
    def approval_id(self) -> int | None: ...


Done = TypeVar("Done", bound=_Done)
Proven = Mapping[int, Agreement | str]


class Verifier:
    """Looks at the book again and again; what was proven once is not proven again."""

    def __init__(self, pool: asyncpg.Pool, prover: Prover) -> None:
        """Look at the book `pool` with `prover`."""
        self._pool = pool
        self._prover = prover

    async def findings(self) -> list[Finding]:
        """Return everything that two people have not signed for."""
        numbers = await proof_store.agreed_numbers(self._pool)
        proven = await self._prover.prove(self._pool, numbers)
        rolls = await self._prover.rolls(self._pool)
        found = [
            Finding(kind="OPERATORS", subject=f"version {version}", words=words)
            for version, words in rolls.forged.items()
        ]
        found += [
            Finding(kind="AGREEMENT", subject=f"request {number}", words=flaw, approval_id=number)
            for number, flaw in sorted(proven.items())
            if isinstance(flaw, str)
        ]
        found += await self._releases(proven)
        found += await self._days(proven, rolls)
        return found + await self._rules(proven, rolls)

    async def _releases(self, proven: Proven) -> list[Finding]:
        done = await all_releases(self._pool)
        return _judged("RELEASE", done, proven, lambda each: f"{each.scope} {each.epoch}", flaw_of)

    async def _days(self, proven: Proven, rolls: Rolls) -> list[Finding]:
        # Before there were operators, one person closed a day alone.
        done = [
            each
            for each in await agreed_days(self._pool)
            if each.approval_id is not None or rolls.in_force(each.at) is not None
        ]
        return _judged(
            "DAY",
            done,
            proven,
            lambda each: f"{each.action} {each.day} of {each.number}",
            flaw_of_day,
        )

    async def _rules(self, proven: Proven, rolls: Rolls) -> list[Finding]:
        done = [
            each
            for each in await loosenings(self._pool)
            if each.approval_id is not None or rolls.in_force(each.applied_at) is not None
        ]
        asked = {
            number: each.request for number, each in proven.items() if not isinstance(each, str)
        }
        kept = await documents(self._pool, asked)
        found = _judged(
            "RULES",
            done,
            proven,
            lambda each: f"{each.account} version {each.version}: {', '.join(each.rules)}",
            lambda each, agreed: flaw_of_loosening(each, agreed, kept[agreed.request.request_id]),
        )
        # What looser rules let pass is not known, so nothing passes.
        return [replace(each, stops=f"account:{each.subject.split()[0]}") for each in found]


def _judged(
    kind: str,
    done: Iterable[Done],
    proven: Proven,
    subject_of: Callable[[Done], str],
    flaw: Callable[[Done, Agreement], str | None],
) -> list[Finding]:
    found = []
    for each in done:
        agreed = proven.get(each.approval_id or 0, _NOBODY)
        words = agreed if isinstance(agreed, str) else flaw(each, agreed)
        if words is not None:
            found.append(
                Finding(
                    kind=kind,
                    subject=subject_of(each),
                    words=words,
                    approval_id=each.approval_id,
                )
            )
    return found


def prover_of(settings: Settings) -> Prover | None:
    """Return who proves agreements by the root key that `settings` name; None if they name none.

    Raises:
        ConfigurationInvalid: It cannot be read.
    """
    root_key = settings.identity.root_key
    if root_key is None:
        return None
    try:
        return Prover(read_public_key(root_key))
    except NotBelieved as flaw:
        place = "identity.root_key"
        problem = Problem(place=place, path=place, message=str(flaw))
        raise ConfigurationInvalid((problem,)) from flaw


def approval_loops(settings: Settings, pool: asyncpg.Pool) -> tuple[Loop, ...]:
    """Return what runs for ever beside a publisher for what takes two people, by name."""
    prover = prover_of(settings)
    loops: tuple[Loop, ...] = (("expiring", lambda: end_overdue_for_ever(pool)),)
    if prover is None:
        return loops
    return (*loops, ("verifying", lambda: verify_for_ever(pool, prover)))


async def verify_for_ever(pool: asyncpg.Pool, prover: Prover) -> None:
    """Tell on-call, once each, of what two people have not signed for, and stop what must not pay.

    Runs for ever.
    """
    told: set[Finding] = set()
    verifier = Verifier(pool, prover)
    while True:
        found = set(await verifier.findings())
        if found - told:
            await tell_and_stop(pool, found - told, at=utc_now())
        told |= found
        await asyncio.sleep(EVERY_SECONDS)


async def tell_and_stop(pool: asyncpg.Pool, found: Iterable[Finding], *, at: datetime) -> None:
    """Tell of those of `found` that nobody was told of yet, and stop the accounts among them."""
    causes = {f"{_CLASS.lower()}:{each.kind} {each.subject}": each for each in found}
    async with UnitOfWork(pool) as unit:
        # What somebody has taken note of is not told again by every process that starts.
        known = await known_causes(unit.connection, causes)
        news = {key: causes[key] for key in sorted(causes.keys() - known)}
        words = {each.stops: each.words for each in news.values() if each.stops is not None}
        orders = [
            TripOrder(scope=scope, reason=f"looser rules: {why}", actor=SYSTEM, at=at)
            for scope, why in words.items()
        ]
        await TripDesk(DirectoryCache()).trip_all(unit, orders)
        for key, each in news.items():
            facts = Facts(
                alert_class=_CLASS,
                severity=Severity.CRITICAL,
                summary=f"{each.kind} {each.subject}: {each.words}"[:SUMMARY_CHARACTERS_MAX],
                component=Component.BREAKER.value,
                source="audit",
                evidence="recon-streams approvals verify",
            )
            raise_alert(unit, key, facts, at=at)
