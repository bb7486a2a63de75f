"""A bank in memory: messages of entries, decided one after the other on a book of two accounts."""

from datetime import UTC, datetime
from decimal import Decimal

from msgspec.structs import replace

from recon_streams.iso20022 import reader
from recon_streams.kernel.disposition import Outcome
from recon_streams.positions import bank_intake, bank_message
from recon_streams.positions.directory import Account, Directory
from recon_streams.positions.event import BankMoved, Evidence, Registered
from recon_streams.positions.known import Known
from recon_streams.positions.rules import Rules
from recon_streams.positions.step import register
from recon_streams.positions.working_set import WorkingSet

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
ACCOUNT = Account(number=1, account_id="AE-1", currency="AED", rules=Rules())
OTHER = Account(number=2, account_id="AE-2", currency="AED", rules=Rules())


class Bank:
    """A book in memory that takes in one message after the other."""

    def __init__(self) -> None:
        opening = Registered(at=AT, bank=Decimal(1000), ledger=Decimal(1000), as_of=AT)
        states = {
            account.number: register(account.account_id, "AED", opening, account.rules).state
            for account in (ACCOUNT, OTHER)
        }
        self.directory = Directory([(ACCOUNT, ("BANK-1",)), (OTHER, ("BANK-2",))], version=1)
        self.working = WorkingSet(self.directory, states, Known())
        self.offset = 0

    def says(self, message: str, *, accept_test: bool = False) -> Outcome:
        self.offset += 1
        return self.decides(message, accept_test=accept_test)

    def decides(self, message: str, *, accept_test: bool = False) -> Outcome:
        """Decide `message` at the offset of the last one, as a replay of it does."""
        prepared = bank_message.prepare(
            reader.read(message.encode()), self.directory, at=AT, accept_test=accept_test
        )
        evidence = Evidence(topic="bank.notifications", partition=0, offset=self.offset)
        return bank_intake.take(prepared, self.working, at=AT, evidence=evidence)

    def registers(
        self, *, scale: int = 2, bank_2: str = "BANK-2", opened_at: datetime | None = None
    ) -> None:
        """Register the accounts anew: scale and opening of the first, name of the second."""
        first = replace(ACCOUNT, rules=Rules(scale=scale), bank_opened_at=opened_at)
        self.directory = Directory([(first, ("BANK-1",)), (OTHER, (bank_2,))], version=2)

    def balance(self, number: int = 1) -> Decimal:
        figure = self.working.states[number].bank.figure
        assert figure is not None
        return figure

    def last_event(self) -> BankMoved:
        event = self.working.steps[-1].event
        assert isinstance(event, BankMoved)
        return event


def entry(  # noqa: PLR0913 - the parts of an entry
    amount: str,
    direction: str = "CRDT",
    *,
    status: str = "BOOK",
    ref: str = "",
    details: str = "",
    currency: str = "AED",
    more: str = "",
    day: str = "2026-11-20",
) -> str:
    reference = f"<AcctSvcrRef>{ref}</AcctSvcrRef>" if ref else ""
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>{more}'
        f"<Sts><Cd>{status}</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt>{reference}"
        "<BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd>"
        f"<NtryDtls>{details}</NtryDtls></Ntry>"
    )


def detail(  # noqa: PLR0913 - the parts of a transaction
    *,
    uetr: str = "",
    ref: str = "",
    e2e: str = "NOTPROVIDED",
    payer: str = "",
    amount: str = "",
    direction: str = "CRDT",
) -> str:
    refs = f"<AcctSvcrRef>{ref}</AcctSvcrRef>" if ref else ""
    refs += f"<EndToEndId>{e2e}</EndToEndId>" + (f"<UETR>{uetr}</UETR>" if uetr else "")
    money = f'<Amt Ccy="AED">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>' if amount else ""
    party = f"<DbtrAcct><Id><Othr><Id>{payer}</Id></Othr></Id></DbtrAcct>" if payer else ""
    parties = f"<RltdPties>{party}</RltdPties>" if party else ""
    return f"<TxDtls><Refs>{refs}</Refs>{money}{parties}</TxDtls>"


def notification(*entries: str, id_: str = "M1", account: str = "BANK-1", info: str = "") -> str:
    header = f"<AddtlInf>{info}</AddtlInf>" if info else ""
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"><BkToCstmrDbtCdtNtfctn>'
        f"<GrpHdr><MsgId>{id_}</MsgId><CreDtTm>2026-11-20T08:00:00Z</CreDtTm>{header}</GrpHdr>"
        f"<Ntfctn><Id>{id_}-N</Id><Acct><Id><Othr><Id>{account}</Id></Othr></Id></Acct>"
        f"{''.join(entries)}</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"
    )


def with_second(message: str, *entries: str, account: str = "BANK-1") -> str:
    """Return `message` with one more notification in it."""
    second = f"<Ntfctn><Id>N2</Id><Acct><Id><Othr><Id>{account}</Id></Othr></Id></Acct>"
    end = "</BkToCstmrDbtCdtNtfctn>"
    return message.replace(end, f"{second}{''.join(entries)}</Ntfctn>{end}")


U1 = "11111111-1111-4111-a111-111111111111"
U2 = "22222222-2222-4222-a222-222222222222"
