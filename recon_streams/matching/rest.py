"""What strong references leave: to the engine, account by account, and its answer to the tables."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import asyncpg
import msgspec

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.discrepancies.finding import Finding
from recon_streams.matching import repetitions, store, working_tables
from recon_streams.matching.engine import match
from recon_streams.matching.findings import findings_of, spelled
from recon_streams.matching.items import BankItem, Item, ItemKey, LedgerItem, Side
from recon_streams.matching.predicates import Terms
from recon_streams.matching.request import MatchRequest, OpenItem
from recon_streams.matching.results import Matching, Unmatched
from recon_streams.matching.store import Place

# Items of some accounts that the engine has in memory at a time.
_BLOCK_ITEMS: Final = 20_000

Found = dict[Place, str]


class Rest:
    """The engine's part of a run.

    Used once: `match_rest`.
    """

    def __init__(
        self,
        unit: UnitOfWork,
        request: MatchRequest,
        run_id: int,
        apart: Mapping[int, frozenset[tuple[ItemKey, ItemKey]]],
    ) -> None:
        self._unit = unit
        self._request = request
        self._run_id = run_id
        self._apart = apart
        self._accounts = {account.number: account for account in request.accounts}
        self._tables = working_tables.rest_tables(request.rules)

    async def match_rest(self, matched_by: dict[int, Found]) -> None:
        """Let the engine decide what the passes left; add its matches to `matched_by`."""
        connection = self._unit.connection
        numbers = list(self._accounts)
        await connection.execute("DELETE FROM matching.suggestion WHERE number = ANY($1)", numbers)
        counts = await connection.fetch(working_tables.rest_counts(self._request.rules))
        for block in _blocks((row["number"], row["items"]) for row in counts):
            banks = _by_number(
                await store.read_bank_rest(connection, self._tables[0], block), store.bank_item
            )
            ledgers = _by_number(
                await store.read_ledger_rest(connection, self._tables[1], block), store.ledger_item
            )
            repeated = await self._repeated(block)
            known = await self._known(block)
            for number in block:
                items = banks.get(number, []), ledgers.get(number, [])
                terms = self._terms(number, repeated.get(number, frozenset()))
                answer = match(*items, terms)
                matched = await self._store(number, items, answer, known.get(number, {}))
                matched_by.setdefault(number, {}).update(matched)
                await asyncio.sleep(0)
            await self._unit.flush()

    def _terms(self, number: int, repeated: frozenset[Place]) -> Terms:
        account = self._accounts[number]
        return Terms(
            self._request.rules,
            account.calendar,
            currency=account.currency,
            scale=account.scale,
            apart=self._apart.get(number, frozenset()),
            repeated=repeated,
        )

    async def _known(self, numbers: Sequence[int]) -> dict[int, dict[Place, OpenItem]]:
        """Return what the last run left open: what is said of it again need not be written."""
        found: dict[int, dict[Place, OpenItem]] = {}
        for row in await self._unit.connection.fetch(
            "SELECT * FROM matching.open_item WHERE number = ANY($1)", numbers
        ):
            item = store.open_item(row)
            found.setdefault(row["number"], {})[item.side, item.key] = item
        return found

    async def _repeated(self, numbers: Sequence[int]) -> dict[int, frozenset[Place]]:
        found: dict[int, set[Place]] = {}
        for statement in repetitions.repeated(self._request.rules):
            for number, side, sequence, part in await self._unit.connection.fetch(
                statement, numbers
            ):
                found.setdefault(number, set()).add((Side(side), ItemKey(sequence, part)))
        return {number: frozenset(places) for number, places in found.items()}

    async def _store(
        self,
        number: int,
        items: tuple[Sequence[BankItem], Sequence[LedgerItem]],
        answer: Matching,
        known: Mapping[Place, OpenItem],
    ) -> Found:
        """Write the answer for one account; return which rule matched what."""
        banks = {item.key: item for item in items[0]}
        ledgers = {item.key: item for item in items[1]}
        ids = await store.new_match_ids(self._unit.connection, len(answer.matches))
        matched: Found = {}
        for match_id, each in zip(ids, answer.matches, strict=True):
            sides = [banks[key] for key in each.bank], [ledgers[key] for key in each.ledger]
            store.write_match(
                self._unit, each, sides, numbers=(number, match_id), run_id=self._run_id
            )
            matched |= {(Side.BANK, key): each.rule for key in each.bank}
            matched |= {(Side.LEDGER, key): each.rule for key in each.ledger}
        closed = sorted(matched.keys() & known.keys())
        if closed:
            await store.close_items(self._unit.connection, number, closed)
        opened = [self._open(each, banks, ledgers, known) for each in answer.unmatched]
        account = self._accounts[number]
        findings = findings_of(
            number,
            opened,
            on=self._request.on,
            rules=self._request.rules,
            calendar=account.calendar,
        )
        said = [_with_finding(item, findings) for item in opened]
        news = [item for item in said if item != known.get((item.side, item.key))]
        store.write_open(self._unit, number, news)
        store.write_suggestions(self._unit, number, answer.suggestions)
        return matched

    def _open(
        self,
        each: Unmatched,
        banks: Mapping[ItemKey, BankItem],
        ledgers: Mapping[ItemKey, LedgerItem],
        known: Mapping[Place, OpenItem],
    ) -> OpenItem:
        item: Item = banks[each.key] if each.side is Side.BANK else ledgers[each.key]
        before = known.get((each.side, each.key))
        return OpenItem(
            side=each.side,
            key=each.key,
            name=item.name,
            on=item.on,
            amount=item.amount,
            reference=store.reference_of(item),
            since=self._request.on if before is None else before.since,
            why=each.why,
            reason=each.text,
            candidates=each.candidates,
            arrived_on=item.arrived_on if isinstance(item, BankItem) else None,
        )


def _with_finding(item: OpenItem, findings: Mapping[Place, Finding]) -> OpenItem:
    finding = findings.get((item.side, item.key))
    return msgspec.structs.replace(item, finding=spelled(finding.cause)) if finding else item


def _blocks(counts: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    """Yield accounts together that have not too many items, in the order of their numbers."""
    block: list[int] = []
    items = 0
    for number, count in sorted(counts):
        if block and items + count > _BLOCK_ITEMS:
            yield block
            block, items = [], 0
        block.append(number)
        items += count
    if block:
        yield block


def _by_number(rows: Iterable[asyncpg.Record], make: Any) -> dict[int, list[Any]]:  # noqa: ANN401 - of either side
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row["number"], []).append(make(row))
    return found
