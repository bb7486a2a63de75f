"""What the fields of a message become, in the shapes that the public samples do not show."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest

from recon_streams.iso20022.moments import moment_of
from recon_streams.iso20022.reader import read
from recon_streams.iso20022.values import (
    Charge,
    Direction,
    Entry,
    EntryStatus,
    FindingCode,
)

Bent = Callable[..., bytes]

BOOKED = "<BookgDt>\n          <Dt>2026-03-02</Dt>\n        </BookgDt>"
# Everything in version 01 that later versions write in another way.
VERSION_01 = b"""<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.01">
<BkToCstmrDbtCdtNtfctnV01>
 <GrpHdr><MsgId>M</MsgId><CreDtTm>2009-01-02T03:04:05Z</CreDtTm></GrpHdr>
 <Ntfctn><Id>N</Id><CreDtTm>2009-01-02T03:04:05Z</CreDtTm>
  <Acct><Id><PrtryAcct><Id>12 34</Id></PrtryAcct></Id>
   <Svcr><FinInstnId><CmbndId><BIC>BANKDEFF</BIC></CmbndId></FinInstnId></Svcr></Acct>
  <Ntry><Amt Ccy="EUR">10</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts>
   <BkTxCd><Prtry><Cd>901</Cd></Prtry></BkTxCd>
   <Btch><MsgId>B-1</MsgId><PmtInfId>P-1</PmtInfId><NbOfTxs>2</NbOfTxs></Btch>
   <Chrgs><Amt Ccy="EUR">1</Amt></Chrgs>
   <TxDtls><AmtDtls><TxAmt><Amt Ccy="EUR">4</Amt></TxAmt></AmtDtls>
    <RmtInf><Strd><CdtrRefInf><CdtrRef>RF18</CdtrRef></CdtrRefInf></Strd></RmtInf>
    <RtrInf><RtrRsn><Cd>AC04</Cd></RtrRsn></RtrInf></TxDtls>
   <TxDtls><AmtDtls><TxAmt><Amt Ccy="EUR">6</Amt></TxAmt></AmtDtls></TxDtls>
  </Ntry>
 </Ntfctn>
