"""The only place where bytes of strangers become a tree.

Every option below closes a door that has been used: entities and DTDs read files and change
amounts, `huge_tree` lifts the limits of depth and length, and `collect_ids=False`, which passes
for a speed-up, makes libxml2 load external DTDs again whatever else is set. It must never appear.
"""

import threading
from typing import Any, Final, TypeAlias

from lxml import etree
from lxml.etree import _Element

from recon_streams.kernel.refusal import RefusalCode, Refused

# lxml has no public name for the type of its elements.
Element: TypeAlias = _Element

BYTES_MAX: Final = 50_000_000

_ENTITY_ERRORS: Final = frozenset(
    {etree.ErrorTypes.ERR_UNDECLARED_ENTITY, etree.ErrorTypes.ERR_ENTITY_LOOP}
)


# Comments and instructions stay in the tree. Were they removed, `1<!-- -->000` would read as 1000
# here and as 1 in a reader that stops at the comment, under one signature.
_OPTIONS: Final[dict[str, Any]] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "attribute_defaults": False,
    "huge_tree": False,
    "recover": False,
    "remove_comments": False,
    "remove_pis": False,
    "remove_blank_text": True,
}


class _Parsers(threading.local):
    """One parser per thread: a parser must not be shared, and a new one costs 3 microseconds."""

    def __init__(self) -> None:
        self.parser = etree.XMLParser(**_OPTIONS)


_parsers: Final = _Parsers()


def parse(payload: bytes, *, bytes_max: int = BYTES_MAX) -> Element:
    """Return the root of the document that `payload` holds.

    The encoding is the one the document declares, or its byte order mark. Comments and
    processing instructions are children of their elements.

    Raises:
        Refused: EMPTY_VALUE, TOO_LARGE (the document, or a text of 10 MB), TOO_DEEP (more than
            256 levels), ENTITY_FORBIDDEN, DOCTYPE_FORBIDDEN, or NOT_WELL_FORMED.
    """
    if not payload:
        raise Refused(RefusalCode.EMPTY_VALUE, "", "a message has content")
    if len(payload) > bytes_max:
        rule = f"at most {bytes_max} bytes"
        raise Refused(RefusalCode.TOO_LARGE, "", rule, f"{len(payload)} bytes")
    try:
        root = etree.fromstring(payload, _parsers.parser)
    except etree.XMLSyntaxError as error:
        raise refusal_of(error) from None
    refuse_doctype(root)
    return root


def pull_parser(*names: str) -> etree.XMLPullParser:
    """Return a parser for chunks that tells the start and end of elements with these local names.

    Its options are those of `parse`; what its `feed` and `close` raise goes through `refusal_of`.
    """
    tags = [f"{{*}}{name}" for name in names]
    return etree.XMLPullParser(events=("start", "end"), tag=tags, **_OPTIONS)


def feed(parser: etree.XMLPullParser, chunk: bytes) -> None:
    """Give `chunk` to `parser`.

    Some errors, an unknown entity among them, raise nothing here: the parser forgets what it has
    read and takes the next chunk for the start of a new document. So its complaints are looked at.

    Raises:
        Refused: NOT_WELL_FORMED, ENTITY_FORBIDDEN, TOO_LARGE or TOO_DEEP.
    """
    try:
        parser.feed(chunk)
    except etree.XMLSyntaxError as error:
        raise refusal_of(error) from None
    for complaint in parser.feed_error_log:
        if complaint.level >= etree.ErrorLevels.ERROR:
            where = f"line {complaint.line}, libxml2 error {complaint.type}"
            raise _refusal(complaint.type, complaint.message, where)


def refuse_doctype(element: Element) -> None:
    """Refuse the document of `element` if it declares a type.

    Raises:
        Refused: DOCTYPE_FORBIDDEN.
    """
    # The stubs know neither that there may be no internal DTD nor the name of a type.
    document: Any = element.getroottree().docinfo
    # Asked of the parser, because a search for the bytes misses it in UTF-16 and UTF-7. Every
    # declaration makes an internal DTD, be it an empty one.
    if document.internalDTD is not None:
        raise Refused(RefusalCode.DOCTYPE_FORBIDDEN, "", "a message declares no document type")


def local_name(element: Element) -> str:
    """Return the name of `element` without its namespace; "" for comments and instructions."""
    # The stubs say that every tag is text; a comment's is the function that makes comments.
    tag: object = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def namespace_of(element: Element) -> str:
    """Return the namespace of `element`, "" if it has none."""
    return element.tag[1:].partition("}")[0] if element.tag.startswith("{") else ""


def refusal_of(error: etree.XMLSyntaxError) -> Refused:
    """Translate libxml2's complaint. Its text is dropped: it quotes names and values."""
    code: int | None = getattr(error, "code", None)
    where = f"line {error.lineno}, column {error.offset}, libxml2 error {code}"
    return _refusal(code, error.msg or "", where)


def _refusal(code: int | None, message: str, where: str) -> Refused:
    if code in _ENTITY_ERRORS or "amplification" in message:
        rule = "no entities but the five of XML itself"
        return Refused(RefusalCode.ENTITY_FORBIDDEN, "", rule, where)
    if code == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
        if "depth" in message:
            return Refused(RefusalCode.TOO_DEEP, "", "at most 256 levels of elements", where)
        return Refused(RefusalCode.TOO_LARGE, "", "no text or attribute above 10 MB", where)
    return Refused(RefusalCode.NOT_WELL_FORMED, "", "a message is one well-formed document", where)
