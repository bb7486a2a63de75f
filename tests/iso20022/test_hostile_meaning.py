"""Well-formed messages that could be read in two ways: refused by name, or told apart."""

from collections.abc import Callable

import pytest

from recon_streams.iso20022.reader import read
from recon_streams.iso20022.values import (
    Direction,
    EntryStatus,
    FindingCode,
    Message,
)
from recon_streams.kernel.refusal import RefusalCode, Refused

Bent = Callable[..., bytes]

ENTRY = "Ntfctn[1]/Ntry[1]"
DETAIL = f"{ENTRY}/NtryDtls[1]/TxDtls[1]"
STATUS = "<Sts>\n          <Cd>BOOK</Cd>\n        </Sts>\n"
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"


def refusal(payload: bytes) -> Refused:
    with pytest.raises(Refused) as refused:
        read(payload)
    return refused.value


def codes(message: Message) -> set[FindingCode]:
    return {finding.code for finding in message.findings}


@pytest.mark.parametrize("name", ["Amt", "CdtDbtInd"])
def test_an_entry_without_amount_or_direction_is_refused(name: str, bent: Bent) -> None:
    whole = {
        "Amt": '<Amt Ccy="CHF">1234.50</Amt>\n        <CdtDbtInd>CRDT</CdtDbtInd>\n        <Rv',
        "CdtDbtInd": "<CdtDbtInd>CRDT</CdtDbtInd>\n        <Rv",
    }[name]
    rest = "<CdtDbtInd>CRDT</CdtDbtInd>\n<Rv" if name == "Amt" else "<Rv"
    refused = refusal(bent((whole, rest)))
    assert (refused.code, refused.field) == (RefusalCode.MISSING_FIELD, f"{ENTRY}/{name}")


@pytest.mark.parametrize(
    ("again", "field"),
    [
        ('<Amt Ccy="CHF">1</Amt>', f"{ENTRY}/Amt"),
        ("<CdtDbtInd>DBIT</CdtDbtInd>", f"{ENTRY}/CdtDbtInd"),
        (STATUS, f"{ENTRY}/Sts"),
        ("<AcctSvcrRef>X</AcctSvcrRef>", f"{ENTRY}/AcctSvcrRef"),
        ("<BookgDt/>", f"{ENTRY}/BookgDt"),
    ],
)
def test_a_field_twice_is_refused(again: str, field: str, bent: Bent) -> None:
    refused = refusal(bent(("<NtryRef>", f"{again}<NtryRef>")))
    assert (refused.code, refused.field) == (RefusalCode.DUPLICATE_FIELD, field)


@pytest.mark.parametrize("text", ["C", "crdt", "CREDIT", "", "+", "\u0421RDT"])
def test_a_direction_is_one_of_two_words(text: str, bent: Bent) -> None:
    refused = refusal(bent(("CRDT", text)))
    assert (refused.code, refused.field) == (RefusalCode.INVALID_DIRECTION, f"{ENTRY}/CdtDbtInd")


@pytest.mark.parametrize(
    "status", ["<Sts>{}</Sts>", "<Sts><Cd>{}</Cd></Sts>", "<Sts>\n<Prtry>{}</Prtry></Sts>"]
)
@pytest.mark.parametrize("code", EntryStatus)
def test_a_status_is_read_in_every_shape(status: str, code: EntryStatus, bent: Bent) -> None:
    message = read(bent((STATUS, status.format(code.value))))
    assert message.reports[0].entries[0].status is code


@pytest.mark.parametrize("status", ["<Sts/>", "<Sts>book</Sts>", "<Sts><Cd>DONE</Cd></Sts>"])
def test_an_unknown_status_is_refused(status: str, bent: Bent) -> None:
    refused = refusal(bent((STATUS, status)))
    assert (refused.code, refused.field) == (RefusalCode.INVALID_STATUS, f"{ENTRY}/Sts")


def test_a_missing_status_means_booked_in_a_statement_only(bent: Bent) -> None:
    assert refusal(bent((STATUS, ""))).code is RefusalCode.MISSING_FIELD
    statement = bent((STATUS, "")).replace(b"camt.054", b"camt.053")
    statement = statement.replace(b"DbtCdtNtfctn", b"Stmt").replace(b"Ntfctn>", b"Stmt>")
    message = read(statement)
    assert message.reports[0].entries[0].status is EntryStatus.BOOKED
    assert FindingCode.STATUS_MISSING in codes(message)


@pytest.mark.parametrize(("text", "truth"), [("true", True), ("1", True), ("0", False)])
def test_a_reversal_keeps_the_sign_of_its_own_indicator(
    text: str, *, truth: bool, bent: Bent
) -> None:
    entry = read(bent(("false</RvslInd>", f"{text}</RvslInd>"))).reports[0].entries[0]
    assert entry.reversal is truth
    assert entry.direction is Direction.CREDIT
    assert entry.signed_amount == entry.amount


