"""One file of a bank, looked at without a book: its figures, what is odd, or why it is refused."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from typing import Final

import msgspec
from typing_extensions import override

from recon_streams.bankfiles import printed
from recon_streams.bankfiles.delivery import READING_ERRORS, Delivered, Open
from recon_streams.bankfiles.mt940_inspection import inspect_mt, is_mt, oddities_of
from recon_streams.bankfiles.oddities import Oddities, OddityCode
from recon_streams.bankfiles.outline import outline_of
from recon_streams.bankfiles.printed import Printed
from recon_streams.bankfiles.reckoning import Reckoning, ReportFacts
from recon_streams.iso20022.document import Document, document_of, named_by
from recon_streams.iso20022.reader import REPORT_NAMES, message_of
from recon_streams.iso20022.safe_xml import Element, local_name, namespace_of, parse
from recon_streams.iso20022.schema import violations_of
from recon_streams.iso20022.streaming import Listener, read_stream
from recon_streams.iso20022.values import Entry, Message, Report
from recon_streams.kernel.refusal import RefusalCode, Refused

_CHUNK: Final = 1 << 20

# With one of these, what stands in the file can be read in two ways, and no figure is given.
_AMBIGUOUS: Final = frozenset({RefusalCode.MARKUP_IN_VALUE, RefusalCode.DUPLICATE_FIELD})


class Inspected(msgspec.Struct, frozen=True, kw_only=True):
    """The answer about one file, and what other files are compared with.

    Attributes:
        name: The file as delivered.
        shown: The answer, ready for JSON.
        type: camt.052, camt.053, camt.054, or "".
        reports: What can be compared.
    """

    name: str
    shown: Printed
    type: str = ""
    reports: tuple[ReportFacts, ...] = ()


def inspect_delivered(delivered: Delivered) -> Inspected:
    """Return what is in `delivered`; whatever its bytes are, it is an answer."""
    name = delivered.name
    if delivered.refusal is not None:
        return Inspected(name=name, shown={"file": name, **_refused(delivered.refusal)})
    if delivered.payload is not None:
        found, reckoning = _inspect_payload(delivered.payload)
    else:
        assert delivered.open is not None, "a delivery has bytes, an opener or a refusal"
        found, reckoning = _inspect_stream(delivered.open)
    return Inspected(
        name=name,
        shown={"file": name, **found},
        type=str(found.get("type") or ""),
        reports=tuple(reckoning.reports) if reckoning is not None else (),
    )


def inspect_bytes(payload: bytes) -> Printed:
    """Return what `payload`, one document, says."""
    return _inspect_payload(payload)[0]


def _inspect_payload(payload: bytes) -> tuple[Printed, Reckoning | None]:
    if is_mt(payload):
        return _inspect_mt(payload), None
    found: Printed = {
        "bytes": len(payload),
        "sha256": hashlib.sha256(payload).hexdigest(),
        **outline_of(payload),
        "non_ascii": not payload.isascii(),
        "crlf": b"\r\n" in payload,
        "doctype": False,
    }
    try:
        root = parse(payload)
    except Refused as refusal:
        found["doctype"] = refusal.code is RefusalCode.DOCTYPE_FORBIDDEN
        if refusal.code is RefusalCode.NOT_WELL_FORMED:
            found["parse_error"] = f"not well-formed: {refusal.detail}"
        return found | _refused(refusal), None
    try:
        document = document_of(root)
    except Refused as refusal:
        return found | _named(root) | _refused(refusal), None
    answer, reckoning = _inspect_document(document)
    return found | answer, reckoning


def _inspect_mt(payload: bytes) -> Printed:
    found, message, refusal = inspect_mt(payload)
    if refusal is not None:
        return found | _refused(refusal)
    assert message is not None, "a message or a refusal"
    return found | _findings_of(message, oddities_of(message))


def _inspect_document(document: Document) -> tuple[Printed, Reckoning]:
    reckoning = Reckoning()
    found = _head_of(document)
    message: Message | None = None
    refusal: Refused | None = None
    try:
        message = message_of(document)
    except Refused as error:
        refusal = error
    if refusal is None or refusal.code not in _AMBIGUOUS:
        _reckon(document, message, reckoning)
        found |= _figures_of(reckoning)
    assert refusal is not None or reckoning.is_printable, "what can be read can be printed"
    return found | _verdict(message, refusal, reckoning), reckoning


def _reckon(document: Document, message: Message | None, reckoning: Reckoning) -> None:
    elements = printed.each(document.body, REPORT_NAMES[document.message])
    for number, element in enumerate(elements):
        report = None if message is None else message.reports[number]
        for place, entry in enumerate(printed.each(element, "Ntry")):
            reckoning.see_entry(entry, None if report is None else report.entries[place])
        reckoning.see_report(element, report)


def _inspect_stream(opened: Open) -> tuple[Printed, Reckoning | None]:
    """Inspect a large file in bounded memory; the figures are the same."""
    chunks = _Chunks(opened)
    first = chunks.head()
    if is_mt(first):
        rule = "an MT940 or MT942 file is at most 4 MB"
        return _refused(Refused(RefusalCode.TOO_LARGE, "", rule)), None
    heard = _Heard()
    reckoning = heard.reckoning
    message: Message | None = None
    refusal: Refused | None = None
    try:
        message = read_stream(
            chunks,
            listener=heard,
            keeps_entries=False,
        )
    except Refused as error:
        refusal = error
    except READING_ERRORS as error:
        detail = type(error).__name__
        rule = "a file that can be read to its end"
        refusal = Refused(RefusalCode.UNREADABLE_FILE, "", rule, detail)
    outline: Printed = {
        "bytes": chunks.bytes,
        "sha256": chunks.digest.hexdigest(),
        **outline_of(first),
        "non_ascii": chunks.non_ascii,
        "crlf": chunks.crlf,
        "doctype": refusal is not None and refusal.code is RefusalCode.DOCTYPE_FORBIDDEN,
    }
    found = outline | heard.head
    if message is not None or (refusal is not None and refusal.code not in _AMBIGUOUS | _BROKEN):
        found |= _figures_of(reckoning)
    text = "too large to hold; the schema was not checked"
    reckoning.oddities.note(OddityCode.VALIDITY_UNCHECKED, "Document", text)
    return found | _verdict(message, refusal, reckoning), reckoning


_BROKEN: Final = frozenset(
    {
        RefusalCode.NOT_WELL_FORMED,
        RefusalCode.UNREADABLE_FILE,
        RefusalCode.DOCTYPE_FORBIDDEN,
        RefusalCode.ENTITY_FORBIDDEN,
        RefusalCode.TOO_LARGE,
        RefusalCode.TOO_DEEP,
    }
)


class _Heard(Listener):
    """Takes a message in while it streams by."""

    def __init__(self) -> None:
        self.reckoning = Reckoning()
        self.head: Printed = {}

    @override
    def see_entry(self, element: Element, entry: Entry | None) -> None:
        self.reckoning.see_entry(element, entry)

    @override
    def see_report(self, element: Element, report: Report | None) -> None:
        self.reckoning.see_report(element, report)

    @override
    def see_document(self, document: Document) -> None:
        self.head = _head_of(document, validate=False)


class _Chunks:
    """The bytes of a large file as they are read, with what is said about all of them."""

    def __init__(self, opened: Open) -> None:
        self._opened = opened
        self.bytes = 0
        self.digest = hashlib.sha256()
        self.non_ascii = self.crlf = False

    def head(self) -> bytes:
        with closing(self._opened()) as file:
            return file.read(1024)

    def __iter__(self) -> Iterator[bytes]:
        last = b""
        with closing(self._opened()) as file:
            while chunk := file.read(_CHUNK):
                self.bytes += len(chunk)
                self.digest.update(chunk)
                self.non_ascii = self.non_ascii or not chunk.isascii()
                self.crlf = self.crlf or b"\r\n" in last + chunk
                last = chunk[-1:]
                yield chunk


def _head_of(document: Document, *, validate: bool = True) -> Printed:
    found = _named(document.element)
    violations = violations_of(document) if validate else None
    if violations is not None:
        found["xsd_valid"] = not violations
    if violations:
        found |= {"xsd_errors": len(violations), "xsd_first_error": violations[0]}
    found["body"] = local_name(document.body)
    found["type"] = document.message
    found["group_header"] = printed.group_header(document.body)
    return found


def _named(element: Element) -> Printed:
    """Return what the names of `element`, a Document or a root that is none, say."""
    found: Printed = {}
    root = element.getroottree().getroot()
    if local_name(root) != "Document":
        found["envelope_root"] = local_name(root)
    namespace = namespace_of(element)
    named = named_by(namespace)
    found["namespace"] = namespace or None
    found["message"] = f"{named.message}.001.{named.version}" if named.message else None
    found["prefixed"] = element.prefix is not None
    return found


def _figures_of(reckoning: Reckoning) -> Printed:
    if not reckoning.is_printable:
        return {}
    statements = [facts.shown for facts in reckoning.reports]
    total = sum(int(str(each["entry_count"])) for each in statements)
    return {"statements": statements, "entry_total": total}


def _verdict(message: Message | None, refusal: Refused | None, reckoning: Reckoning) -> Printed:
    if refusal is not None or message is None:
        assert refusal is not None, "a message or a refusal"
        return _refused(refusal)
    reckoning.oddities.see_header(message.group_header)
    return _findings_of(message, reckoning.oddities)


def _findings_of(message: Message, oddities: Oddities) -> Printed:
    found = [_shown(each.code, each.path, each.text) for each in message.findings]
    found += [_shown(each.code, each.path, each.text) for each in oddities.found]
    return {"findings": found}


def _shown(code: str, path: str, text: str) -> Printed:
    return {"code": str(code), "path": path, "text": text}


def _refused(refusal: Refused) -> Printed:
    return {
        "refused": {
            "code": refusal.code.value,
            "field": refusal.field,
            "rule": refusal.rule,
            "detail": refusal.detail,
        }
    }
