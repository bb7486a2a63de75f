"""Documents made to deceive, to read files or to exhaust: each is refused by name, at once."""

import gzip
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recon_streams.iso20022.reader import read
from recon_streams.iso20022.values import FindingCode
from recon_streams.kernel.refusal import RefusalCode, Refused

Bent = Callable[..., bytes]


@pytest.fixture(autouse=True)
def at_once() -> Iterator[None]:
    started = time.perf_counter()
    yield
    assert time.perf_counter() - started < 2


def refusal(payload: bytes) -> Refused:
    with pytest.raises(Refused) as refused:
        read(payload)
    return refused.value


def _declared(notification: str, declaration: str, amount: str = "1234.50") -> bytes:
    head, _, rest = notification.partition("?>\n")
    return f"{head}?>\n{declaration}\n{rest}".replace("1234.50", amount).encode()


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
DOCTYPES = {
    "bare": ("<!DOCTYPE Document>", "1234.50"),
    "internal entity in text": ('<!DOCTYPE Document [<!ENTITY x "99">]>', "1&x;.50"),
    "external dtd": ('<!DOCTYPE Document SYSTEM "{secret}">', "1234.50"),
    "external entity": ('<!DOCTYPE Document [<!ENTITY x SYSTEM "{secret}">]>', "&x;"),
    "external entity by network": (
        '<!DOCTYPE Document [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>',
        "&x;",
    ),
    "parameter entity": (
        '<!DOCTYPE Document [<!ENTITY % x SYSTEM "{secret}"> %x;]>',
        "1234.50",
    ),
    "attribute default": ('<!DOCTYPE Document [<!ATTLIST Amt Ccy CDATA "USD">]>', "1234.50"),
}


@pytest.mark.parametrize("name", DOCTYPES)
def test_a_document_type_is_refused(name: str, notification: str, tmp_path: Path) -> None:
    # Whoever opened this pipe to read it would wait for ever.
    secret = tmp_path / "secret"
    os.mkfifo(secret)
    declaration, amount = DOCTYPES[name]
    declaration = declaration.replace("{secret}", secret.as_uri())
    assert refusal(_declared(notification, declaration, amount)).code is (
        RefusalCode.DOCTYPE_FORBIDDEN
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-7"])
def test_a_document_type_is_found_in_every_encoding(encoding: str, notification: str) -> None:
    payload = _declared(notification, "<!DOCTYPE Document>").decode()
    declared = payload.replace("UTF-8", encoding.upper())
    encoded = declared.encode(encoding)
    if encoding == "utf-7":
        encoded = encoded.replace(b"<!DOCTYPE", b"+ADw-!DOCTYPE")
    assert b"<!DOCTYPE" not in encoded
    assert refusal(encoded).code is RefusalCode.DOCTYPE_FORBIDDEN


def test_entities_that_multiply_are_refused(notification: str) -> None:
    bomb = f'<!DOCTYPE Document [<!ENTITY l0 "{"ha" * 50}">{LAUGHS}]>'
    assert refusal(_declared(notification, bomb, "&l9;")).code is RefusalCode.ENTITY_FORBIDDEN
    in_attribute = _declared(notification, bomb).replace(b'Ccy="CHF"', b'Ccy="&l9;"')
    assert refusal(in_attribute).code is RefusalCode.ENTITY_FORBIDDEN


def test_one_long_entity_repeated_is_refused(notification: str) -> None:
    quadratic = f'<!DOCTYPE Document [<!ENTITY a "{"a" * 100_000}">]>'
    payload = _declared(notification, quadratic, "&a;" * 10_000)
    assert refusal(payload).code in {RefusalCode.ENTITY_FORBIDDEN, RefusalCode.DOCTYPE_FORBIDDEN}


def test_entities_in_a_circle_are_refused(notification: str) -> None:
    circle = '<!DOCTYPE Document [<!ENTITY a "&b;"><!ENTITY b "&a;">]>'
    payload = _declared(notification, circle).replace(b'Ccy="CHF"', b'Ccy="&a;"')
    assert refusal(payload).code is RefusalCode.ENTITY_FORBIDDEN


def test_an_entity_nobody_declared_is_refused(bent: Bent) -> None:
    assert refusal(bent(("1234.50", "1&x;"))).code is RefusalCode.ENTITY_FORBIDDEN


def test_character_references_and_the_five_entities_are_text(bent: Bent) -> None:
    message = read(bent(("1234.50", "&#49;23&#x34;.50"), ("SVC-1", "A&amp;B&lt;")))
    assert message.reports[0].entries[0].servicer_reference == "A&B<"
    assert str(message.reports[0].entries[0].amount) == "1234.5"


@pytest.mark.parametrize("inside", ["<!-- -->", "<?p q?>", "<b/>", '<b xmlns="urn:x">9</b>'])
@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("1234.50</Amt>\n        <CdtDbtInd>", "Ntfctn[1]/Ntry[1]/Amt"),
        ("CRDT</CdtDbtInd>\n        <RvslInd>", "Ntfctn[1]/Ntry[1]/CdtDbtInd"),
        ("false</RvslInd>", "Ntfctn[1]/Ntry[1]/RvslInd"),
        ("BOOK</Cd>", "Ntfctn[1]/Ntry[1]/Sts/Cd"),
        ("2026-03-02</Dt>", "Ntfctn[1]/Ntry[1]/BookgDt/Dt"),
        ("CH9300762011623852957</IBAN>", "Ntfctn[1]/Acct/Id/IBAN"),
        ("CHF</Ccy>", "Ntfctn[1]/Acct/Ccy"),
        ("SVC-1</AcctSvcrRef>", "Ntfctn[1]/Ntry[1]/AcctSvcrRef"),
        ("E-1</EndToEndId>", "Ntfctn[1]/Ntry[1]/NtryDtls[1]/TxDtls[1]/Refs/EndToEndId"),
        ("SPS/2.1/PROD</AddtlInf>", "GrpHdr/AddtlInf"),
    ],
)
def test_markup_inside_a_value_is_refused(inside: str, value: str, field: str, bent: Bent) -> None:
    refused = refusal(bent((value, value[0] + inside + value[1:])))
    assert (refused.code, refused.field) == (RefusalCode.MARKUP_IN_VALUE, field)


