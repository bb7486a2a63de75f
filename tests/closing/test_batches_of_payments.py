"""A payment file that the bank books in one sum, and the ledger payment by payment."""

from decimal import Decimal
from typing import Any

import pytest
from closing_notation import balance_of, moment
from closing_stories import Story

from recon_streams.closing.by_matching import ByMatching
from recon_streams.closing.rules_in_force import RulesInForce
from recon_streams.positions.inputs import BankStatements, LedgerMovements

pytestmark = pytest.mark.postgres


def redeemed(story: Story, reference: str, amount: str, **words: str) -> Any:
    story.sequence += 1
    more = "".join(f',"{name}":"{value}"' for name, value in words.items())
    value = (
        f'{{"kind":"redeem","movement_id":"{reference}","account_id":"AE-1","currency":"AED",'
        f'"amount":"{amount}","ledger_sequence":{story.sequence},"reference":"{reference}",'
        f'"occurred_at":"2026-11-16T08:00:00Z"{more}}}'
    )
    return story._take(LedgerMovements(), value.encode(), moment("17T06:00"))


def booked(story: Story, *payments: tuple[str, str], refs: str, entry: str = "") -> Any:
    """The file in one sum with its payments, each with `refs` beside its end-to-end id."""
    total = sum(Decimal(amount) for _, amount in payments)
    details = "".join(
        f"<TxDtls><Refs>{refs}<EndToEndId>{name}</EndToEndId></Refs>"
        f"<Amt Ccy='AED'>{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>"
        for name, amount in payments
    )
    value = (
        "<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'><BkToCstmrStmt>"
        f"{story._header('16')}<Stmt><Id>S</Id>{story._account()}{balance_of('OPBD', '1000', '16')}"
        f"{balance_of('CLBD', str(1000 - total), '16')}<Ntry><Amt Ccy='AED'>{total}</Amt>"
        "<CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-16</Dt></BookgDt>"
        f"{entry}<BkTxCd><Prtry><Cd>X</Cd></Prtry></BkTxCd><NtryDtls>{details}</NtryDtls></Ntry>"
        "</Stmt></BkToCstmrStmt></Document>"
    )
    return story._take(BankStatements(), value.encode(), moment("17T06:00"))


@pytest.fixture
def story(story: Story) -> Story:
    story.matcher = ByMatching(RulesInForce())
    return story


@pytest.mark.parametrize("entry", ["", "<AcctSvcrRef>E1</AcctSvcrRef>"])
async def test_payments_of_a_file_are_matched_one_by_one_by_their_end_to_end_ids(
    story: Story, entry: str
) -> None:
    for reference, amount in (("P-600", "600"), ("P-400", "400")):
        await redeemed(story, reference, amount, batch_reference="B1")
    payments = ("P-600", "600"), ("P-400", "400")
    await booked(story, *payments, refs="<PmtInfId>B1</PmtInfId>", entry=entry)
    await story.play("16 run bank 0 ledger 0 items - proof 0")
    (total,) = (await story.day("16")).matched
    assert (total.rule, total.matches) == ("end_to_end", 2)


async def test_one_payment_of_a_file_is_open_and_the_others_are_not(story: Story) -> None:
    await redeemed(story, "P-600", "600", batch_reference="B1")
    await booked(story, ("P-600", "600"), ("P-400", "400"), refs="<PmtInfId>B1</PmtInfId>")
    await story.play("16 run bank 0 ledger 400 items BANK_NOT_IN_LEDGER:-400 proof 0")
    (item,) = (await story.day("16")).items
    assert item.reference == "P-400"


async def test_a_file_is_known_by_the_name_that_its_payments_have_in_common(story: Story) -> None:
    """The ledger's own references are others: what they share is the file."""
    for reference, amount in (("L-600", "600"), ("L-400", "400")):
        await redeemed(story, reference, amount, batch_reference="B1")
    await booked(
        story, ("NOTPROVIDED", "700"), ("NOTPROVIDED", "300"), refs="<PmtInfId>B1</PmtInfId>"
    )
    await story.play("16 run bank 0 ledger 0 items - proof 0")
    (total,) = (await story.day("16")).matched
    assert (total.rule, total.ledger_items) == ("batch", 2)
