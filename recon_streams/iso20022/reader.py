"""The reader of camt.052, 053 and 054: bytes of a bank in, values or a refusal out.

It is tolerant by structure and strict by meaning. Both shapes of every field are read whatever
version the namespace claims; amount, sign, currency and status are never guessed.
"""

import re
from functools import lru_cache
from typing import Final

from recon_streams.iso20022.document import Document, document_of
from recon_streams.iso20022.file_page import check_extent
from recon_streams.iso20022.plain import NotPlain, plain_in, two_children
from recon_streams.iso20022.reading import Reading
from recon_streams.iso20022.reports import group_header_of, report_of
from recon_streams.iso20022.safe_xml import BYTES_MAX, Element, local_name, parse
from recon_streams.iso20022.schema import note_validity
from recon_streams.iso20022.shapes import BODY
from recon_streams.iso20022.values import FindingCode, GroupHeader, Message
from recon_streams.kernel.refusal import RefusalCode, Refused

REPORT_NAMES: Final = {"camt.052": "Rpt", "camt.053": "Stmt", "camt.054": "Ntfctn"}

# Swiss banks mark "SPS/2.1/TEST" and "SPS/2.1/PROD" here; a test must never become money.
_TEST: Final = re.compile("(?<![A-Za-z])TEST(?![A-Za-z])", re.IGNORECASE)


def read(payload: bytes, *, validate: bool = True, bytes_max: int = BYTES_MAX) -> Message:
    """Return the message in `payload`.

    Args:
        payload: One XML document in any encoding that it declares, with or without an envelope.
        validate: Whether to check it against the official schema. A failure is a finding, never
            a refusal: nearly half of the public samples are invalid and carry real movements.
        bytes_max: Larger payloads are refused unread.

    Raises:
        Refused: With a code, the path of the element and the rule, for everything that cannot be
            read in one way only.
    """
    return message_of(document_of(parse(payload, bytes_max=bytes_max)), validate=validate)


def message_of(document: Document, *, validate: bool = True) -> Message:
    """Return what `document` says.

    Raises:
        Refused: As `read`.
    """
    reading = Reading(document.message, document.namespace)
    header, elements = head_of(document, reading, validate=validate)
    name = REPORT_NAMES[document.message]
    reports = [
        report_of(element, f"{name}[{number}]", reading)
        for number, element in enumerate(elements, start=1)
    ]
    if document.page is not None:
        check_extent(document.page, [len(report.entries) for report in reports])
    return Message(
        message=document.message,
        version=document.version,
        group_header=header,
        reports=tuple(reports),
        findings=reading.findings,
        page=document.page,
    )


def head_of(
    document: Document, reading: Reading, *, validate: bool
) -> tuple[GroupHeader, list[Element]]:
    """Return the header of `document` and the elements of its reports, which are not read yet.

    Raises:
        Refused: As `read`, for all that is outside the reports.
    """
    _note_origin(document, reading)
    name = REPORT_NAMES[document.message]
    header_element, elements, has_strangers = _children_of(document, reading)
    header = group_header_of(header_element, reading)
    _note_test(header, reading)
    if validate:
        note_validity(document, reading)
    name = REPORT_NAMES[document.message]
    if has_strangers:
        rule = f"a {document.message} holds {name} elements only"
        raise Refused(RefusalCode.UNKNOWN_MESSAGE, local_name(document.body), rule)
    if not elements:
        rule = "a message is about at least one account"
        raise Refused(RefusalCode.MISSING_FIELD, name, rule)
    return header, elements


def _children_of(
    document: Document, reading: Reading
) -> tuple[Element | None, list[Element], bool]:
    """Return the header, the reports, and whether there are reports of another message."""
    plain = plain_in(document.message, document.namespace)
    name = REPORT_NAMES[document.message]
    try:
        header, report = two_children(document.body, plain.header_tag, plain.prefix + name)
    except NotPlain:
        one, many = reading.split(document.body, BODY, "")
        return one.get("GrpHdr"), many.get(name, []), bool(many.keys() - {name})
    return header, [report], False


def _note_origin(document: Document, reading: Reading) -> None:
    if not document.is_official:
        text = "the namespace of an ISO 20022 message"
        reading.note(FindingCode.NAMESPACE_UNUSUAL, "Document", text)
    name = document.header_name
    if name and name != f"{document.message}.001.{document.version}":
        text = "MsgDefIdr names the message of the Document; the Document's namespace is believed"
        reading.note(FindingCode.HEADER_DISAGREES, "AppHdr/MsgDefIdr", text)


def _note_test(header: GroupHeader, reading: Reading) -> None:
    if header.additional_information and _is_test(header.additional_information):
        text = "the bank marks this message as a test"
        reading.note(FindingCode.TEST_MESSAGE, "GrpHdr/AddtlInf", text)


# A bank says the same in every message.
@lru_cache(maxsize=64)
def _is_test(information: str) -> bool:
    return _TEST.search(information) is not None
