"""Validity against the official schema, as findings.

It tells a bank what to repair and says nothing about whether its message can be read.
"""

import re
import threading
from importlib.resources import files
from typing import Final

from lxml import etree
from lxml.etree import _LogEntry as LogEntry

from recon_streams.iso20022.document import Document
from recon_streams.iso20022.reading import Reading
from recon_streams.iso20022.safe_xml import Element, local_name, parse
from recon_streams.iso20022.values import FindingCode

ERRORS_MAX: Final = 5

_NUMBERED: Final = frozenset(["Rpt", "Stmt", "Ntfctn", "Bal", "Ntry", "NtryDtls", "TxDtls"])

_STEP: Final = re.compile(r"(?:[^:\[]+:)?([^:\[]+)(?:\[([0-9]+)\])?")
# What was expected comes from the schema, and is all of libxml2's message that is repeated: the
# rest quotes values.
_EXPECTED: Final = re.compile(r"Expected is (?:one of )?\( ([^()]*) \)\.\s*\Z")
_NAMESPACE: Final = re.compile(r"\{[^{}]*\}")
# The pattern of a value has braces as well; only a namespace has a colon between them.
_URI: Final = re.compile(r"\{[^{}]*:[^{}]*\}")


class _Schemas(threading.local):
    """Compiled schemas of one thread, because a schema object keeps the errors of its last run."""

    def __init__(self) -> None:
        self.compiled: dict[str, etree.XMLSchema | None] = {}


_schemas: Final = _Schemas()


def note_validity(document: Document, reading: Reading) -> None:
    """Note what in `document` departs from its schema, or that there is no schema for it."""
    schema = _schema_of(document)
    if schema is None:
        text = "no official schema for this namespace; the message was not validated"
        reading.note(FindingCode.SCHEMA_UNKNOWN, "Document", text)
    elif not schema.validate(document.element):
        # type: the stubs forget that a log can be iterated over.
        errors: list[LogEntry] = list(schema.error_log)  # type: ignore[call-overload]
        for error in errors[:ERRORS_MAX]:
            path = _readable_path(error.path or "", document.element)
            reading.note(FindingCode.SCHEMA_INVALID, path, _rule_of(error))


def violations_of(document: Document) -> tuple[str, ...] | None:
    """Return all that departs from the schema, in libxml2's words; None where there is no schema.

    The words quote values of the message, so they are for whoever holds the file, not for logs.
    """
    schema = _schema_of(document)
    if schema is None:
        return None
    if schema.validate(document.element):
        return ()
    # type: the stubs forget that a log can be iterated over.
    errors: list[LogEntry] = list(schema.error_log)  # type: ignore[call-overload]
    return tuple(_URI.sub("", str(error.message)) for error in errors)


def _schema_of(document: Document) -> etree.XMLSchema | None:
    """Return the schema, compiled on first use (4 ms), or None if there is none.

    Names are made of a message and two digits, so they name a file of ours and there are few.
    """
    if not document.is_official:
        return None
    name = f"{document.message}.001.{document.version}"
    if name not in _schemas.compiled:
        source = files("recon_streams.iso20022") / "schemas" / f"{name}.xsd"
        schema = etree.XMLSchema(parse(source.read_bytes())) if source.is_file() else None
        _schemas.compiled[name] = schema
    return _schemas.compiled[name]


def _rule_of(error: LogEntry) -> str:
    rule = str(error.type_name).removeprefix("SCHEMAV_")
    expected = _EXPECTED.search(str(error.message))
    if expected is None:
        return rule
    return f"{rule}: expected {_NAMESPACE.sub('', expected[1])}"


def _readable_path(path: str, document: Element) -> str:
    """Return libxml2's path with names for its numbers: `Ntfctn[1]/Ntry[2]/Amt`.

    It writes `*[3]` for the third child where a default namespace is in use, leaves the number
    out where it is 1, and begins with the Document and its body, which say nothing here.
    """
    names: list[str] = []
    current = document
    for step in path.strip("/").split("/")[1:]:
        match = _STEP.fullmatch(step)
        if match is None:
            break
        name, number = match[1], int(match[2] or 1)
        alike = [c for c in current if local_name(c) and name in ("*", local_name(c))]
        if number > len(alike):
            break
        current = alike[number - 1]
        names.append(_numbered(current))
    return "/".join(names[1:]) or "Document"


def _numbered(element: Element) -> str:
    name = local_name(element)
    if name not in _NUMBERED:
        return name
    number = 1 + sum(1 for _ in element.itersiblings(element.tag, preceding=True))
    return f"{name}[{number}]"
