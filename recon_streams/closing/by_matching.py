"""A day explained by what matching finds; see `matching.run`."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime

from recon_streams.book.connection import Session
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.closing import figures_store
from recon_streams.closing.after_cut_off import AfterCutOff
from recon_streams.closing.announced import NotStated, announced_not_stated
from recon_streams.closing.matched_day import matched_of
from recon_streams.closing.matcher import Asked
from recon_streams.closing.statement_of_day import Matched
from recon_streams.kernel.calendar import DAY_MINUTES, instant_of
from recon_streams.matching.request import ACCOUNTS_MAX, MatchAccount, MatchRequest
from recon_streams.matching.rules import MatchingRules
from recon_streams.matching.run import run_matching

RulesInForce = Callable[[Session], Awaitable[MatchingRules]]


class ByMatching:
    """The `Matcher` of the product."""

    def __init__(self, rules_in_force: RulesInForce) -> None:
        """Match by the rules that `rules_in_force` finds in the book."""
        self._rules_in_force = rules_in_force

    async def match(
        self, unit: UnitOfWork, asked: Mapping[int, Asked], on: date, *, at: datetime, run: str
    ) -> dict[int, Matched]:
        """Return, by account number, what explains its difference at the end of `on`."""
        rules = await self._rules_in_force(unit.connection)
        numbers = sorted(asked)
        found: dict[int, Matched] = {}
        for first in range(0, len(numbers), ACCOUNTS_MAX):
            block = numbers[first : first + ACCOUNTS_MAX]
            request = MatchRequest(
                run=run if len(numbers) <= ACCOUNTS_MAX else f"{run}, from {block[0]}",
                accounts=tuple(_account(number, asked[number]) for number in block),
                on=on,
                at=at,
                rules=rules,
            )
            days = await run_matching(unit, request)
            after = await _after_cut_off(unit.connection, {n: asked[n] for n in block}, on)
            not_stated = await announced_not_stated(
                unit.connection,
                {n: (on, asked[n].definition.statements.day_record) for n in block},
            )
            for day in days:
                found[day.account] = matched_of(
                    day,
                    rules,
                    asked[day.account].calendar,
                    after.get(day.account, AfterCutOff()),
                    not_stated.get(day.account, NotStated()),
                )
        return found


def _account(number: int, asked: Asked) -> MatchAccount:
    return MatchAccount(
        number=number,
        currency=asked.definition.currency,
        zone=asked.definition.time_zone,
        calendar=asked.calendar,
        scale=asked.definition.scale,
    )


async def _after_cut_off(
    connection: Session, asked: Mapping[int, Asked], on: date
) -> dict[int, AfterCutOff]:
    """Return the ledger movements of the date `on` that came after the bank had ended its day.

    Matching knows dates; where the bank ends its day before midnight, the evening is the next day.
    """
    evenings = {
        number: (each.bounds.cut_off_at, instant_of(on, DAY_MINUTES, each.definition.time_zone))
        for number, each in asked.items()
    }
    shortened = {
        number: (since, until) for number, (since, until) in evenings.items() if since < until
    }
    return await figures_store.ledger_between(connection, shortened) if shortened else {}
