"""What the plain way returns is what the careful way returns, and it has nothing to note."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from recon_streams.iso20022 import entries, plain_entries, plain_heads, reports
from recon_streams.iso20022.document import document_of
from recon_streams.iso20022.plain import NotPlain, Plain, plain_in
from recon_streams.iso20022.reader import read
from recon_streams.iso20022.reading import Reading
from recon_streams.iso20022.safe_xml import Element, local_name, parse
from recon_streams.iso20022.values import Entry, GroupHeader, Report
from recon_streams.kernel.refusal import Refused

Payload = Callable[[str], bytes]
Value = Entry | Report | GroupHeader
Careful = Callable[[Reading], Value]

PLACES = [
    ("<NtryRef>", ["1", " 1 ", "", "NotProvided", "1<!-- -->", "<x/>"]),
    ("<Amt Ccy='EUR'>", ["1.50", "0", ".5", "5.", "+1", "-1", "", " 2.00\n", "\u0661", "1.234"]),
    ("<CdtDbtInd>", ["CRDT", "DBIT", " DBIT ", "crdt", ""]),
    ("<RvslInd>", ["true", "0", "yes", ""]),
    ("<Sts>", ["BOOK", "<Cd>BOOK</Cd>", "<Cd>PDNG</Cd>", "x<Cd>BOOK</Cd>", "<Prtry>BOOK</Prtry>"]),
    ("<BookgDt>", ["<Dt>2026-03-02</Dt>", "<DtTm>2026-03-02T10:00:00Z</DtTm>", "2026-03-02", ""]),
    ("<ValDt>", ["<Dt>2026-03-02</Dt>", "<DtTm>2026-03-02T10:00:00</DtTm>", "<Dt>2026-02-30</Dt>"]),
    ("<BkTxCd>", ["<Domn><Cd>PMNT</Cd><Fmly><Cd>A</Cd><SubFmlyCd>B</SubFmlyCd></Fmly></Domn>",
                  "<Prtry><Cd>NTRF</Cd></Prtry>", "<Domn><Cd>PMNT</Cd></Domn>", "<Domn/>", ""]),
    ("<AddtlNtryInf>", ["text", "<!-- -->"]),
    ("<Chrgs>", ["<Rcrd><Amt Ccy='EUR'>1</Amt></Rcrd>", "<Rcrd><Amt Ccy='EUR'>-1</Amt></Rcrd>"]),
]  # fmt: skip
REFERENCES = ["MsgId", "EndToEndId", "UETR", "TxId", "PmtInfId", "ClrSysRef", "Prtry"]
DETAILS = [
    "<Amt Ccy='EUR'>1.50</Amt>",
    "<Amt Ccy='ZZZ'>1.50</Amt>",
    "<AmtDtls><TxAmt><Amt Ccy='EUR'>2</Amt></TxAmt></AmtDtls>",
    "<CdtDbtInd>DBIT</CdtDbtInd>",
    "<RltdPties><Dbtr/><DbtrAcct><Id><IBAN>DE89370400440532013000</IBAN></Id></DbtrAcct></RltdPties>",
    "<RltdPties><CdtrAcct><Id><IBAN>DE89 3704 0044</IBAN></Id></CdtrAcct></RltdPties>",
    "<RltdPties><DbtrAcct><Id><Othr><Id>7</Id></Othr></Id></DbtrAcct></RltdPties>",
    "<RmtInf><Ustrd>a</Ustrd><Ustrd> </Ustrd><Ustrd>b</Ustrd></RmtInf>",
    "<RmtInf><Strd><CdtrRefInf><Ref>RF18</Ref></CdtrRefInf></Strd></RmtInf>",
    "<RtrInf><Rsn><Cd>AC01</Cd></Rsn></RtrInf>",
    "<x:Amt xmlns:x='urn:x'>1</x:Amt>",
    "<x:New xmlns:x='urn:x'/>",
    "<RltdAgts/>",
    "<?stop?>",
]


def _closed(opening: str, inner: str) -> str:
    return f"{opening}{inner}</{opening[1:-1].split(maxsplit=1)[0]}>"


@st.composite
def _transactions(draw: st.DrawFn) -> str:
    texts = st.sampled_from(
        ["1", " a ", "NONREF", "", "eb6305c9-1f7f-49de-aed0-16487c27b42d", "<x/>"]
    )
    names = draw(st.lists(st.sampled_from(REFERENCES), max_size=4))
    inner = "".join(_closed(f"<{name}>", draw(texts)) for name in names)
    parts = draw(st.lists(st.sampled_from(DETAILS), max_size=4))
    return f"<TxDtls><Refs>{inner}</Refs>{''.join(parts)}</TxDtls>"


@st.composite
def _entries(draw: st.DrawFn) -> str:
    parts = []
    for opening, texts in PLACES:
        # The first text is the usual one; most of an entry must be plain for the rest to matter.
        usual = st.just(_closed(opening, texts[0]))
        other = st.sampled_from([_closed(opening, text) for text in texts] + [""])
        part = draw(st.one_of(usual, usual, usual, other))
        parts += [part] * draw(st.sampled_from([1] * 30 + [2]))
    batch = draw(st.sampled_from(["", "", "<Btch><NbOfTxs>2</NbOfTxs></Btch>", "<Btch/><Btch/>"]))
    transactions = draw(st.lists(_transactions(), max_size=3))
    groups = draw(st.sampled_from([1, 1, 0, 2]))
    parts += [f"<NtryDtls>{batch}{''.join(transactions)}</NtryDtls>"] * groups
    return f"<Ntry>{''.join(parts)}</Ntry>"


@st.composite
def _messages(draw: st.DrawFn) -> bytes:
    message, body, report = draw(
        st.sampled_from(
            [
                ("camt.054", "BkToCstmrDbtCdtNtfctn", "Ntfctn"),
                ("camt.053", "BkToCstmrStmt", "Stmt"),
            ]
        )
    )
    heads = [
        "<Id>N</Id>", "<ElctrncSeqNb>7</ElctrncSeqNb>", "<ElctrncSeqNb>x</ElctrncSeqNb>",
        "<CreDtTm>2026-03-02T10:15:00+02:00</CreDtTm>", "<CreDtTm>2026-03-02T10:15:00</CreDtTm>",
        "<FrToDt><FrDtTm>2026-03-02T00:00:00Z</FrDtTm><ToDtTm>2026-03-02T24:00:00Z</ToDtTm></FrToDt>",
        "<Acct><Id><IBAN>CH9300762011623852957</IBAN></Id><Ccy>CHF</Ccy></Acct>",
        "<Acct><Id><IBAN>CH93</IBAN></Id><Ccy>XXX</Ccy></Acct>",
        "<Acct><Id><Othr><Id>1</Id></Othr></Id><Svcr><FinInstnId><BIC>X</BIC></FinInstnId></Svcr></Acct>",
        "<StmtPgntn><PgNb>1</PgNb><LastPgInd>true</LastPgInd></StmtPgntn>", "<StmtPgntn/>",
        "<Bal><Amt Ccy='EUR'>1</Amt><CdtDbtInd>DBIT</CdtDbtInd></Bal>", "<Bal/>", "<!-- -->",
    ]  # fmt: skip
    head = "".join(draw(st.lists(st.sampled_from(heads), max_size=5)))
    inner = "".join(draw(st.lists(_entries(), max_size=2)))
    header = draw(st.sampled_from(["<MsgId>M</MsgId>", "<MsgId>a</MsgId><MsgId>b</MsgId>", ""]))
    space = f" xmlns='urn:iso:std:iso:20022:tech:xsd:{message}.001.08'"
    text = f"<{body}><GrpHdr>{header}</GrpHdr><{report}>{head}{inner}</{report}></{body}>"
    return f"<Document{draw(st.sampled_from([space, space, '']))}>{text}</Document>".encode()


def _outcome(work: Careful, reading: Reading) -> tuple[object, ...]:
    try:
        return "value", work(reading), reading.findings
    except Refused as refusal:
        return "refused", refusal.code, refusal.field, refusal.rule, refusal.detail


def _plain_head(element: Element, plain: Plain) -> Report:
    return plain_heads.plain_head_of(element, "R", plain)[0]


def _ways(body: Element) -> Iterator[tuple[Callable[[Plain], Value], Careful]]:
    """Yield for each part of a message the plain and the careful way to read it."""
    for each in body:
        if local_name(each) == "GrpHdr":
            plain_header = partial(plain_heads.plain_header_of, each)
            yield plain_header, partial(reports.careful_header_of, each)
        else:
            head = _headed(each)
            yield partial(_plain_head, head), partial(reports.careful_report_of, head, "R")
        for entry in each:
            if local_name(entry) == "Ntry":
                plain_entry = partial(plain_entries.plain_entry_of, entry, "N")
                yield plain_entry, partial(entries.entry_of, entry, "N")


def _headed(report: Element) -> Element:
    """Return a copy of `report` without entries."""
    copy = deepcopy(report)
    for entry in [each for each in copy if local_name(each) == "Ntry"]:
        copy.remove(entry)
    return copy


def _check(payload: bytes) -> int:
    """Compare both ways for each part of `payload`, and return how many were plain."""
    document = document_of(parse(payload))
    plain = plain_in(document.message, document.namespace)
    count = 0
    for plain_way, careful_way in _ways(document.body):
        try:
            value = plain_way(plain)
        except (NotPlain, Refused):
            continue
        count += 1
        reading = Reading(document.message, document.namespace)
        assert _outcome(careful_way, reading) == ("value", value, ())
    return count


@given(payload=_messages())
def test_both_ways_agree_on_generated_messages(payload: bytes) -> None:
    _check(payload)


def test_both_ways_agree_on_a_sample(sample: str, payload_of: Payload) -> None:
    try:
        read(payload_of(sample))
    except Refused:
        return
    _check(payload_of(sample))


def test_a_usual_notification_is_plain_throughout(notification: str) -> None:
    assert _check(notification.encode()) == 3