@pytest.mark.parametrize("text", ["TRUE", "yes", "2", "", "t"])
def test_a_truth_is_one_of_four_words(text: str, bent: Bent) -> None:
    refused = refusal(bent(("false</RvslInd>", f"{text}</RvslInd>")))
    assert refused.code is RefusalCode.INVALID_BOOLEAN


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30",
        "2025-02-29",
        "0000-01-01",
        "20260302",
        "2026-W01-5",
        "02.03.2026",
        "2026-3-2",
        "-2026-03-02",
        "12026-03-02",
        "2026-03-02+15:00",
        "2026-03-02+01:60",
        "2026-03-02T10:00:60Z",
        "2026-03-02T24:00:01Z",
        "2026-03-02T24:01:00Z",
        "2026-03-02T25:00:00Z",
        "2026-03-02T10:00Z",
        "2026-03-02 10:00:00",
        "11:17:11:735",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T24:00:00Z",
        "\uff12\uff10\uff12\uff16-03-02",
        "today",
    ],
)
def test_a_booking_day_that_does_not_exist_is_refused(text: str, bent: Bent) -> None:
    refused = refusal(bent(("<Dt>2026-03-02</Dt>", f"<Dt>{text}</Dt>")))
    assert (refused.code, refused.field) == (RefusalCode.INVALID_DATE, f"{ENTRY}/BookgDt")


def test_an_account_in_letters_that_only_look_right_is_refused(bent: Bent) -> None:
    for text in ("\u0421H9300762011623852957", "CH93\u200b00762011623852957", "\u0131T930"):
        refused = refusal(bent(("CH9300762011623852957", text)))
        assert refused.code is RefusalCode.INVALID_IDENTIFIER
        assert refused.field == "Ntfctn[1]/Acct/Id/IBAN"
    other = ("<IBAN>CH9300762011623852957</IBAN>", "<Othr><Id>12\u200b34</Id></Othr>")
    assert refusal(bent(other)).code is RefusalCode.INVALID_IDENTIFIER


def test_an_account_is_compared_without_its_spaces(bent: Bent) -> None:
    spaced = read(bent(("CH9300762011623852957", "ch93 0076 2011 6238 5295 7")))
    assert spaced.reports[0].account == read(bent()).reports[0].account
    odd = read(bent(("CH9300762011623852957", "12345")))
    assert FindingCode.IBAN_MALFORMED in codes(odd)


def test_a_message_of_another_kind_is_refused(bent: Bent) -> None:
    for old, new in (
        ("camt.054", "camt.053"),
        ("camt.054.001.08", "pain.001.001.09"),
        (NAMESPACE, "urn:x"),
    ):
        assert refusal(bent((old, new))).code is RefusalCode.UNKNOWN_MESSAGE
    assert refusal(b"<a/>").code is RefusalCode.UNKNOWN_MESSAGE
    assert refusal(f'<Document xmlns="{NAMESPACE}"/>'.encode()).code is RefusalCode.UNKNOWN_MESSAGE


@pytest.mark.parametrize(
    ("namespace", "version"),
    [
        ("urn:iso:std:iso:20023:tech:xsd:camt.054.001.08", "08"),
        ("urn:swift:xsd:camt.054.001.04", "04"),
        ("", ""),
    ],
)
def test_an_odd_namespace_is_read_and_noted(namespace: str, version: str, bent: Bent) -> None:
    message = read(bent((f'xmlns="{NAMESPACE}"', f'xmlns="{namespace}"')))
    assert message.version == version
    assert codes(message) >= {FindingCode.NAMESPACE_UNUSUAL, FindingCode.SCHEMA_UNKNOWN}
    assert message.reports == read(bent()).reports


def test_a_version_of_the_future_is_read_without_its_schema(bent: Bent) -> None:
    message = read(bent(("001.08", "001.99")))
    assert FindingCode.SCHEMA_UNKNOWN in codes(message)
    assert message.reports == read(bent()).reports


@pytest.mark.parametrize("name", ["Ntfctn", "Ntry", "Sts", "TxDtls", "BkToCstmrDbtCdtNtfctn"])
def test_versions_mixed_in_one_message_are_refused(name: str, bent: Bent) -> None:
    older = NAMESPACE.replace("08", "02")
    assert refusal(bent((f"<{name}>", f'<{name} xmlns="{older}">'))).code is (
        RefusalCode.UNKNOWN_MESSAGE
    )


def test_two_documents_in_one_envelope_are_refused(notification: str) -> None:
    document = notification.partition("?>\n")[2]
    assert refusal(f"<a>{document}{document}</a>".encode()).code is RefusalCode.DUPLICATE_FIELD
    body = document.partition(">\n")[2].rpartition("</Document>")[0]
    twice = f'<Document xmlns="{NAMESPACE}">{body}{body}</Document>'
    assert refusal(twice.encode()).code is RefusalCode.DUPLICATE_FIELD


