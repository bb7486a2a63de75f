"""Other rules tried on history: what they would match, and what they would lose. Stores nothing."""

from collections.abc import Iterable
from datetime import date
from typing import Final

import msgspec

from recon_streams.book.connection import Session
from recon_streams.matching import store
from recon_streams.matching.engine import match
from recon_streams.matching.items import BankItem, ItemKey, LedgerItem, Side
from recon_streams.matching.predicates import Terms
from recon_streams.matching.request import MatchAccount
from recon_streams.matching.results import Match
from recon_streams.matching.rules import MatchingRules

# Items of one account and side that a trial takes into memory.
ITEMS_MAX: Final = 200_000


class TriedMatch(msgspec.Struct, frozen=True, kw_only=True):
    """A match by the names of its items."""

    rule: str
    score: int
    bank: tuple[str, ...]
    ledger: tuple[str, ...]
    because: tuple[str, ...] = ()


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What other rules would do to one account.

    Attributes:
        kept: How many matches are the same, whatever rule finds them.
        gained: What would be matched and is not, or otherwise.
        lost: What is matched by a rule and would not be; what people matched is never lost.
        cut: More items than a trial takes; the newest days are missing from it.
    """

    account: int
    kept: int
    gained: tuple[TriedMatch, ...]
    lost: tuple[TriedMatch, ...]
    suggested: tuple[TriedMatch, ...]
    open_bank: int
    open_ledger: int
    cut: bool = False


async def try_rules(
    connection: Session, rules: MatchingRules, account: MatchAccount, days: tuple[date, date]
) -> Trial:
    """Return what `rules` would make of the items of some days, beside what is matched now.

    Args:
        connection: Reads only.
        rules: To be tried.
        account: One account.
        days: First and last day of items, both inclusive.
    """
    banks = await _banks(connection, account, days)
    ledgers = await _ledgers(connection, account, days)
    names: dict[tuple[Side, ItemKey], str] = {(i.side, i.key): i.name for i in banks}
    names |= {(i.side, i.key): i.name for i in ledgers}
    now, by_hand = await _current(connection, account.number, names, days[0])
    held = {name for found in by_hand for name in (*found.bank, *found.ledger)}
    terms = Terms(rules, account.calendar, currency=account.currency, scale=account.scale)
    answer = match(
        [item for item in banks if item.name not in held],
        [item for item in ledgers if item.name not in held],
        terms,
    )
    then = [_named(each, names) for each in answer.matches]
    same = {_legs(each) for each in then} & {_legs(each) for each in now}
    return Trial(
        account=account.number,
        kept=len(same),
        gained=tuple(each for each in then if _legs(each) not in same),
        lost=tuple(each for each in now if _legs(each) not in same),
        suggested=tuple(_named(each, names) for each in answer.suggestions),
        open_bank=sum(each.side is Side.BANK for each in answer.unmatched),
        open_ledger=sum(each.side is Side.LEDGER for each in answer.unmatched),
        cut=max(len(banks), len(ledgers)) == ITEMS_MAX,
    )


async def _banks(
    connection: Session, account: MatchAccount, days: tuple[date, date]
) -> list[BankItem]:
    rows = await connection.fetch(
        "SELECT * FROM matching.bank_item WHERE number = $1 AND day BETWEEN $2 AND $3 "
        "ORDER BY day, sequence, part LIMIT $4",
        account.number,
        *days,
        ITEMS_MAX,
    )
    return [store.bank_item(row) for row in rows]


async def _ledgers(
    connection: Session, account: MatchAccount, days: tuple[date, date]
) -> list[LedgerItem]:
    rows = await connection.fetch(
        "SELECT * FROM (SELECT *, (occurred_at AT TIME ZONE $2)::date AS day "
        "FROM matching.ledger_item WHERE number = $1) AS i WHERE day BETWEEN $3 AND $4 "
        "ORDER BY day, ledger_sequence LIMIT $5",
        account.number,
        account.zone,
        *days,
        ITEMS_MAX,
    )
    return [store.ledger_item(row) for row in rows]


async def _current(
    connection: Session, number: int, names: dict[tuple[Side, ItemKey], str], since: date
) -> tuple[list[TriedMatch], list[TriedMatch]]:
    """Return what is matched now among the items that have names: by rules, and by hand."""
    rows = await connection.fetch(
        "SELECT m.match_id, m.rule, m.score, m.run_id, m.bank_sequence, m.bank_part, "
        "m.ledger_sequence FROM matching.match AS m "
        "WHERE m.number = $1 AND m.released_by IS NULL AND m.last_on >= $2 "
        "ORDER BY m.match_id, m.line",
        number,
        since,
    )
    found: dict[int, tuple[bool, TriedMatch]] = {}
    outside: set[int] = set()
    for row in rows:
        bank, ledger = row["bank_sequence"], row["ledger_sequence"]
        keys = [(Side.BANK, ItemKey(bank, row["bank_part"]))] if bank is not None else []
        keys += [(Side.LEDGER, ItemKey(ledger))] if ledger is not None else []
        if not all(key in names for key in keys):
            outside.add(row["match_id"])
        is_hand, before = found.get(
            row["match_id"],
            (
                row["run_id"] is None,
                TriedMatch(rule=row["rule"], score=row["score"], bank=(), ledger=()),
            ),
        )
        said = [(side, names.get((side, key), "")) for side, key in keys]
        found[row["match_id"]] = (
            is_hand,
            msgspec.structs.replace(
                before,
                bank=(*before.bank, *(name for side, name in said if side is Side.BANK)),
                ledger=(*before.ledger, *(name for side, name in said if side is Side.LEDGER)),
            ),
        )
    by_rule = [
        each
        for match_id, (is_hand, each) in found.items()
        if not is_hand and match_id not in outside
    ]
    return by_rule, [each for is_hand, each in found.values() if is_hand]


def _named(found: Match, names: dict[tuple[Side, ItemKey], str]) -> TriedMatch:
    return TriedMatch(
        rule=found.rule,
        score=found.score,
        bank=tuple(names[Side.BANK, key] for key in found.bank),
        ledger=tuple(names[Side.LEDGER, key] for key in found.ledger),
        because=found.because,
    )


def _legs(found: TriedMatch) -> tuple[Iterable[str], Iterable[str]]:
    return tuple(sorted(found.bank)), tuple(sorted(found.ledger))