def test_markup_around_a_text_status_is_refused(bent: Bent) -> None:
    status = "<Sts>\n          <Cd>BOOK</Cd>\n        </Sts>"
    payload = bent((status, "<Sts>BOO<!-- -->K</Sts>"))
    assert refusal(payload).code is RefusalCode.MARKUP_IN_VALUE
    both = bent((status, "<Sts>PDNG<Cd>BOOK</Cd></Sts>"))
    assert refusal(both).code is RefusalCode.DUPLICATE_FIELD


def test_cdata_is_text(bent: Bent) -> None:
    message = read(bent(("1234.50", "12<![CDATA[34.5]]>0")))
    assert str(message.reports[0].entries[0].amount) == "1234.5"


@pytest.mark.parametrize("depth", [300, 200_000])
def test_depth_is_bounded(depth: int, bent: Bent) -> None:
    nested = "<a>" * depth + "</a>" * depth
    assert refusal(bent(("<Ntry>", nested + "<Ntry>"))).code is RefusalCode.TOO_DEEP


def test_a_text_of_eleven_megabytes_is_refused(bent: Bent) -> None:
    payload = bent(("Invoice 77", "x" * 11_000_000))
    assert refusal(payload).code is RefusalCode.TOO_LARGE


def test_the_size_of_a_message_is_bounded(notification: str) -> None:
    payload = notification.encode()
    assert read(payload, bytes_max=len(payload)).reports
    with pytest.raises(Refused) as refused:
        read(payload, bytes_max=len(payload) - 1)
    assert refused.value.code is RefusalCode.TOO_LARGE


def test_two_hundred_thousand_attributes_change_nothing(bent: Bent) -> None:
    attributes = " ".join(f'a{number}="1"' for number in range(200_000))
    message = read(bent(("<NtryRef>", f"<NtryRef {attributes}>")))
    assert message.reports == read(bent()).reports


def test_inclusion_is_not_done(bent: Bent, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("1", encoding="ascii")
    tag = f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" parse="text" href="{secret}"/>'
    inside = refusal(bent(("1234.50", f"{tag}1234.50")))
    assert inside.code is RefusalCode.MARKUP_IN_VALUE
    between = read(bent(("<Ntry>", f"{tag}<Ntry>")))
    assert between.reports == read(bent()).reports
    assert FindingCode.FOREIGN_ELEMENT in {finding.code for finding in between.findings}


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "NUL": lambda p: p.replace(b"SVC-1", b"SVC\x00-1"),
    "control character": lambda p: p.replace(b"SVC-1", b"SVC\x07-1"),
    "overlong UTF-8": lambda p: p.replace(b"SVC-1", b"SVC\xc0\xaf1"),
    "bare ampersand": lambda p: p.replace(b"SVC-1", b"A&B"),
    "Latin-1 bytes declared UTF-8": lambda p: p.replace("ü".encode(), b"\xfc"),
    "Latin-1 bytes without a declaration": lambda p: p.partition(b"?>\n")[2].replace(
        "ü".encode(), b"\xfc"
    ),
    "unknown encoding": lambda p: p.replace(b"UTF-8", b"UTF-9"),
    "UTF-16 declared, UTF-8 written": lambda p: b"\xff\xfe" + p,
    "two roots": lambda p: p + p.partition(b"?>")[2],
    "text after the root": lambda p: p + b"1",
    "white space before the declaration": lambda p: b"\n" + p,
    "gzip": gzip.compress,
    "JSON": lambda _: b'{"Document": {}}',
    "undeclared prefix": lambda p: p.replace(b"<Ntry>", b"<x:Ntry>").replace(
        b"</Ntry>", b"</x:Ntry>"
    ),
    "attribute twice": lambda p: p.replace(b'Ccy="CHF"', b'Ccy="CHF" Ccy="EUR"', 1),
    "overlapping elements": lambda p: p.replace(b"</Sts>", b"</Ntry>", 1),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_well_formed_is_refused_whole(name: str, notification: str) -> None:
    refused = refusal(BROKEN[name](notification.encode()))
    assert refused.code is RefusalCode.NOT_WELL_FORMED
    assert "SVC" not in refused.detail


def test_an_empty_value_is_refused() -> None:
    assert refusal(b"").code is RefusalCode.EMPTY_VALUE


def test_a_message_cut_at_any_byte_is_refused(notification: str) -> None:
    payload = notification.strip().encode()
    for length in range(len(payload)):
        with pytest.raises(Refused):
            read(payload[:length], validate=False)
