"""Letting a scope go: what `approvals` must know to have two people do it."""

from datetime import datetime

import msgspec

from recon_streams.approvals.subject import Agreed, ApprovalKind, NotAskable, Shown, Wish
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.breaker import order
from recon_streams.breaker.order import Approval
from recon_streams.breaker.scope import Health, Reading
from recon_streams.breaker_desk.facts import HeldScope, is_stopped
from recon_streams.positions.event import Reset
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.scopes import by_hand
from recon_streams.scopes.by_hand import Deed


class BreakerReset:
    """An `ApprovalSubject`: a scope that is stopped is let go. The subject is its name."""

    kind = ApprovalKind.BREAKER_RESET

    def __init__(self, directories: DirectoryCache) -> None:
        """Judge accounts by the rules that `directories` finds."""
        self._directories = directories

    async def show(self, unit: UnitOfWork, wish: Wish) -> Shown:
        """Return the state of the scope and what its evidence says.

        Raises:
            NotAskable: There is no such scope, or it is not stopped.
        """
        held = await HeldScope.hold(unit, self._directories, wish.subject)
        if not is_stopped(held.breaker):
            raise NotAskable(f"{wish.subject} is {held.breaker.state}: there is nothing to let go")
        return await held.shown(unit, wish)

    async def obstacles(self, unit: UnitOfWork, wish: Wish, *, now: datetime) -> tuple[str, ...]:
        """Return what the evidence of now says against it: stale, critical still, or none since."""
        held = await HeldScope.hold(unit, self._directories, wish.subject)
        return tuple(await held.objections(unit.connection, now))

    async def carry_out(self, unit: UnitOfWork, agreed: Agreed) -> None:
        """Close the breaker; the next evaluation judges it as ever."""
        held = await HeldScope.hold(unit, self._directories, agreed.wish.subject)
        approval = approval_of(agreed)
        if held.accounts is not None and held.number is not None:
            event = Reset(
                at=agreed.at,
                approval_id=approval.approval_id,
                maker=approval.maker,
                checker=approval.checker,
                words=agreed.reason,
            )
            transition = held.accounts.record(held.number, event)
            held.accounts.write(unit)
        else:
            at = max(agreed.at, held.breaker.since)
            # It has no evidence of its own: what stopped it were people.
            calm = Reading(health=Health.CLEAN, reason=order.RESET, at=at, fresh=False, low=True)
            moved = order.reset(held.breaker, calm, approval)
            deed = deed_of("reset", agreed)
            transition = await by_hand.move(unit, held.scope, held.breaker, moved, deed)
        assert transition is not None, "what speaks against it was asked for under the same lock"
        await unit.flush()


def approval_of(agreed: Agreed) -> Approval:
    """Return who agreed to what."""
    return Approval(approval_id=agreed.request_id, maker=agreed.maker, checker=agreed.checker)


def deed_of(what: str, agreed: Agreed) -> Deed:
    """Return what two people did, with what they were shown."""
    return Deed(
        what=what,
        actor=agreed.checker,
        at=agreed.at,
        words=agreed.reason,
        approval=approval_of(agreed),
        facts=msgspec.Raw(agreed.shown.facts),
    )
