"""Rows as the intakes write them, so that runs can be told without messages."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from matching_notation import MONDAY, RULES, WEEKDAYS

from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.discrepancies.register import note
from recon_streams.matching.items import BankItem, LedgerItem
from recon_streams.matching.request import MatchAccount, MatchedDay, MatchRequest
from recon_streams.matching.rules import MatchingRules
from recon_streams.matching.run import run_matching
from recon_streams.registry.definition import AccountDefinition, definition_bytes


class Books:
    """A book with accounts whose items are written directly.

    The key of a bank item is its account event; a ledger item has the same number in both.
    """

    def __init__(self, pool: asyncpg.Pool, owner_dsn: str) -> None:
        self.pool = pool
        self.owner_dsn = owner_dsn
        self.accounts: list[int] = []
        self.rules: MatchingRules = RULES
        self.noted = 0

    async def open(self, number: int) -> None:
        self.accounts.append(number)
        await self.pool.execute(
            "INSERT INTO positions.account (number, account_id, currency) "
            "OVERRIDING SYSTEM VALUE VALUES ($1, $2, 'EUR')",
            number,
            f"ACCOUNT-{number}",
        )
        await self.pool.execute(
            "INSERT INTO positions.registry_version (version, source, actor) VALUES (1, 't', 't') "
            "ON CONFLICT DO NOTHING"
        )
        definition = AccountDefinition(
            account_id=f"ACCOUNT-{number}", currency="EUR", scale=2, bank_accounts=()
        )
        await self.pool.execute(
            "INSERT INTO positions.account_version VALUES ($1, 1, $2)",
            number,
            definition_bytes(definition),
        )
        await self.pool.execute(
            "INSERT INTO positions.account_state (number, version, state, tier, raw_tier, rule, "
            "breaker, reserved, explained, evaluated_at) "
            "VALUES ($1, 0, '', 'OK', 'OK', '', 'CLOSED', 0, 0, now())",
            number,
        )

    async def write(
        self, banks: Iterable[BankItem] = (), ledgers: Iterable[LedgerItem] = (), *, number: int = 1
    ) -> None:
        """Write items; each becomes known with the account event of its number."""
        banks, ledgers = list(banks), list(ledgers)
        await self.pool.executemany(
            "INSERT INTO positions.bank_entry (number, sequence, part, arrived_on, booked_on, "
            "value_on, amount, net, uetr, servicer_reference, entry_reference, clearing_reference, "
            "end_to_end_id, batch_reference, counterparty, remittance, code, reversal, message, "
            "origin, path) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11, $12, $13, $14, $15, "
            "'PMNT', false, 'camt.054', 't/0/0', 'Ntry[1]')",
            [
                (
                    number, *i.key, i.arrived_on, i.on, i.value_on, i.amount, i.uetr,
                    i.servicer_reference, i.entry_reference, i.clearing_reference, i.end_to_end_id,
                    i.batch_reference, i.counterparty, i.remittance,
                )
                for i in banks
            ],
        )  # fmt: skip
        await self.pool.executemany(
            "INSERT INTO positions.ledger_record (number, movement_id, content, ledger_sequence, "
            "amount, reference, names_payment, sequence, kind, occurred_at, uetr, bank_reference, "
            "batch_reference) VALUES ($1, $2, '', $3, $4, $5, true, $3, 'issue', $6, $7, $8, $9)",
            [
                (
                    number, i.movement_id, i.key.sequence, i.amount, i.reference,
                    datetime(i.on.year, i.on.month, i.on.day, 12, tzinfo=UTC), i.uetr,
                    i.bank_reference, i.batch_reference,
                )
                for i in ledgers
            ],
        )  # fmt: skip
        newest = max((i.key.sequence for i in [*banks, *ledgers]), default=0)
        await self.pool.execute(
            "UPDATE positions.account_state SET version = greatest(version, $2) WHERE number = $1",
            number,
            newest,
        )

    async def take_back(self, payment: int, *, by: int, number: int = 1) -> None:
        """Say that a corrected statement takes a payment back with the entry `by`."""
        owner = await asyncpg.connect(self.owner_dsn)
        await owner.execute(
            "UPDATE positions.bank_entry SET code = 'WITHDRAWN', stated = true, origin = 's' "
            "WHERE number = $1 AND sequence = $2",
            number,
            by,
        )
        await owner.execute(
            "INSERT INTO positions.entry_confirmation (number, sequence, part, arrived_on, "
            "message, withdraws, origin, path) SELECT number, $3, 0, arrived_on, 'camt.053', "
            "true, origin, 'Stmt[1]' FROM positions.bank_entry WHERE number = $1 AND sequence = $2",
            number,
            by,
            payment,
        )
        await owner.close()

    async def run(self, *, day: int = 0, name: str = "", **words: Any) -> list[MatchedDay]:
        """Run every account for `day` days after Monday."""
        on = MONDAY + timedelta(day)
        request = MatchRequest(
            run=name or f"eod {on}",
            accounts=tuple(
                MatchAccount(
                    number=number, currency="EUR", zone="Europe/Paris", calendar=WEEKDAYS, **words
                )
                for number in self.accounts
            ),
            on=on,
            at=datetime(on.year, on.month, on.day, 23, tzinfo=UTC),
            rules=self.rules,
        )
        async with UnitOfWork(self.pool) as unit:
            return await run_matching(unit, request)

    async def discrepancies(self) -> dict[tuple[str, str], str]:
        """Return the state of each discrepancy by kind and subject."""
        rows = await self.pool.fetch("SELECT * FROM discrepancies.discrepancy")
        return {(row["kind"], row["subject"]): row["state"] for row in rows}

    async def note(self, *days: MatchedDay) -> None:
        """Say what runs have found, as the end of a day does."""
        at = datetime(days[0].on.year, days[0].on.month, days[0].on.day, 23, tzinfo=UTC)
        self.noted += 1
        found = [each for day in days for each in day.findings]
        cleared = [each for day in days for each in day.cleared]
        async with UnitOfWork(self.pool) as unit:
            await note(unit, found, cleared, at=at, evidence=f"note {self.noted}")

    async def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return all that matching keeps but names of matches and runs."""
        tables = {
            "match": "number, line, rule, score, bank_sequence, bank_part, ledger_sequence, "
            "bank_amount, ledger_amount, bank_on, ledger_on, last_on, difference, explained_by",
            "open_item": "number, side, sequence, part, name, day, amount, since, why, reason, "
            "candidates, finding",
            "suggestion": "number, suggestion, rule, score, bank, ledger, difference, because",
        }
        found = {}
        for table, columns in tables.items():
            where = " WHERE released_by IS NULL" if table == "match" else ""
            rows = await self.pool.fetch(
                f"SELECT {columns} FROM matching.{table}{where} ORDER BY {columns}"
            )
            found[table] = [tuple(row) for row in rows]
        return found
