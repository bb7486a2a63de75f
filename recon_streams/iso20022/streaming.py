"""The reader for files that do not fit in memory: the same values and refusals, entry by entry.

Entries are read as they close and then dropped from the tree, so memory holds one entry and the
heads of reports. What departs from the reader of whole messages is a bug, except for validity: the
schema of a message is not checked without the message.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from lxml import etree
from lxml.etree import _Element

from recon_streams.iso20022.document import BODIES, Document, document_of
from recon_streams.iso20022.plain import plain_in
from recon_streams.iso20022.plain_entries import entry_of
from recon_streams.iso20022.reader import REPORT_NAMES, head_of
from recon_streams.iso20022.reading import Reading
from recon_streams.iso20022.reports import report_of
from recon_streams.iso20022.safe_xml import (
    BYTES_MAX,
    Element,
    feed,
    local_name,
    namespace_of,
    pull_parser,
    refusal_of,
    refuse_doctype,
)
from recon_streams.iso20022.values import Entry, Finding, Message, Report
from recon_streams.kernel.refusal import RefusalCode, Refused

FILE_BYTES_MAX: Final = 4_000_000_000

# So much without the end of an entry would have to be held as a tree, as a whole message is.
_UNBROKEN_BYTES_MAX: Final = BYTES_MAX
# Elements around the entries; a real report has a head of some dozens.
_KEPT_MAX: Final = 10_000
_EVENTS: Final = ("Document", "Rpt", "Stmt", "Ntfctn", "Ntry")


class Listener:
    """Hears of a message while it streams by; this one does nothing."""

    def see_entry(self, element: Element, entry: Entry | None) -> None:
        """Hear of an entry as it closes; None for it once something is refused."""

    def see_stranger(self) -> None:
        """Hear that an element is called like an entry or a report, and is none of this message."""

    def see_report(self, element: Element, report: Report | None) -> None:
        """Hear of a report as it closes; neither argument has entries any more."""

    def see_document(self, document: Document) -> None:
        """Hear of the document at the end, when its reports are empty."""


def read_stream(
    chunks: Iterable[bytes],
    *,
    bytes_max: int = FILE_BYTES_MAX,
    listener: Listener | None = None,
    keeps_entries: bool = True,
) -> Message:
    """Return the message in `chunks`, one document.

    Args:
        chunks: Its bytes in order, in pieces of any size.
        bytes_max: Larger files are refused when that many bytes have been read.
        listener: Hears of each entry, each report, and at last of the document.
        keeps_entries: Whether the reports that are returned hold their entries.

    Raises:
        Refused: As `reader.read`; after the last byte, so that what is not well-formed is said
            to be that.
    """
    stream = _Stream(listener or Listener(), keeps_entries=keeps_entries)
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > bytes_max:
            raise Refused(RefusalCode.TOO_LARGE, "", f"at most {bytes_max} bytes")
        stream.feed(chunk)
    if not size:
        raise Refused(RefusalCode.EMPTY_VALUE, "", "a message has content")
    return stream.close()


class _Stream:
    """One message while it arrives."""

    def __init__(self, listener: Listener, *, keeps_entries: bool) -> None:
        self._parser = pull_parser(*_EVENTS)
        self._listener = listener
        self._keeps_entries = keeps_entries
        self._document: Element | None = None
        self._message = self._namespace = ""
        self._report_tag = ""
        self._report: _OpenReport | None = None
        self._reports: list[Report] = []
        self._findings: list[tuple[Finding, ...]] = []
        self._refusal: Refused | None = None
        self._unbroken = 0

    def feed(self, chunk: bytes) -> None:
        """Take in `chunk` and read the entries that end in it."""
        feed(self._parser, chunk)
        self._unbroken += len(chunk)
        for event, element in self._parser.read_events():
            assert isinstance(element, _Element), "only starts and ends are asked for"
            self._hear(event, element)
        if self._report is not None:
            self._report.drop_read()
        if self._unbroken > _UNBROKEN_BYTES_MAX:
            rule = f"an entry within {_UNBROKEN_BYTES_MAX} bytes"
            raise Refused(RefusalCode.TOO_LARGE, "", rule)

    def close(self) -> Message:
        """Return the message, now that all of it is there."""
        try:
            root = self._parser.close()
        except etree.XMLSyntaxError as error:
            raise refusal_of(error) from None
        refuse_doctype(root)
        document = document_of(root)
        self._listener.see_document(document)
        reading = Reading(document.message, document.namespace)
        header, elements = head_of(document, reading, validate=False)
        if self._refusal is not None:
            raise self._refusal
        assert len(elements) == len(self._reports), "every report was read as it closed"
        for findings in self._findings:
            for finding in findings:
                reading.note(finding.code, finding.path, finding.text)
        return Message(
            message=document.message,
            version=document.version,
            group_header=header,
            reports=tuple(self._reports),
            findings=reading.findings,
            page=document.page,
        )

    def _hear(self, event: str, element: Element) -> None:
        report = self._report
        if report is not None and element.tag == report.entry_tag:
            if element.getparent() is not report.element:
                self._listener.see_stranger()
            elif event == "end":
                self._unbroken = 0
                self._read_entry(report, element)
        elif report is not None and element is report.element:
            self._close_report(report)
            self._report = None
        elif local_name(element) == "Document":
            if event == "start" and self._document is None:
                refuse_doctype(element)
                self._document = element
        elif event == "start" and not self._opens_report(element):
            self._listener.see_stranger()

    def _opens_report(self, element: Element) -> bool:
        """Whether `element`, which has just begun, is a report, which is open from now on."""
        body = element.getparent()
        if self._report is not None or body is None or body.getparent() is not self._document:
            return False
        if not self._reports and not self._message and self._document is not None:
            self._message = BODIES.get(local_name(body), "")
            self._namespace = namespace_of(self._document)
        name = local_name(element)
        is_ours = name == REPORT_NAMES.get(self._message)
        if not is_ours or not namespace_of(element) == self._namespace == namespace_of(body):
            return False
        path = f"{name}[{len(self._reports) + 1}]"
        self._report = _OpenReport(element, path, Reading(self._message, self._namespace))
        return True

    def _read_entry(self, report: "_OpenReport", element: Element) -> None:
        entry: Entry | None = None
        if self._refusal is None and report.refusal is None:
            try:
                path = f"{report.path}/Ntry[{report.count + 1}]"
                entry = entry_of(element, path, report.reading, report.plain)
            except Refused as refusal:
                report.refusal = refusal
        self._listener.see_entry(element, entry)
        report.take(element, entry if self._keeps_entries else None)

    def _close_report(self, open_report: "_OpenReport") -> None:
        open_report.drop_all()
        element, path = open_report.element, open_report.path
        report: Report | None = None
        if self._refusal is None:
            reading = Reading(self._message, self._namespace)
            try:
                report = report_of(element, path, reading)
                self._refusal = open_report.refusal
            except Refused as refusal:
                # A whole message is refused at its first fault, and a head comes before entries.
                self._refusal = refusal
            self._findings += [reading.findings, open_report.reading.findings]
        if self._refusal is not None:
            report = None
        if report is not None:
            report = msgspec.structs.replace(report, entries=tuple(open_report.entries))
            self._reports.append(report)
        self._listener.see_report(element, report)
        del element[:]
        element.text = None


class _OpenReport:
    """A report whose end has not come."""

    def __init__(self, element: Element, path: str, reading: Reading) -> None:
        self.element, self.path, self.reading = element, path, reading
        self.plain = plain_in(reading.message, reading.namespace)
        namespace = namespace_of(element)
        self.entry_tag = f"{{{namespace}}}Ntry" if namespace else "Ntry"
        self.count = 0
        self.entries: list[Entry] = []
        self.refusal: Refused | None = None
        self._read: list[Element] = []

    def take(self, element: Element, entry: Entry | None) -> None:
        self.count += 1
        if entry is not None:
            self.entries.append(entry)
        self._read.append(element)

    def drop_read(self) -> None:
        """Drop what was read but its last element, to which the parser may still add a tail."""
        if len(self._read) > 1:
            # Entries stand together, as a rule, and are then taken out with one call.
            first = self.element.index(self._read[0])
            last = self._read.pop()
            if self.element.index(last) == first + len(self._read):
                del self.element[first : first + len(self._read)]
            else:
                self._remove()
            self._read = [last]
        if len(self.element) > _KEPT_MAX:
            rule = f"at most {_KEPT_MAX} elements in a report beside its entries"
            raise Refused(RefusalCode.TOO_LARGE, self.path, rule)

    def drop_all(self) -> None:
        """Drop all entries, at the end of the report."""
        self._remove()
        self._read.clear()

    def _remove(self) -> None:
        for element in self._read:
            self.element.remove(element)


def pieces(payload: bytes, size: int) -> Iterator[bytes]:
    """Yield `payload` in pieces of `size` bytes."""
    for start in range(0, len(payload), size):
        yield payload[start : start + size]
