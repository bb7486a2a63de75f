"""A bank's days on a real PostgreSQL, in an accountant's notation, through the desks themselves.

    054  19: A+30 B-10                 a notification: the day, then entries by reference
    052  19: 1000 > 1030 | A+30        a report: opening, balance now, entries ("-" for no balance)
    053  19 #5: 1000 > 1020 | A+30 B-10    a statement, with its number if it has one

An entry may carry its own day (`A+30@18`). A reference in lower case is none: such an entry is
known by its looks alone. Words behind the entries change the message: `id=X` its id, `made=T` the
hour it was made at, `page=2/3`, `open=OPBD`, `close=ITBD`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import asyncpg

from recon_streams.book.reading import read_record
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.kernel.disposition import Outcome
from recon_streams.kernel.money import amount_text
from recon_streams.log.record import Record
from recon_streams.positions.desk import PositionDesk
from recon_streams.positions.due import take_due
from recon_streams.positions.inputs import BankNotifications, BankReports, BankStatements
from recon_streams.positions.registry_store import DirectoryCache, apply_registry
from recon_streams.positions.state import AccountState, state_from_bytes
from recon_streams.registry.definition import (
    AccountDefinition,
    AccountStatements,
    BankAccount,
    Opening,
)

KINDS: Final = {"054": BankNotifications, "052": BankReports, "053": BankStatements}
ROOTS: Final = {
    "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
    "052": ("BkToCstmrAcctRpt", "Rpt"),
    "053": ("BkToCstmrStmt", "Stmt"),
}
_ENTRY: Final = re.compile(r"([A-Za-z0-9]+)([+-][0-9.]+)(?:@(\d+))?")
_HEAD: Final = re.compile(r"(05[234])\s+(\d+)(?:\s+#(\d+))?:\s*(.*)")
ARRIVAL: Final = datetime(2026, 11, 29, 9, tzinfo=UTC)


@dataclass
class Office:
    """One account of 1000.00 at the start of 18 November, and its bank's messages."""

    pool: asyncpg.Pool
    account_id: str = "SAFE"
    messages: int = 0
    directories: DirectoryCache = field(default_factory=DirectoryCache)
    desks: dict[str, PositionDesk[Any, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.desks = {name: PositionDesk(kind(), self.directories) for name, kind in KINDS.items()}

    @property
    def bank_id(self) -> str:
        return f"BANK-{self.account_id}"

    async def register(self, *, time_zone: str = "UTC", **statements: Any) -> None:
        as_of = datetime(2026, 11, 18, tzinfo=UTC)
        definition = AccountDefinition(
            account_id=self.account_id,
            currency="AED",
            scale=2,
            bank_accounts=(BankAccount(identification=self.bank_id),),
            time_zone=time_zone,
            statements=AccountStatements(**statements),
            opening=Opening(as_of=as_of, bank=Decimal(1000), ledger=Decimal(1000)),
        )
        await apply_registry(self.pool, [definition], source="t", actor="t", now=as_of)

    async def tell(self, *lines: str, at: datetime | None = None) -> list[Outcome]:
        """Take in each message by itself and return what became of them."""
        return [
            outcome
            for line in lines
            for outcome in await self.take(line[:3], [self.message(line)], at)
        ]

    async def hear(
        self,
        line: str,
        *entries: str,
        at: datetime | None = None,
        swap: tuple[str, str] = ("", ""),
    ) -> Outcome:
        """Take in the message of `line` with more `entries`, and one text in place of another."""
        end = f"</{ROOTS[line[:3]][1]}>"
        text = self.message(line).decode().replace(end, "".join(entries) + end)
        assert swap[0] in text
        (outcome,) = await self.take(line[:3], [text.replace(*swap).encode()], at)
        return outcome

    async def take(
        self, kind: str, payloads: list[bytes], at: datetime | None = None
    ) -> list[Outcome]:
        """Take in messages of one kind as one batch."""
        desk = self.desks[kind]
        readings = []
        for payload in payloads:
            self.messages += 1
            arrived = at or ARRIVAL + timedelta(seconds=self.messages)
            record = Record(desk.name, 0, self.messages, b"k", payload, (), arrived)
            readings.append(read_record(desk, record))
        async with UnitOfWork(self.pool) as unit:
            return await desk.decide(unit, readings)

    async def pass_time(self, until: datetime) -> None:
        """Let everything that is due by `until` happen; no input is waiting."""
        await self.pool.execute(
            "INSERT INTO book.stream (topic, part, first_offset, next_offset, through_at) "
            "VALUES ('t', 0, 0, 0, $1) ON CONFLICT (topic, part) DO UPDATE SET through_at = $1",
            until,
        )
        while await take_due(self.pool, self.directories, now=until):
            pass

    async def state(self) -> AccountState:
        payload = await self.pool.fetchval(
            "SELECT state FROM positions.account_state JOIN positions.account USING (number) "
            "WHERE account_id = $1",
            self.account_id,
        )
        return state_from_bytes(payload)

    async def bank(self) -> str:
        figure = (await self.state()).bank.figure
        assert figure is not None
        return amount_text(figure)

    async def found(self) -> Mapping[str, str]:
        """Return the open discrepancies, `KIND subject` to its amount."""
        rows = await self.pool.fetch(
            "SELECT kind, subject, amount FROM discrepancies.discrepancy "
            "JOIN positions.account USING (number) "
            "WHERE account_id = $1 AND state <> 'RESOLVED' ORDER BY kind, subject",
            self.account_id,
        )
        return {
            f"{row['kind']} {row['subject']}": (
                "" if row["amount"] is None else amount_text(row["amount"])
            )
            for row in rows
        }

    async def kinds(self) -> list[str]:
        return [name.split()[0] for name in await self.found()]

    async def rows(self, query: str) -> list[Any]:
        """Return what `query` finds of the account, whose number it calls $1."""
        number = await self.pool.fetchval(
            "SELECT number FROM positions.account WHERE account_id = $1", self.account_id
        )
        return [tuple(row) for row in await self.pool.fetch(query, number)]

    def message(self, line: str) -> bytes:
        """Return the message that `line` tells."""
        return message_of(line, self.bank_id, self.messages)


def message_of(line: str, bank_id: str, serial: int) -> bytes:
    """Return the message that `line` tells of the bank's account; `serial` names it."""
    head = _HEAD.fullmatch(line.strip())
    assert head, line
    kind, day, sequence, rest = head.groups()
    balances, _, said = rest.rpartition("|")
    words = dict(word.split("=") for word in said.split() if "=" in word)
    entries = "".join(
        _entry(match[1], match[2], int(match[3] or day)) for match in _ENTRY.finditer(said)
    )
    root, report = ROOTS[kind]
    name = words.get("id", f"{kind}-{serial}")
    created = f"2026-11-{int(day):02d}T{int(words.get('made', 8)):02d}:00:00Z"
    number = f"<ElctrncSeqNb>{sequence}</ElctrncSeqNb>" if sequence else ""
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.{kind}.001.08"><{root}>'
        f"<GrpHdr><MsgId>{name}</MsgId><CreDtTm>{created}</CreDtTm></GrpHdr>"
        f"<{report}><Id>{name}</Id>{_page(kind, words)}{number}<CreDtTm>{created}</CreDtTm>"
        f"<Acct><Id><Othr><Id>{words.get('account', bank_id)}</Id></Othr></Id>"
        f"<Ccy>{words.get('currency', 'AED')}</Ccy></Acct>"
        f"{_balances(kind, balances, int(day), words)}{entries}</{report}></{root}></Document>"
    ).encode()


def _page(kind: str, words: Mapping[str, str]) -> str:
    if "page" not in words:
        return ""
    number, of = words["page"].split("/")
    last = str(number == of).lower()
    name = {"052": "RptPgntn", "053": "StmtPgntn", "054": "NtfctnPgntn"}[kind]
    return f"<{name}><PgNb>{number}</PgNb><LastPgInd>{last}</LastPgInd></{name}>"


def _balances(kind: str, text: str, day: int, words: Mapping[str, str]) -> str:
    opening, sign, closing = (part.strip() for part in text.partition(">"))
    if not sign:
        return ""
    codes = (
        words.get("open", "OPBD"),
        words.get("close", "CLBD" if kind == "053" else "ITBD"),
    )
    days = (int(words.get("opened", day)), day)
    return "".join(
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{words.get("currency", "AED")}">{amount.lstrip("-")}</Amt>'
        f"<CdtDbtInd>{'DBIT' if amount.startswith('-') else 'CRDT'}</CdtDbtInd>"
        f"<Dt><Dt>2026-11-{on:02d}</Dt></Dt></Bal>"
        for code, amount, on in zip(codes, (opening, closing), days, strict=True)
        if amount != "?"
    )


def _entry(name: str, signed: str, day: int) -> str:
    reference = f"<AcctSvcrRef>{name}</AcctSvcrRef>" if name[0].isupper() else ""
    direction = "DBIT" if signed[0] == "-" else "CRDT"
    return (
        f'<Ntry><Amt Ccy="AED">{signed[1:]}</Amt><CdtDbtInd>{direction}</CdtDbtInd>'
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-{day:02d}</Dt></BookgDt>{reference}"
        "<BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd></Ntry>"
    )
