"""Reports and statements reach the positions from their topics and aliases, in a running worker."""

from typing import Any

import pytest

from recon_streams.kernel.disposition import Disposition
from recon_streams.testing.traffic import bank_id_of

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]
Stack = Any  # of the conftest


def message(kind: str, account: str, balances: tuple[tuple[str, str], ...], amount: str) -> bytes:
    root, report = {
        "052": ("BkToCstmrAcctRpt", "Rpt"),
        "053": ("BkToCstmrStmt", "Stmt"),
    }[kind]
    said = "".join(
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="AED">{money}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
        "<Dt><Dt>2026-01-20</Dt></Dt></Bal>"
        for code, money in balances
    )
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.{kind}.001.08"><{root}><GrpHdr>'
        f"<MsgId>M{kind}</MsgId><CreDtTm>2026-01-20T08:00:00Z</CreDtTm></GrpHdr><{report}>"
        f"<Id>M{kind}</Id><Acct><Id><Othr><Id>{bank_id_of(account)}</Id></Othr></Id></Acct>{said}"
        f'<Ntry><Amt Ccy="AED">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
        "<BookgDt><Dt>2026-01-20</Dt></BookgDt><AcctSvcrRef>S-1</AcctSvcrRef>"
        "<BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd></Ntry>"
        f"</{report}></{root}></Document>"
    ).encode()


@pytest.mark.parametrize("prefix", ["bank", "iso20022"])
async def test_a_statement_on_its_topic_or_alias_is_decided(
    fresh_stack: Stack, prefix: str
) -> None:
    worker = fresh_stack.installation.worker()
    worker.start(None)
    account = fresh_stack.account()
    balances = (("OPBD", "100.00"), ("CLBD", "105.00"))
    for kind, name in (("052", "bank.reports"), ("053", "bank.statements")):
        topic = name if prefix == "bank" else f"iso20022.camt.{kind}"
        value = message(kind, account, balances, "5.00")
        partition, offset = await fresh_stack.append(topic, account.encode(), value)
        row = await fresh_stack.decided(partition, offset, seconds=30)
        assert row["disposition"] != Disposition.QUARANTINED, row["held"]
    kept = await fresh_stack.pool.fetch(
        "SELECT message, status, difference FROM positions.statement ORDER BY message"
    )
    assert [tuple(each) for each in kept] == [
        ("camt.052", "OBSERVED", 0),
        ("camt.053", "ACCEPTED", 0),
    ]
    assert await fresh_stack.flaws() == []
    worker.signal(15)
    assert worker.running.wait(30) == 0
