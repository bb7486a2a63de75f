"""The bank of the scripted day: real messages, on the day that is played.

Its notifications are the samples as they are, with another day. Banks whose reports and statements
of the same entries are public there are none, so those are put together here: the very entries of
the samples, and the balances before and after them.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from importlib.resources import files
from typing import Final

from recon_streams.demo.accounts import bank_day
from recon_streams.demo.ledger import Send
from recon_streams.iso20022 import reader
from recon_streams.kernel.money import ZERO, add

_BOOKED: Final = re.compile(rb"(<BookgDt>\s*<Dt>)\d{4}-\d\d-\d\d(</Dt>)")
_ENTRY: Final = re.compile(rb"<Ntry>.*?</Ntry>", re.DOTALL)
_VERSION: Final = re.compile(rb"camt\.054\.001\.(\d\d)")
_ACCOUNT: Final = re.compile(rb"<Acct>.*?</Acct>", re.DOTALL)
_SHAPES: Final = {"camt.052": ("BkToCstmrAcctRpt", "Rpt"), "camt.053": ("BkToCstmrStmt", "Stmt")}


class Bank:
    """Sends the samples as if their entries were booked on the day that is played.

    They are years old, and what was booked before an account's opening figure is contained in it.
    """

    def __init__(self, now: datetime) -> None:
        """Book on the day that is played when the demo is played `now`."""
        self._day = bank_day(now)

    def says(self, name: str, account_id: str, caption: str) -> Send:
        """Return the sample called `name`."""
        return Send(
            topic="bank.notifications",
            key=account_id.encode(),
            value=sample(name, booked_on=self._day),
            caption=caption,
        )

    def reports(self, account_id: str, opening: Decimal, names: Sequence[str]) -> Send:
        """Return the day so far: a camt.052 of the entries of the samples called `names`."""
        value, closing = self._listed("camt.052", "ITBD", opening, names)
        return Send(
            topic="bank.reports",
            key=account_id.encode(),
            value=value,
            caption=f"the day so far: interim balance {closing}",
        )

    def states(self, account_id: str, opening: Decimal, names: Sequence[str]) -> Send:
        """Return the day's camt.053: the same entries, between its opening and its closing."""
        value, closing = self._listed("camt.053", "CLBD", opening, names)
        return Send(
            topic="bank.statements",
            key=account_id.encode(),
            value=value,
            caption=f"the statement of {self._day}: closing balance {closing}",
        )

    def _listed(
        self, message: str, closing_code: str, opening: Decimal, names: Sequence[str]
    ) -> tuple[bytes, Decimal]:
        samples = [sample(name, booked_on=self._day) for name in names]
        closing = opening
        for each in samples:
            for report in reader.read(each).reports:
                for entry in report.entries:
                    closing = add(closing, entry.signed_amount)
        entries = [entry for each in samples for entry in _ENTRY.findall(each)]
        version, account = (pattern.search(samples[0]) for pattern in (_VERSION, _ACCOUNT))
        assert version is not None, "a sample has a version"
        assert account is not None, "a sample names its account"
        currency = reader.read(samples[0]).reports[0].entries[0].currency
        root, report_name = _SHAPES[message]
        name = f"{message[-3:]}-{self._day:%Y%m%d}"
        heading = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:'
            f'xsd:{message}.001.{version[1].decode()}"><{root}><GrpHdr><MsgId>{name}</MsgId>'
            f"<CreDtTm>{self._day}T17:05:00</CreDtTm></GrpHdr><{report_name}><Id>{name}</Id>"
            f"<ElctrncSeqNb>{self._day:%j}</ElctrncSeqNb><CreDtTm>{self._day}T17:05:00</CreDtTm>"
        )
        balances = (
            self._balance("OPBD", opening, currency),
            self._balance(closing_code, closing, currency),
        )
        ending = f"</{report_name}></{root}></Document>"
        parts = (heading.encode(), account[0], *balances, *entries, ending.encode())
        return b"\n".join(parts), closing

    def _balance(self, code: str, amount: Decimal, currency: str) -> bytes:
        direction = "CRDT" if amount >= ZERO else "DBIT"
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
            f'<Amt Ccy="{currency}">{abs(amount)}</Amt><CdtDbtInd>{direction}</CdtDbtInd>'
            f"<Dt><Dt>{self._day}</Dt></Dt></Bal>"
        ).encode()


def sample(name: str, *, booked_on: date) -> bytes:
    """Return the sample called `name` with this booking day, otherwise byte for byte."""
    original = files("recon_streams.demo").joinpath("samples", name).read_bytes()
    return _BOOKED.sub(rb"\g<1>" + booked_on.isoformat().encode() + rb"\g<2>", original)
