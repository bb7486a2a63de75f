"""Asking for what takes two people, and answering: one person's key, the desk, and the deed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
import typer

from agents.cli.place import Place
from agents.intakes import by_topic, make_intakes
from agents.patience import with_patience
from agents.registration import replay_waiting
from agents.verifying import Finding, Verifier, prover_of
from recon_streams.approvals import store
from recon_streams.approvals.desk import (
    Desk,
    Outcome,
    Sight,
    facts_sha256,
)
from recon_streams.approvals.machine import Request, RequestState, Ruling
from recon_streams.approvals.refusals import NoSuchRequest, NotAllowed
from recon_streams.approvals.subject import ApprovalKind, ApprovalSubject, Wish
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.breaker_desk.override import BreakerOverride
from recon_streams.breaker_desk.reset import BreakerReset
from recon_streams.closing.by_matching import ByMatching
from recon_streams.closing.rules_in_force import RulesInForce
from recon_streams.closing.turn import turn
from recon_streams.closing.two_people import DayClose, DayReopen
from recon_streams.identity.keys import PrivateKey, read_public_key
from recon_streams.identity.operators import Operators, read_operators
from recon_streams.identity.statement import Deed, Statement, new_nonce, sign
from recon_streams.kernel.clock import utc_now
from recon_streams.positions.looser_rules import LooserRules
from recon_streams.positions.registry_store import DirectoryCache

_SECONDS_MAX: Final = 60.0
_HASH_LENGTH_MIN: Final = 8
_DAYS: Final = frozenset({ApprovalKind.DAY_CLOSE, ApprovalKind.DAY_REOPEN})


class _RolledBack(Exception):
    """Nothing of what was looked at is kept."""


def subjects_of(place: Place) -> dict[ApprovalKind, ApprovalSubject]:
    """Return how each kind of request is shown and done here."""
    directories = DirectoryCache()
    subjects: tuple[ApprovalSubject, ...] = (
        BreakerReset(directories),
        BreakerOverride(directories),
        DayClose(place.calendars, ByMatching(RulesInForce())),
        DayReopen(),
        LooserRules(),
    )
    return {each.kind: each for each in subjects}


def operators_of(place: Place) -> Operators:
    """Return the operators that the settings name.

    Raises:
        NotBelieved: The file is not what the root key signed.
    """
    identity = place.settings.identity
    if identity.operators_file is None or identity.root_key is None:
        raise typer.BadParameter(
            "no operators: set identity.operators_file and identity.root_key in recon.yaml; "
            "`recon-streams operators init` makes both"
        )
    return read_operators(identity.operators_file, read_public_key(identity.root_key))


async def ask(place: Place, wish: Wish, *, reason: str, key: PrivateKey) -> Request:
    """Ask for `wish` as whoever `key` belongs to; return the request as it waits for another.

    Raises:
        NotBelieved, NotAskable, NotAllowed: See `Desk.request`.
    """
    operators = operators_of(place)
    async with place.pool() as pool:
        desk = Desk(operators, subjects_of(place))

        async def attempt() -> Request:
            async with _unit(pool, wish.kind) as unit:
                shown = await desk.show(unit, wish)
                signed = sign(
                    Statement(
                        installation=operators.installation,
                        deed=Deed.REQUEST,
                        kind=wish.kind,
                        subject=wish.subject,
                        details=wish.details,
                        facts_sha256=facts_sha256(shown),
                        epoch=shown.epoch,
                        request_id=None,
                        request_nonce=None,
                        reason=reason,
                        signer=operators.owner_of(key.public.kid).subject,
                        nonce=new_nonce(),
                        at=utc_now(),
                    ),
                    key,
                )
                return await desk.request(unit, signed, shown)

        return await with_patience(attempt, _SECONDS_MAX)


async def answer(  # noqa: PLR0913 - what a person says, and as whom
    place: Place,
    request_id: int,
    *,
    approve: bool,
    reason: str,
    key: PrivateKey,
    facts: str | None = None,
) -> Outcome:
    """Answer a request as whoever `key` belongs to; what is agreed to is done at once.

    `facts` is the hash of what the person was shown, or its beginning, where they give it.

    Raises:
        NotBelieved, NoSuchRequest, NotAllowed: See `Desk.decide`.
    """
    operators = operators_of(place)
    async with place.pool() as pool:
        request = await _found(pool, request_id)
        if facts is not None and not _begins(request.facts_sha256, facts):
            raise NotAllowed(Ruling.FACTS_CHANGED, "the request is about other facts than these")
        desk = Desk(operators, subjects_of(place))
        statement = Statement(
            installation=operators.installation,
            deed=Deed.APPROVE if approve else Deed.REFUSE,
            kind=request.kind,
            subject=request.subject,
            details=request.details,
            facts_sha256=request.facts_sha256,
            epoch=request.epoch,
            request_id=request_id,
            request_nonce=request.nonce,
            reason=reason,
            signer=operators.owner_of(key.public.kid).subject,
            nonce=new_nonce(),
            at=utc_now(),
        )
        signed = sign(statement, key)

        async def attempt() -> Outcome:
            async with _unit(pool, request.kind) as unit:
                return await desk.decide(unit, signed)

        outcome = await with_patience(attempt, _SECONDS_MAX)
        if outcome.request.state is RequestState.APPROVED:
            await _afterwards(place, pool, outcome.request)
        return outcome


async def look(place: Place, request_id: int) -> Sight:
    """Return a request and how things stand now; nothing of the look is kept."""
    async with place.pool() as pool:
        request = await _found(pool, request_id)
        desk = Desk(operators_of(place), subjects_of(place))
        sight: Sight | None = None
        try:
            async with _unit(pool, request.kind) as unit:
                sight = await desk.sight(unit, request_id)
                _keep_nothing()
        except _RolledBack:
            assert sight is not None, "it was looked at before"
        return sight


async def waiting(place: Place, *, everything: bool, rows_max: int) -> list[Request]:
    """Return the requests that wait for somebody, or the newest of all."""
    async with place.pool() as pool:
        return await store.requests(pool, everything=everything, rows_max=rows_max)


async def verified(place: Place) -> list[Finding]:
    """Return everything that takes two people and that two people have not signed for."""
    prover = prover_of(place.settings)
    if prover is None:
        raise typer.BadParameter("signatures are checked by the root key: set identity.root_key")
    async with place.pool() as pool:
        return await Verifier(pool, prover).findings()


async def _afterwards(place: Place, pool: asyncpg.Pool, done: Request) -> None:
    """Do what follows on a deed and may be done again: nothing of it was agreed to."""
    if done.kind is ApprovalKind.RULES_LOOSENED:
        intakes = by_topic(make_intakes(DirectoryCache(), place.settings.limits))
        await replay_waiting(pool, intakes, actor=done.maker)


def _begins(sha256: str, beginning: str) -> bool:
    return len(beginning) >= _HASH_LENGTH_MIN and sha256.startswith(beginning.lower())


def _keep_nothing() -> None:
    raise _RolledBack


async def _found(pool: asyncpg.Pool, request_id: int) -> Request:
    request = await store.find(pool, request_id)
    if request is None:
        raise NoSuchRequest(request_id)
    return request


@asynccontextmanager
async def _unit(pool: asyncpg.Pool, kind: ApprovalKind) -> AsyncIterator[UnitOfWork]:
    """Give the unit that the subjects of `kind` work in: days are run by one at a time."""
    async with turn(pool) if kind in _DAYS else UnitOfWork(pool) as unit:
        yield unit
