"""A bank, a ledger and their days on a real PostgreSQL, told in an accountant's notation.

    16 ledger +100 A      the ledger moves 100 under the reference A, at noon of the 16th
    16 054 A+100          the bank notifies it
    16 053 1000 1100 A+100 B-20      its statement: opening, closing, entries
    16@18T09:00 run ...   at that time; without it three days later
    16 run bank 1100 ledger 1100 proof 0 version 1 RUN
    16 close              or `16 close refused`, `16 close accepting`, `16 close critical`

All of November 2026, in Dubai; every message goes through the real intake.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec
from closing_notation import balance_of, entry_of, moment

from agents.commit import commit_batch
from recon_streams.book.connection import Session
from recon_streams.book.reading import read_batch
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.closing import store
from recon_streams.closing.by_matching import ByMatching
from recon_streams.closing.day import CRITICAL_VERDICT, UNEXPLAINED, OnePerson, Signature
from recon_streams.closing.run import DayResult, DayRun, run_day
from recon_streams.closing.sign_off import Answer, close_days, reopen_days
from recon_streams.closing.turn import turn
from recon_streams.kernel.calendars import Calendars
from recon_streams.kernel.disposition import Disposition, Outcome
from recon_streams.log.record import Batch, Record, TopicPartition
from recon_streams.matching.hand import Deed, match_by_hand, never_closed
from recon_streams.matching.items import ItemKey
from recon_streams.matching.rules import MatchingRules, ReferencePass
from recon_streams.positions.desk import PositionDesk
from recon_streams.positions.inputs import (
    BankNotifications,
    BankReports,
    BankStatements,
    LedgerMovements,
)
from recon_streams.positions.registry_store import DirectoryCache, apply_registry
from recon_streams.registry.file import accounts_of
from recon_streams.reports.account_day import AccountDay
from recon_streams.runtime.yaml_source import parse_yaml

KINDS = (BankNotifications, BankReports, BankStatements, LedgerMovements)
PARTITIONS = {kind.name: TopicPartition(kind.name, 0) for kind in KINDS}
REGISTRY = """accounts:
  - account_id: AE-1
    currency: AED
    bank_accounts: [{other: BANK-1}]
    calendar: AE
    time_zone: Asia/Dubai