</BkToCstmrDbtCdtNtfctnV01></Document>"""


def test_a_notification_is_read_whole(notification: str) -> None:
    message = read(notification.encode())
    assert (message.message, message.version, message.findings) == ("camt.054", "08", ())
    assert message.group_header.created_at == datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
    (report,) = message.reports
    assert (report.id, report.path, report.electronic_sequence) == ("N-1", "Ntfctn[1]", 17)
    (entry,) = report.entries
    assert (entry.path, entry.amount, entry.currency) == (
        "Ntfctn[1]/Ntry[1]",
        Decimal("1234.5"),
        "CHF",
    )
    assert (entry.direction, entry.status) == (Direction.CREDIT, EntryStatus.BOOKED)
    assert (entry.booked_on, entry.value_on) == (date(2026, 3, 2), date(2026, 3, 3))
    assert entry.bank_transaction_code == "PMNT/RCDT/ESCT"
    (detail,) = entry.details
    assert detail.path == "Ntfctn[1]/Ntry[1]/NtryDtls[1]/TxDtls[1]"
    assert detail.counterparty_account == "DE89370400440532013000"
    assert detail.remittance == ("Invoice 77, Zürich",)
    assert (detail.message_id, detail.instruction_id, detail.end_to_end_id) == (
        "PAIN-1",
        "I-1",
        "E-1",
    )


def test_values_cannot_be_changed(notification: str) -> None:
    message = read(notification.encode())
    with pytest.raises(AttributeError):
        message.reports[0].entries[0].amount = Decimal(1)  # type: ignore[misc]  # the point
    assert msgspec.json.encode(message)


def test_version_01_says_the_same_in_other_words() -> None:
    message = read(VERSION_01)
    assert (message.version, message.findings) == ("01", ())
    (report,) = message.reports
    assert (report.account.identification, report.account.scheme) == ("1234", "OTHER")
    assert report.account.servicer_bic == "BANKDEFF"
    (entry,) = report.entries
    assert entry.signed_amount == Decimal(-10)
    assert (entry.bank_transaction_code, entry.bank_transaction_proprietary) == ("", "901")
    assert (entry.batch_count, entry.batch_message_id) == (2, "B-1")
    assert entry.batch_payment_information_id == "P-1"
    assert entry.charges == (Charge(amount=Decimal(1), currency="EUR"),)
    assert [detail.amount for detail in entry.details] == [Decimal(4), Decimal(6)]
    assert entry.details[0].path == "Ntfctn[1]/Ntry[1]/TxDtls[1]"
    assert entry.details[0].creditor_references == ("RF18",)
    assert entry.details[0].return_reason == "AC04"


def _entry(bent: Bent, *changes: tuple[str, str]) -> Entry:
    return read(bent(*changes)).reports[0].entries[0]


def test_a_booking_instant_keeps_the_day_of_the_bank(bent: Bent) -> None:
    entry = _entry(bent, (BOOKED, "<BookgDt><DtTm>2026-03-02T00:30:00+02:00</DtTm></BookgDt>"))
    assert entry.booked_on == date(2026, 3, 2)
    assert entry.booked_at == datetime(2026, 3, 1, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "<BookgDt><Dt>2026-03-02T00:00:00Z</Dt></BookgDt>",
        "<BookgDt><DtTm>2026-03-02</DtTm></BookgDt>",
        "<BookgDt>2026-03-02</BookgDt>",
        "<BookgDt>\n<Dt>\n2026-03-02+01:00\n</Dt></BookgDt>",
    ],
)
def test_a_day_is_read_in_whatever_element_it_stands(written: str, bent: Bent) -> None:
    assert _entry(bent, (BOOKED, written)).booked_on == date(2026, 3, 2)


def test_a_missing_day_is_not_made_up(bent: Bent) -> None:
    for nothing in ("", "<BookgDt/>", "<BookgDt><Dt/></BookgDt>"):
        entry = _entry(bent, (BOOKED, nothing))
        assert (entry.booked_on, entry.booked_at) == (None, None)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-02T24:00:00Z", datetime(2026, 3, 3, tzinfo=UTC)),
        ("2026-12-31T24:00:00.000+01:00", datetime(2026, 12, 31, 23, tzinfo=UTC)),
        ("2026-03-02T01:02:03.1234567899Z", datetime(2026, 3, 2, 1, 2, 3, 123456, tzinfo=UTC)),
        ("2026-03-02T01:02:03.5-14:00", datetime(2026, 3, 2, 15, 2, 3, 500000, tzinfo=UTC)),
        ("2026-03-29T02:30:00+01:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("2026-10-25T02:30:00+02:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25T02:30:00+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_instants_are_those_of_xml_schema(text: str, at: datetime) -> None:
    moment = moment_of(text)
    assert moment is not None
    assert moment.at == at
    assert moment.on == date.fromisoformat(text[:10])


def test_an_instant_without_a_zone_is_utc_and_noted(bent: Bent) -> None:
    message = read(bent(("2026-03-02T10:15:00+02:00", "2026-03-02T10:15:00")))
    assert message.group_header.created_at == datetime(2026, 3, 2, 10, 15, tzinfo=UTC)
    assert [f.code for f in message.findings] == [FindingCode.ZONE_MISSING]


def test_the_counterparty_of_a_debit_is_the_creditor(bent: Bent) -> None:
    parties = "<RltdPties>"
    creditor = f"{parties}<CdtrAcct><Id><Othr><Id>77</Id></Othr></Id></CdtrAcct>"
    ours_first = _entry(bent, (parties, creditor))
    assert ours_first.details[0].counterparty_account == "DE89370400440532013000"
    debit = _entry(bent, (parties, creditor), ("CRDT", "DBIT"), ("CRDT", "DBIT"))
    assert debit.details[0].counterparty_account == "77"
    opposite = _entry(bent, (parties, creditor), ("CRDT", "DBIT"))
    assert opposite.details[0].counterparty_account == "DE89370400440532013000"


def test_an_account_may_be_a_proxy_or_missing(bent: Bent) -> None:
    named = "<Id>\n          <IBAN>CH9300762011623852957</IBAN>\n        </Id>"
    proxy = read(bent((named, "<Prxy><Id>+41 79 000</Id></Prxy>"))).reports[0].account
    assert (proxy.identification, proxy.scheme) == ("+4179000", "PROXY")
    for nothing in ("", "<Id/>", "<Id><IBAN/></Id>"):
        message = read(bent((named, nothing)))
        assert (message.reports[0].account.identification, message.reports[0].account.scheme) == (
            "",
            "",
        )
        assert FindingCode.ACCOUNT_UNIDENTIFIED in {f.code for f in message.findings}


def test_charges_keep_their_total_and_their_records(bent: Bent) -> None:
    charges = (
        '<Chrgs><TtlChrgsAndTaxAmt Ccy="CHF">26.00</TtlChrgsAndTaxAmt>'
        '<Rcrd><Amt Ccy="CHF">26.00</Amt><CdtDbtInd>DBIT</CdtDbtInd>'
        "<ChrgInclInd>true</ChrgInclInd></Rcrd></Chrgs>"
    )
    entry = _entry(bent, ("<NtryDtls>", f"{charges}<NtryDtls>"))
    assert entry.charges_total == Decimal(26)
    assert entry.charges == (
        Charge(amount=Decimal(26), currency="CHF", direction=Direction.DEBIT, included=True),
    )


def test_groups_of_an_entry_are_counted_together(bent: Bent) -> None:
    group = '<NtryDtls><Btch><NbOfTxs>2</NbOfTxs><TtlAmt Ccy="CHF">5</TtlAmt></Btch></NtryDtls>'
    entry = _entry(bent, ("<NtryDtls>", f"{group}{group}<NtryDtls>"))
    assert (entry.batch_count, entry.batch_total) == (4, Decimal(10))
    assert entry.details[0].path == "Ntfctn[1]/Ntry[1]/NtryDtls[3]/TxDtls[1]"
    other = group.replace("</TtlAmt>", "</TtlAmt><CdtDbtInd>DBIT</CdtDbtInd>")
    assert _entry(bent, ("<NtryDtls>", f"{group}{other}<NtryDtls>")).batch_total is None


def test_a_credit_line_is_told_apart_from_the_balance(bent: Bent) -> None:
    balance = (
        "<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp>"
        '<CdtLine><Incl>{}</Incl><Amt Ccy="CHF">500</Amt></CdtLine>'
        '<Amt Ccy="CHF">700</Amt><CdtDbtInd>DBIT</CdtDbtInd><Dt><Dt>2026-03-02</Dt></Dt></Bal>'
    )
    for included, line in (("true", Decimal(500)), ("0", None)):
        payload = bent(("<Ntry>", f"{balance.format(included)}<Ntry>"))
        (found,) = read(payload).reports[0].balances
        assert (found.code, found.amount, found.credit_line) == ("CLBD", Decimal(-700), line)


def test_pages_and_sequences_that_are_no_numbers_are_noted(bent: Bent) -> None:
    pages = "<NtfctnPgntn><PgNb>2</PgNb><LastPgInd>0</LastPgInd></NtfctnPgntn>"
    report = read(bent(("<ElctrncSeqNb>", f"{pages}<ElctrncSeqNb>"))).reports[0]
    assert (report.page_number, report.last_page) == (2, False)
    for text in ("x", "-1", "1.5", "9" * 5_000, "\uff11"):
        message = read(bent((">17<", f">{text}<")))
        assert message.reports[0].electronic_sequence is None
        assert FindingCode.NUMBER_INVALID in {f.code for f in message.findings}


def test_reports_of_several_accounts_stay_apart(notification: str) -> None:
    start, end = notification.index("<Ntfctn>"), notification.index("</Ntfctn>") + len("</Ntfctn>")
    second = notification[start:end].replace("CH9300762011623852957", "CH5604835012345678009")
    message = read((notification[:end] + second + notification[end:]).encode())
    assert [report.account.identification for report in message.reports] == [
        "CH9300762011623852957",
        "CH5604835012345678009",
    ]
    assert message.reports[1].entries[0].path == "Ntfctn[2]/Ntry[1]"
