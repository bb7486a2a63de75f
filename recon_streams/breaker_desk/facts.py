"""What two people are shown of a scope before they let it go, and what speaks against it.

What is shown is what the decision rests on, and nothing that moves with every payment: a request is
void as soon as one byte of it is another, and on a busy account would never live for its minutes.
"""

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from recon_streams.approvals.subject import NotAskable, Shown, Wish
from recon_streams.book.connection import Session
from recon_streams.book.streams import proven_through
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.breaker import order
from recon_streams.breaker.names import NoScope, ScopeKind, kind_of
from recon_streams.breaker.scope import ScopeState
from recon_streams.breaker_desk.accounts import HeldAccounts
from recon_streams.kernel.money import amount_text
from recon_streams.positions.directory import Account
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.positions.state import AccountState
from recon_streams.positions.verdict import Verdict, evaluate, fresh_until, silent_side
from recon_streams.scopes import by_hand, store

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
# Inputs that wait may say anything: what is judged without them is not the newest evidence.
EVALUATION_AGE_MAX: Final = timedelta(seconds=60)


class HeldScope:
    """One scope, locked until the unit ends, with whatever is known of it.

    Attributes:
        scope: Its name.
        breaker: Its state.
        number: Of the account, if it is one; then `accounts` holds it.
    """

    def __init__(
        self, scope: str, breaker: ScopeState, accounts: HeldAccounts | None, number: int | None
    ) -> None:
        """Hold a scope; `accounts` and `number` are given together."""
        self.scope = scope
        self.breaker = breaker
        self.accounts = accounts
        self.number = number

    @classmethod
    async def hold(cls, unit: UnitOfWork, directories: DirectoryCache, scope: str) -> "HeldScope":
        """Lock `scope`.

        Raises:
            NotAskable: There is no such scope, or it takes no two people.
        """
        try:
            is_drill = kind_of(scope) is ScopeKind.DRILL
        except NoScope as error:
            raise NotAskable(str(error)) from error
        if is_drill:
            raise NotAskable(f"{scope} is an exercise: `recon-streams breaker stand-down` ends it")
        known = await store.numbers_of(unit.connection, [scope])
        if scope not in known:
            raise NotAskable(f"nobody knows the scope {scope}")
        number = known[scope]
        if number is None:
            return cls(scope, (await by_hand.lock(unit, [scope]))[scope], None, None)
        accounts = await HeldAccounts.hold(unit, directories, [number])
        return cls(scope, accounts.state(number).breaker, accounts, number)

    async def shown(self, unit: UnitOfWork, wish: Wish) -> Shown:
        """Return what both people are shown of it for `wish`."""
        breaker = self.breaker
        newest = await unit.connection.fetchrow(
            # Not of a record that only told of other parents.
            "SELECT evidence_hash, actor, words FROM breaker.transition WHERE scope = $1 "
            "AND (from_state IS DISTINCT FROM to_state OR words <> '') ORDER BY epoch DESC LIMIT 1",
            self.scope,
        )
        assert newest is not None, "a scope begins with a transition"
        facts: dict[str, Any] = {
            "kind": wish.kind,
            "details": wish.details,
            "scope": self.scope,
            "state": breaker.state,
            "epoch": breaker.epoch,
            "reason": breaker.reason,
            "since": breaker.since,
            "stopped_by": newest["actor"],
            "words": newest["words"],
            "evidence_hash": newest["evidence_hash"],
        }
        if self.accounts is not None and self.number is not None:
            account = self.accounts.directory.by_number(self.number)
            now = await unit.connection.fetchval("SELECT clock_timestamp()")
            facts["evidence"] = _evidence(account, self.accounts.state(self.number), now)
        return Shown(facts=_ENCODER.encode(facts), epoch=breaker.epoch)

    async def objections(self, connection: Session, now: datetime) -> list[str]:
        """Return what the evidence says against letting the scope go at `now`."""
        if self.accounts is None or self.number is None:
            return []
        account = self.accounts.directory.by_number(self.number)
        state = self.accounts.state(self.number)
        found: list[str] = []
        through = await proven_through(connection)
        if through is None or now - through > EVALUATION_AGE_MAX:
            found.append("inputs wait that were not evaluated yet: the verdict is not the newest")
        at = max(now, state.evaluated_at)
        silent = silent_side(state, account.rules, at)
        verdict = evaluate(state, account.rules, at)
        if silent is not None:
            found.append(f"the newest evidence is stale: {silent}")
        if verdict.rule is not silent and not is_sound(verdict):
            found.append(f"it is {verdict.tier} by {verdict.rule} still")
        heard = [side.as_of for side in (state.bank, state.ledger) if side.as_of is not None]
        if not any(as_of > state.breaker.since for as_of in heard):
            found.append("nothing was heard of bank or ledger since it was stopped")
        return found


def is_sound(verdict: Verdict) -> bool:
    """Return whether nothing in `verdict` would suspend or open the breaker again at once."""
    return verdict.tier in {"OK", "MINOR", "UNALLOCATED"}


def is_stopped(breaker: ScopeState) -> bool:
    """Return whether there is anything to let go."""
    return order.is_stopped(breaker)


def _evidence(account: Account, state: AccountState, now: datetime) -> dict[str, Any]:
    """Return the verdict, and whether each side is fresh, without the figures of each payment."""
    rules, at = account.rules, max(now, state.evaluated_at)
    verdict = evaluate(state, rules, at)
    sides = {
        "bank_fresh": fresh_until(state.bank, rules.bank_silence_seconds_max),
        "ledger_fresh": fresh_until(state.ledger, rules.ledger_silence_seconds_max),
    }
    return {
        "tier": verdict.tier,
        "raw_tier": verdict.raw_tier,
        "rule": verdict.rule,
        "unexplained": None if verdict.unexplained is None else amount_text(verdict.unexplained),
        "rules_version": rules.version,
        **{name: until is not None and at < until for name, until in sides.items()},
    }
