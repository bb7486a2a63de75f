"""A seed makes some bank days of one account: what is booked, and how its bank tells it, badly.

Statements go missing, come late, twice, corrected, in pages and in any order; notifications repeat
each other and arrive after the statement they announce. Shares no code with the product: messages
are text, money is whole numbers of minor units.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random

FIRST_DAY = date(2026, 11, 2)  # a Monday
OPENING = 1_000_000_00
VERSIONS = {"camt.052": "08", "camt.053": "08", "camt.054": "08"}
ROOTS = {
    "camt.052": ("BkToCstmrAcctRpt", "Rpt"),
    "camt.053": ("BkToCstmrStmt", "Stmt"),
    "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
}


@dataclass(frozen=True)
class Payment:
    """One booking of the bank; `minor` is signed. `how` is what identifies it."""

    number: int
    day: int
    minor: int
    how: str  # "uetr", "servicer" or "nothing"


Told = tuple[tuple[Payment, int], ...]


@dataclass(frozen=True)
class Telling:
    """One message. `payments` are (payment, printed day); the rest is about statements."""

    at: float
    message: str
    xml: str
    payments: Told
    day: int = -1
    created: int = 0
    opening: int | None = None
    closing: int | None = None
    balances: bool = True
    page: int = 1
    pages: int = 1


@dataclass
class BankDays:
    """The account's days; `tellings` in order of arrival."""

    seed: int
    days: int = 6
    tellings: list[Telling] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = Random(self.seed)
        self._messages = 0
        balance = OPENING
        for day in range(self.days):
            booked = self._booked(day)
            self.payments += booked
            self._notify(day, booked)
            self._report(day, booked, balance)
            self._state(day, booked, balance)
            balance += sum(each.minor for each in booked)
        self.tellings.sort(key=lambda telling: telling.at)

    @property
    def bank_id(self) -> str:
        return f"DAYS-{self.seed}"

    def date_of(self, day: int) -> date:
        return FIRST_DAY + timedelta(days=day // 5 * 7 + day % 5)

    def _booked(self, day: int) -> list[Payment]:
        chance, booked = self._chance, []
        for _ in range(chance.choice((0, 1, 3, 5, 8))):
            minor = chance.choice((-1, 1)) * chance.choice((5_00, chance.randint(1, 90_000_00)))
            how = chance.choice(("uetr", "uetr", "servicer", "nothing"))
            number = len(self.payments) + len(booked) + 1
            booked.append(Payment(number, day, minor, how))
            if how == "nothing" and chance.random() < 0.3:
                booked.append(Payment(number + 1, day, minor, how))  # two equal ones are two
        return booked

    def _notify(self, day: int, booked: list[Payment]) -> None:
        chance = self._chance
        named = [each for each in booked if each.how != "nothing" and chance.random() < 0.8]
        while named:
            batch, named = named[:3], named[3:]
            told = tuple((each, day) for each in batch)
            telling = self._telling("camt.054", day + chance.random() * 0.6, told)
            telling = self._late(telling, 0.1)
            self.tellings.append(telling)
            if chance.random() < 0.25:
                self.tellings.append(self._again(telling))
            if chance.random() < 0.15:
                self.tellings.append(self._telling("camt.054", telling.at + chance.random(), told))

    def _report(self, day: int, booked: list[Payment], balance: int) -> None:
        chance = self._chance
        if chance.random() < 0.5:
            return
        if chance.random() < 0.5:  # the day so far, twice, each with its opening
            for share, at in ((2, 0.4), (1, 0.7)):
                told = tuple((each, day) for each in booked[: len(booked) // share])
                so_far = balance + sum(each.minor for each, _ in told)
                telling = self._telling(
                    "camt.052", day + at, told, opening=balance, closing=so_far, day=day
                )
                self.tellings.append(self._late(telling, 0.1))
            return
        told = tuple((each, day) for each in booked if each.how != "nothing")
        if told:
            self.tellings.append(self._telling("camt.052", day + 0.5, told))

    def _state(self, day: int, booked: list[Payment], balance: int) -> None:
        chance = self._chance
        closing = balance + sum(each.minor for each in booked)
        told = tuple((each, day) for each in booked)
        at = day + 0.9
        if chance.random() < 0.12:
            return  # never comes
        if chance.random() < 0.15:
            at += chance.choice((1.3, 2.5))
        if booked and chance.random() < 0.15:
            broken = self._telling(
                "camt.053", at, told, opening=balance, closing=closing + 7, day=day, balances=False
            )
            self.tellings.append(broken)
            if chance.random() < 0.3:
                return
            at += 0.4
        if booked and chance.random() < 0.15:
            short = told[:-1]
            left = closing - booked[-1].minor
            self.tellings.append(
                self._telling("camt.053", at, short, opening=balance, closing=left, day=day)
            )
            at += chance.choice((0.2, 1.4, -0.1))
            whole = self._telling(
                "camt.053", at, told, opening=balance, closing=closing, day=day, created=1
            )
        elif len(told) > 1 and chance.random() < 0.25:
            self._page(day, told, balance, at)
            return
        else:
            whole = self._telling("camt.053", at, told, opening=balance, closing=closing, day=day)
        self.tellings.append(whole)
        if chance.random() < 0.2:
            self.tellings.append(self._again(whole))

    def _page(self, day: int, told: Told, opening: int, at: float) -> None:
        chance = self._chance
        middle = chance.randint(1, len(told) - 1)
        between = opening + sum(each.minor for each, _ in told[:middle])
        end = between + sum(each.minor for each, _ in told[middle:])
        lost = chance.random() < 0.1
        for page, (part, start, close) in enumerate(
            ((told[:middle], opening, between), (told[middle:], between, end)), start=1
        ):
            if lost and page == 1:
                continue
            telling = self._telling(
                "camt.053", at + chance.random(), part,
                opening=start, closing=close, day=day, page=page, pages=2,
            )  # fmt: skip
            self.tellings.append(telling)
            if chance.random() < 0.2:
                self.tellings.append(self._again(telling))

    def _late(self, telling: Telling, probability: float) -> Telling:
        if self._chance.random() >= probability:
            return telling
        return Telling(**{**telling.__dict__, "at": telling.at + self._chance.choice((1.0, 2.2))})

    def _again(self, telling: Telling) -> Telling:
        return Telling(**{**telling.__dict__, "at": telling.at + self._chance.random() * 2})

    def _telling(self, message: str, at: float, payments: Told, **said: int) -> Telling:
        self._messages += 1
        plain = Telling(at, message, "", payments, **said)
        return Telling(**{**plain.__dict__, "xml": self._xml(plain)})

    def _xml(self, telling: Telling) -> str:
        root, report = ROOTS[telling.message]
        namespace = f"urn:iso:std:iso:20022:tech:xsd:{telling.message}.001.08"
        day = telling.day if telling.day >= 0 else int(telling.at)
        hour = 20 if telling.message == "camt.053" else 10
        on = self.date_of(day)
        created = datetime(on.year, on.month, on.day, hour + telling.created, tzinfo=UTC)
        is_statement = telling.message == "camt.053"
        name = f"S{self.seed}-{day}" if is_statement else f"M{self.seed}-{self._messages}"
        message_id = f"{name}-v{telling.created}" if is_statement else name
        return (
            f'<Document xmlns="{namespace}"><{root}><GrpHdr><MsgId>{message_id}</MsgId>'
            f"<CreDtTm>{created:%Y-%m-%dT%H:%M:%SZ}</CreDtTm></GrpHdr><{report}><Id>{name}</Id>"
            f"{self._heading(telling, day)}"
            f"<Acct><Id><Othr><Id>{self.bank_id}</Id></Othr></Id><Ccy>AED</Ccy></Acct>"
            f"{self._balances(telling, on)}"
            f"{''.join(self._entry(each, printed) for each, printed in telling.payments)}"
            f"</{report}></{root}></Document>"
        )

    def _heading(self, telling: Telling, day: int) -> str:
        if telling.message != "camt.053":
            return ""
        last = str(telling.page == telling.pages).lower()
        paging = (
            f"<StmtPgntn><PgNb>{telling.page}</PgNb><LastPgInd>{last}</LastPgInd></StmtPgntn>"
            if telling.pages > 1
            else ""
        )
        return f"{paging}<ElctrncSeqNb>{day + 1}</ElctrncSeqNb>"

    def _balances(self, telling: Telling, on: date) -> str:
        if telling.opening is None or telling.closing is None:
            return ""
        last = telling.message == "camt.053" and telling.page == telling.pages
        codes = ("OPBD" if telling.page == 1 else "ITBD", "CLBD" if last else "ITBD")
        return "".join(
            f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
            f'<Amt Ccy="AED">{text_of(abs(minor))}</Amt>'
            f"<CdtDbtInd>{direction_of(minor)}</CdtDbtInd><Dt><Dt>{on}</Dt></Dt></Bal>"
            for code, minor in zip(codes, (telling.opening, telling.closing), strict=True)
        )

    def _entry(self, payment: Payment, printed: int) -> str:
        on = self.date_of(printed)
        reference = f"SVC-{self.seed}-{payment.number}" if payment.how == "servicer" else ""
        uetr = f"{self.seed:08x}-0000-4000-a000-{payment.number:012x}"
        names = f"<AcctSvcrRef>{reference}</AcctSvcrRef>" if reference else ""
        details = (
            f"<NtryDtls><TxDtls><Refs><EndToEndId>E-{payment.number}</EndToEndId>"
            f"<UETR>{uetr}</UETR></Refs></TxDtls></NtryDtls>"
            if payment.how == "uetr"
            else ""
        )
        return (
            f'<Ntry><Amt Ccy="AED">{text_of(abs(payment.minor))}</Amt>'
            f"<CdtDbtInd>{direction_of(payment.minor)}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
            f"<BookgDt><Dt>{on}</Dt></BookgDt><ValDt><Dt>{on}</Dt></ValDt>{names}"
            f"<BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd>{details}</Ntry>"
        )


def text_of(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def direction_of(minor: int) -> str:
    return "CRDT" if minor >= 0 else "DBIT"
