"""Stopping payouts by hand: one person, any scope, at once; the same records as by evidence."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.breaker import order
from recon_streams.breaker.names import NoScope, ScopeKind, kind_of
from recon_streams.breaker.scope import Transition
from recon_streams.breaker_desk.accounts import HeldAccounts
from recon_streams.positions.event import Tripped
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.scopes import by_hand, store
from recon_streams.scopes.by_hand import Deed


class UnknownScope(Exception):
    """Nobody knows the scope; an account or a corridor begins with the registry."""

    def __init__(self, scope: str, words: str = "") -> None:
        super().__init__(words or f"nobody knows the scope {scope}")
        self.scope = scope


class TripOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody wants `scope` stopped.

    Attributes:
        reason: What they said why; for people.
        actor: Who they are, as far as that is known.
        at: When it reached us, by the clock of the log or of the book.
    """

    scope: str
    reason: str
    actor: str
    at: datetime


class TripDesk:
    """Where orders to stop are carried out."""

    def __init__(self, directories: DirectoryCache) -> None:
        """Judge accounts by the rules that `directories` finds."""
        self._directories = directories

    async def trip(
        self, unit: UnitOfWork, scope: str, *, reason: str, actor: str, at: datetime
    ) -> Transition:
        """Open the breaker of `scope` inside `unit`; return the transition.

        One that is OPEN already gets a new epoch: whoever was about to release it did not know of
        this. A drill's scope is made by its first trip.

        Raises:
            UnknownScope: There is no such scope.
        """
        order_ = TripOrder(scope=scope, reason=reason, actor=actor, at=at)
        return (await self.trip_all(unit, [order_]))[0]

    async def trip_all(self, unit: UnitOfWork, orders: Sequence[TripOrder]) -> list[Transition]:
        """Carry out `orders` inside `unit`, in their order; one transition each.

        What they need is locked first: accounts in sorted order, then other scopes in sorted order.
        What was written is flushed, so whoever follows in `unit` sees it.

        Raises:
            UnknownScope: There is no such scope; nothing was done.
        """
        numbers = await self._numbers_of(unit, orders)
        accounts = await HeldAccounts.hold(
            unit, self._directories, [each for each in numbers.values() if each is not None]
        )
        others = [scope for scope, number in numbers.items() if number is None]
        folds = await by_hand.lock(unit, others)
        done: list[Transition] = []
        for each in orders:
            number = numbers[each.scope]
            if number is not None:
                event = Tripped(at=each.at, actor=each.actor, words=each.reason)
                transition = accounts.record(number, event)
            else:
                fold = folds[each.scope]
                moved = order.trip(fold, max(each.at, fold.since))
                deed = Deed(what="trip", actor=each.actor, at=each.at, words=each.reason)
                transition = await by_hand.move(unit, each.scope, fold, moved, deed)
                folds[each.scope] = moved[0]
            assert transition is not None, "a trip always works"
            done.append(transition)
        accounts.write(unit)
        await unit.flush()
        return done

    async def stand_down(
        self, unit: UnitOfWork, scope: str, *, reason: str, actor: str, at: datetime
    ) -> Transition:
        """Close a drill's scope again: no payout hangs on it, so one person may.

        Raises:
            UnknownScope: There is no such drill.
        """
        if _kind_of(scope) is not ScopeKind.DRILL:
            raise UnknownScope(scope)
        folds = await by_hand.lock(unit, [scope])
        if scope not in folds:
            raise UnknownScope(scope)
        fold = folds[scope]
        moved = order.end_exercise(fold, max(at, fold.since))
        deed = Deed(what="stand_down", actor=actor, at=at, words=reason)
        transition = await by_hand.move(unit, scope, fold, moved, deed)
        assert transition is not None, "an exercise always ends"
        await unit.flush()
        return transition

    async def _numbers_of(
        self, unit: UnitOfWork, orders: Sequence[TripOrder]
    ) -> dict[str, int | None]:
        wanted = {each.scope: each for each in orders}
        kinds = {scope: _kind_of(scope) for scope in wanted}
        known = await store.numbers_of(unit.connection, list(wanted))
        for scope in sorted(wanted.keys() - known.keys()):
            if kinds[scope] is not ScopeKind.DRILL:
                raise UnknownScope(scope)
            await store.make(unit, scope, at=wanted[scope].at)
            await unit.flush()
            known[scope] = None
        return known


def _kind_of(scope: str) -> ScopeKind:
    try:
        return kind_of(scope)
    except NoScope as error:
        raise UnknownScope(scope, str(error)) from error
