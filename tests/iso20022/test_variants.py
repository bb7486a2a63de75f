"""The same message written differently is the same message."""

from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from recon_streams.iso20022.reader import read
from recon_streams.iso20022.values import FindingCode, Message

Payload = Callable[[str], bytes]
Variant = Callable[[bytes], bytes]

_PRIVATE: Final = "http://example.org/envelope"


def _tree(payload: bytes, *, blank_text: bool = True) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, remove_blank_text=not blank_text)
    return etree.fromstring(payload, parser)


def _utf_16(payload: bytes) -> bytes:
    text = etree.tostring(_tree(payload), encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-16"?>{text}'.encode("utf-16")


def _utf_32(payload: bytes) -> bytes:
    text = etree.tostring(_tree(payload), encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-32"?>{text}'.encode("utf-32")


def _utf_8_with_mark(payload: bytes) -> bytes:
    return b"\xef\xbb\xbf" + etree.tostring(_tree(payload), encoding="UTF-8")


def _latin_1(payload: bytes) -> bytes:
    return etree.tostring(_tree(payload), encoding="ISO-8859-1", xml_declaration=True)


def _ascii(payload: bytes) -> bytes:
    return etree.tostring(_tree(payload), encoding="US-ASCII")


def _prefixed(payload: bytes) -> bytes:
    """Give every element a prefix, and declare it once at the root."""
    root = _tree(payload)
    document = next(e for e in root.iter() if etree.QName(e).localname == "Document")
    namespace = etree.QName(document).namespace
    if not namespace:
        return etree.tostring(document)
    copied = etree.Element(document.tag, nsmap={"bank": namespace})
    copied.extend(list(document))
    etree.cleanup_namespaces(copied, top_nsmap={"bank": namespace})
    return etree.tostring(copied)


def _indented(payload: bytes) -> bytes:
    root = _tree(payload)
    etree.indent(root, space=" \t\r\n")
    return etree.tostring(root)


def _on_one_line(payload: bytes) -> bytes:
    return etree.tostring(_tree(payload))


def _with_comments_between(payload: bytes) -> bytes:
    root = _tree(payload)
    for element in [e for e in root.iter(etree.Element) if len(e)]:
        for position in range(len(element), -1, -1):
            note = etree.Comment(" <Amt Ccy='EUR'>1</Amt> ")
            element.insert(position, note if position % 2 else etree.ProcessingInstruction("p"))
    return etree.tostring(root)


def _with_cdata(payload: bytes) -> bytes:
    root = _tree(payload)
    for element in root.iter(etree.Element):
        if not len(element) and element.text and "]]>" not in element.text:
            element.text = etree.CDATA(element.text)
    return etree.tostring(root, encoding="UTF-8")


def _in_an_envelope(payload: bytes) -> bytes:
    root = _tree(payload)
    document = next(e for e in root.iter(etree.Element) if etree.QName(e).localname == "Document")
    envelope = etree.Element(f"{{{_PRIVATE}}}BizMsgEnvlp")
    etree.SubElement(etree.SubElement(envelope, f"{{{_PRIVATE}}}AppHdr"), f"{{{_PRIVATE}}}Fr")
    etree.SubElement(envelope, f"{{{_PRIVATE}}}Body").append(document)
    return etree.tostring(envelope)


def _with_an_extension(payload: bytes) -> bytes:
    """Add supplementary data that looks like entries of another account."""
    root = _tree(payload)
    document = next(e for e in root.iter(etree.Element) if etree.QName(e).localname == "Document")
    body = next(iter(document.iterchildren(etree.Element)))
    space, brace, _ = body.tag.rpartition("}")
    extension = etree.SubElement(body, f"{space}{brace}SplmtryData")
    for report in [c for c in body.iterchildren(etree.Element) if c is not extension]:
        extension.append(etree.fromstring(etree.tostring(report)))
    return etree.tostring(root)


VARIANTS: Final[dict[str, Variant]] = {
    "utf-16": _utf_16,
    "utf-32": _utf_32,
    "utf-8 with byte order mark": _utf_8_with_mark,
    "latin-1": _latin_1,
    "ascii with references": _ascii,
    "prefixed": _prefixed,
    "indented": _indented,
    "on one line": _on_one_line,
    "comments and instructions between": _with_comments_between,
    "cdata": _with_cdata,
    "enveloped": _in_an_envelope,
    "extension": _with_an_extension,
}


def _said(message: Message) -> tuple[object, ...]:
    return message.message, message.version, message.group_header, message.reports


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS.keys())
def test_every_writing_of_a_sample_says_the_same(
    varied_sample: str, variant: Variant, payload_of: Payload
) -> None:
    payload = payload_of(varied_sample)
    assert _said(read(variant(payload))) == _said(read(payload))


def test_equal_messages_are_equal_and_hash_alike(notification: str) -> None:
    first, second = read(notification.encode()), read(notification.encode())
    assert first == second
    assert hash(first) == hash(second)


def test_amounts_that_are_equal_have_equal_text(bent: Callable[..., bytes]) -> None:
    padded = read(bent((">1234.50", ">+0001234.500"), (">1234.50", ">\t1234.5000000\n")))
    plain = read(bent())
    assert padded == plain
    assert str(padded.reports[0].entries[0].amount) == str(plain.reports[0].entries[0].amount)


def test_one_comment_between_elements_is_one_finding(bent: Callable[..., bytes]) -> None:
    message = read(bent(("<Ntry>", "<!-- a --><Ntry><!-- b --><?c?>")))
    noted = [f for f in message.findings if f.code is FindingCode.MARKUP_BETWEEN_ELEMENTS]
    assert len(noted) == 1


@given(whole=st.integers(0, 10**13 - 1), cents=st.integers(0, 99), zeros=st.integers(0, 6))
def test_every_spelling_of_an_amount_is_the_amount(whole: int, cents: int, zeros: int) -> None:
    from recon_streams.iso20022.amounts import decimal_of  # noqa: PLC0415  # one test's business

    spelled = f"{'0' * zeros}{whole}.{cents:02d}{'0' * zeros}"
    assert decimal_of(spelled, "Amt") == decimal_of(f" +{whole}.{cents:02d}\t", "Amt")
    assert decimal_of(spelled, "Amt") * 100 == whole * 100 + cents
