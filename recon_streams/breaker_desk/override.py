"""Forcing a scope for a while, against its evidence: two people, 30 minutes at most, loudly."""

import re
from datetime import datetime, timedelta
from typing import Final

from recon_streams.approvals.subject import Agreed, ApprovalKind, NotAskable, Shown, Wish
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.breaker import order
from recon_streams.breaker_desk.facts import HeldScope
from recon_streams.breaker_desk.reset import approval_of, deed_of
from recon_streams.positions.event import Overridden
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.scopes import by_hand
from topics.breaker import BreakerState

MINUTES: Final = "minutes"
_MINUTES: Final = re.compile("[1-9][0-9]?")
_MINUTES_MAX: Final = order.OVERRIDE_MAX // timedelta(minutes=1)


class BreakerOverride:
    """An `ApprovalSubject`: a scope that is stopped pays for some minutes all the same.

    The subject is its name; the detail `minutes` says how long from the approval on.
    """

    kind = ApprovalKind.BREAKER_OVERRIDE

    def __init__(self, directories: DirectoryCache) -> None:
        """Judge accounts by the rules that `directories` finds."""
        self._directories = directories

    async def show(self, unit: UnitOfWork, wish: Wish) -> Shown:
        """Return the state of the scope and what its evidence says.

        Raises:
            NotAskable: There is no such scope, it pays already, or the minutes make no sense.
        """
        _minutes_of(wish)
        held = await HeldScope.hold(unit, self._directories, wish.subject)
        if held.breaker.override is not None:
            until = f"{held.breaker.override.until:%H:%M:%S}Z"
            raise NotAskable(f"{wish.subject} is forced until {until} already")
        if held.breaker.state is BreakerState.CLOSED:
            raise NotAskable(f"{wish.subject} is CLOSED: there is nothing to force")
        return await held.shown(unit, wish)

    async def obstacles(self, unit: UnitOfWork, wish: Wish, *, now: datetime) -> tuple[str, ...]:
        """Return nothing: that the evidence is against it is what an override is for."""
        del unit, wish, now
        return ()

    async def carry_out(self, unit: UnitOfWork, agreed: Agreed) -> None:
        """Force the scope to be CLOSED; it ends by itself, or with whatever they did not know."""
        held = await HeldScope.hold(unit, self._directories, agreed.wish.subject)
        approval = approval_of(agreed)
        until = agreed.at + _minutes_of(agreed.wish)
        if held.accounts is not None and held.number is not None:
            event = Overridden(
                at=agreed.at,
                approval_id=approval.approval_id,
                maker=approval.maker,
                checker=approval.checker,
                words=agreed.reason,
                until=until,
            )
            transition = held.accounts.record(held.number, event)
            held.accounts.write(unit)
        else:
            at = max(agreed.at, held.breaker.since)
            moved = order.override(held.breaker, at, until=until, known=None, approval=approval)
            deed = deed_of("override", agreed)
            transition = await by_hand.move(unit, held.scope, held.breaker, moved, deed)
        assert transition is not None, "it was stopped under the same lock"
        await unit.flush()


def _minutes_of(wish: Wish) -> timedelta:
    text = wish.details.get(MINUTES, "")
    if _MINUTES.fullmatch(text) is None or int(text) > _MINUTES_MAX:
        raise NotAskable(f"an override takes 1 to {_MINUTES_MAX} minutes, not {text or 'none'}")
    return timedelta(minutes=int(text))