def test_a_statement_inside_a_notification_is_refused(bent: Bent) -> None:
    payload = bent(("<Ntfctn>", "<Stmt/><Ntfctn>"))
    assert refusal(payload).code is RefusalCode.UNKNOWN_MESSAGE


def test_an_envelope_that_names_another_version_is_noted(notification: str) -> None:
    document = notification.partition("?>\n")[2]
    for named, disagrees in (("camt.054.001.08", False), ("camt.054.001.02", True)):
        header = f"<AppHdr><Fr/><MsgDefIdr>{named}</MsgDefIdr></AppHdr>"
        message = read(f"<BizMsgEnvlp>{header}{document}</BizMsgEnvlp>".encode())
        assert (FindingCode.HEADER_DISAGREES in codes(message)) == disagrees
        assert message.version == "08"


@pytest.mark.parametrize(
    ("text", "is_test"),
    [
        ("SPS/2.1/TEST", True),
        ("TEST", True),
        ("This is a test.", True),
        ("SPS/2.1/PROD", False),
        ("TESTBANK", False),
        ("latest", False),
    ],
)
def test_a_test_message_is_marked(text: str, *, is_test: bool, bent: Bent) -> None:
    message = read(bent(("SPS/2.1/PROD", text)))
    assert (FindingCode.TEST_MESSAGE in codes(message)) == is_test


@pytest.mark.parametrize("text", ["NOTPROVIDED", "notprovided", "NONREF", "NOTAPPLICABLE", "", " "])
def test_a_placeholder_is_no_reference(text: str, bent: Bent) -> None:
    entry = read(bent(("SVC-1", text), ("E-1<", f"{text}<"), ("T-1", text))).reports[0].entries[0]
    assert entry.servicer_reference is None
    assert entry.details[0].end_to_end_id is None
    assert entry.details[0].transaction_id is None


@pytest.mark.parametrize(
    "text",
    [
        "eb6305c9-1f7f-49de-aed0-16487c27b42",
        "eb6305c91f7f49deaed016487c27b42d",
        "00000000-0000-0000-0000-000000000000",
        "x",
    ],
)
def test_an_invalid_uetr_is_kept_as_text(text: str, bent: Bent) -> None:
    message = read(bent(("eb6305c9-1f7f-49de-aed0-16487c27b42d", text)))
    (detail,) = message.reports[0].entries[0].details
    assert (detail.uetr, detail.uetr_text) == (None, text)
    assert FindingCode.UETR_INVALID in codes(message)


@pytest.mark.parametrize("version", ["4", "5"])
def test_a_uetr_in_capitals_is_the_same_uetr(version: str, bent: Bent) -> None:
    text = f"eb6305c9-1f7f-{version}9de-aed0-16487c27b42d"
    message = read(bent(("eb6305c9-1f7f-49de-aed0-16487c27b42d", text.upper())))
    (detail,) = message.reports[0].entries[0].details
    assert (detail.uetr, detail.uetr_text) == (text, None)


def test_findings_are_bounded_and_never_lose_the_test_mark(bent: Bent) -> None:
    odd = '<Ntry><Amt Ccy="DEM">1</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts></Ntry>'
    payload = bent(("SPS/2.1/PROD", "TEST"), ("<Ntry>", odd * 500 + "<Ntry>"))
    message = read(payload)
    assert len(message.findings) == 101
    assert message.findings[-1].code is FindingCode.FINDINGS_CUT
    assert FindingCode.TEST_MESSAGE in codes(message)
    assert len(message.reports[0].entries) == 501


def test_an_invalid_message_is_told_where_and_never_what(bent: Bent) -> None:
    message = read(
        bent(("<NtryRef>1", f"<NtryRef>{'secret' * 10}"), ("CHF</Ccy>", "CHF</Ccy><X/>"))
    )
    invalid = [f for f in message.findings if f.code is FindingCode.SCHEMA_INVALID]
    assert [finding.path for finding in invalid] == ["Ntfctn[1]/Acct/X", f"{ENTRY}/NtryRef"]
    assert "secret" not in "".join(finding.text for finding in invalid)
    assert "Nm" in invalid[0].text


def test_validation_can_be_left_out(bent: Bent) -> None:
    payload = bent(("CHF</Ccy>", "CHF</Ccy><X/>"))
    assert FindingCode.SCHEMA_INVALID in codes(read(payload))
    assert not codes(read(payload, validate=False))


def test_an_instant_that_moves_no_money_is_noted(bent: Bent) -> None:
    message = read(bent(("2026-03-02T10:15:00+02:00", "11:17:11:735")))
    assert message.group_header.created_at is None
    assert FindingCode.INSTANT_INVALID in codes(message)