"""
OPENING = '    opening: {as_of: "2026-11-16T00:00:00+04:00", bank: "1000", ledger: "1000"}\n'


RULES = MatchingRules(
    version=1,
    sha256="0123456789abcdef",
    references=(
        ReferencePass(name="bank reference", bank="servicer_reference", ledger="reference"),
    ),
)


async def rules_in_force(_: Session) -> MatchingRules:
    """What has the same reference and amount is one."""
    return RULES


MATCHER = ByMatching(rules_in_force)


class _Enough(Exception):
    """Ends a unit that is not to be kept."""


@dataclass
class Story:
    """One account's days."""

    dsn: str
    pool: asyncpg.Pool
    calendars: Calendars
    offsets: dict[TopicPartition, int]
    sequence: int = 0
    account_id: str = "AE-1"
    bank: str = "BANK-1"
    clock: datetime = field(default_factory=lambda: moment("16T00:00"))
    message: int = 0
    result: DayResult | None = None
    answers: list[Answer] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    matcher: ByMatching = MATCHER

    async def registered(self, text: str, calendars: Calendars | None = None) -> None:
        accounts = accounts_of(parse_yaml("accounts.yaml", text), calendars)
        now = moment("16T00:00")
        await apply_registry(self.pool, accounts, source="story", actor="t", now=now)

    async def play(self, text: str) -> None:
        """Let the lines of `text` happen, and compare what they say is found."""
        for line in filter(None, map(str.strip, text.splitlines())):
            day, verb, *words = line.split()
            await getattr(self, f"_{verb}")(day, words)

    async def _ledger(self, day: str, words: list[str]) -> None:
        amount, reference = words
        self.sequence += 1
        signed = Decimal(amount)
        kind = "issue" if signed > 0 else "redeem"
        value = (
            f'{{"kind":"{kind}","movement_id":"L{self.sequence}","account_id":"{self.account_id}",'
            f'"currency":"AED","amount":"{abs(signed)}","ledger_sequence":{self.sequence},'
            f'"occurred_at":"{moment(day):%Y-%m-%dT%H:%M:%SZ}","reference":"{reference}"}}'
        )
        await self._take(LedgerMovements(), value.encode(), moment(day))

    async def _054(self, day: str, words: list[str]) -> None:
        entries = "".join(entry_of(word, day) for word in words)
        self.message += 1
        value = (
            "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.054.001.08'>"
            f"<BkToCstmrDbtCdtNtfctn>{self._header(day)}"
            f"<Ntfctn><Id>N{self.message}</Id>{self._account()}{entries}</Ntfctn>"
            "</BkToCstmrDbtCdtNtfctn></Document>"
        )
        await self._take(BankNotifications(), value.encode(), moment(day))

    async def _052(self, day: str, words: list[str]) -> None:
        """The same as a report, for a bank that sends no other."""
        await self._053(day, words, BankReports())

    async def _053(self, day: str, words: list[str], kind: Any = None) -> None:
        """`17T09:00<16`: the statement of the 16th comes on the 17th; else the next morning."""
        came, _, of = day.partition("<")
        on = of or came
        at = moment(came) if of else moment(f"{int(on) + 1}T06:00")
        number = ""
        if words[0].startswith("no."):
            number = f"<ElctrncSeqNb>{words.pop(0)[3:]}</ElctrncSeqNb>"
        opening, closing, *entries = words
        self.message += 1
        outer, inner = ("BkToCstmrAcctRpt", "Rpt") if kind else ("BkToCstmrStmt", "Stmt")
        message = "camt.052.001.08" if kind else "camt.053.001.08"
        value = (
            f"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:{message}'>"
            f"<{outer}>{self._header(on, at)}<{inner}><Id>S-{on}</Id>{number}"
            f"{self._account()}{balance_of('OPBD', opening, on)}{balance_of('CLBD', closing, on)}"
            f"{''.join(entry_of(word, on) for word in entries)}</{inner}></{outer}></Document>"
        )
        await self._take(kind or BankStatements(), value.encode(), at)

    async def _run(self, day: str, words: list[str]) -> None:
        on, _, when = day.partition("@")
        self.result = await self.run(on, at=moment(when) if when else None)
        (account,) = self.result.accounts
        found = await self.day(on)
        assert account.day is not None
        said = {
            "bank": found.bank_closing,
            "ledger": found.ledger_at_cut_off,
            "proof": found.proof,
            "explained": found.explained_total,
            "version": str(account.day.version),
            "became": account.became.value,
            "chain": found.chain.continuity.value,
            "items": ",".join(f"{item.kind.value}:{item.amount}" for item in found.items),
        }
        for name, expected in zip(words[::2], words[1::2], strict=True):
            assert (said[name] or "-") == expected, (day, name, said)

    async def _close(self, day: str, words: list[str]) -> None:
        waive = (UNEXPLAINED if "accepting" in words else frozenset()) | (
            CRITICAL_VERDICT if "critical" in words else frozenset()
        )
        signature = Signature(actor="anna", reason="looked at it", at=self._late(day))
        wanted = DayRun(on=moment(day).date(), accounts=None, at=signature.at, run=f"c{day}{words}")
        tools = (self.calendars, self.matcher, OnePerson())
        async with turn(self.pool) as unit:
            _, self.answers = await close_days(unit, tools, wanted, signature, waive=waive)
        assert any(answer.refused for answer in self.answers) == ("refused" in words)

    async def _reopen(self, day: str, words: list[str]) -> None:
        signature = Signature(actor="anna", reason="a doubt", at=self._late(day))
        on = moment(day).date()
        async with UnitOfWork(self.pool) as unit:
            numbers = tuple(await store.snapshots(unit.connection, on))
            self.answers = await reopen_days(unit, OnePerson(), on, numbers, signature)
        assert any(answer.refused for answer in self.answers) == ("refused" in words)

    async def run(
        self, day: str, *, at: datetime | None = None, accounts: tuple[int, ...] | None = None
    ) -> DayResult:
        at = at or self._late(day)
        on = date(2026, 11, int(day))
        self.message += 1
        wanted = DayRun(on=on, accounts=accounts, at=at, run=f"run {on} {self.message}")
        async with turn(self.pool) as unit:
            return await run_day(unit, self.calendars, self.matcher, wanted)

    async def made(self, day: str) -> bytes:
        """Return the bytes that a run would keep, and keep nothing."""
        on = date(2026, 11, int(day))
        wanted = DayRun(on=on, accounts=None, at=self._late(day), run=f"run {on} 1")
        with suppress(_Enough):
            async with turn(self.pool) as unit:
                await run_day(unit, self.calendars, self.matcher, wanted)
                (row,) = await unit.connection.fetch("SELECT content FROM closing.snapshot")
                raise _Enough
        return bytes(row["content"])

    def of(self, account_id: str, bank: str) -> None:
        """Let what follows be about another account."""
        self.account_id, self.bank, self.sequence = account_id, bank, 0

    async def day(self, day: str) -> AccountDay:
        return (await self.days(day))[0]

    async def days(self, day: str) -> list[AccountDay]:
        snapshots = await store.snapshots(self.pool, date(2026, 11, int(day)))
        return [
            msgspec.json.decode(snapshot.content, type=AccountDay)
            for snapshot in snapshots.values()
        ]

    async def match_by_hand(
        self, day: str, entries: str, movement: str, *, accept: str | None = None
    ) -> int:
        """Match the entries with these references and a movement, on a day at noon."""
        rows = await self.fetch(
            "SELECT number, sequence, part FROM positions.bank_entry "
            "WHERE servicer_reference = ANY($1) AND net <> 0 ORDER BY sequence, part",
            entries.split(),
        )
        deed = Deed(
            account=rows[0]["number"],
            name=f"{self.account_id} AED",
            actor="anna",
            reason="looks like it",
            zone="Asia/Dubai",
            on=moment(day).date(),
            at=moment(day),
            is_closed=never_closed,
        )
        async with UnitOfWork(self.pool) as unit:
            return await match_by_hand(
                unit,
                deed,
                [ItemKey(row["sequence"], row["part"]) for row in rows],
                [movement],
                accept_difference=None if accept is None else Decimal(accept),
            )

    async def fetch(self, query: str, *values: Any) -> list[asyncpg.Record]:
        return list(await self.pool.fetch(query, *values))

    def _account(self) -> str:
        return f"<Acct><Id><Othr><Id>{self.bank}</Id></Othr></Id><Ccy>AED</Ccy></Acct>"

    def _late(self, day: str) -> datetime:
        """Return the afternoon of the third day after: the statement is overdue by then."""
        return max(moment(f"{int(day) + 3}T16:00"), self.clock)

    def _header(self, day: str, at: datetime | None = None) -> str:
        at = at or moment(day)
        made = f"{at:%Y-%m-%dT%H:%M:%S}Z"
        return f"<GrpHdr><MsgId>M{self.message}</MsgId><CreDtTm>{made}</CreDtTm></GrpHdr>"

    async def _take(self, kind: Any, value: bytes, at: datetime) -> None:
        self.clock = max(self.clock, at)
        partition = PARTITIONS[kind.name]
        offset = self.offsets[partition]
        self.offsets[partition] = offset + 1
        record = Record(*partition, offset, b"k", value, (), self.clock)
        batch = Batch(*partition, offset, offset + 1, (record,))
        desk: Any = PositionDesk(kind, DirectoryCache())
        (outcome,) = await commit_batch(self.pool, desk, batch, await read_batch(desk, batch))
        assert outcome.disposition is not Disposition.QUARANTINED, outcome
        self.outcomes.append(outcome)
