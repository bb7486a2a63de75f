"""Which message it is: the Document inside its envelope, its namespace, its body."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from recon_streams.iso20022.file_page import is_page, page_of
from recon_streams.iso20022.leaves import text_of
from recon_streams.iso20022.safe_xml import Element, local_name, namespace_of
from recon_streams.iso20022.values import FilePage
from recon_streams.kernel.refusal import RefusalCode, Refused

# BizMsgEnvlp, RequestPayload and the like put one or two levels around a Document.
_ENVELOPE_DEPTH_MAX: Final = 3

_OFFICIAL: Final = re.compile(
    r"urn:iso:std:iso:20022:tech:xsd:(camt\.05[234])\.001\.([0-9]{2})", re.ASCII
)
# Misspelled (iso:20023) and private namespaces that still say which message they mean.
_RECOGNISABLE: Final = re.compile(r".{0,200}\b(camt\.05[234])\.001\.([0-9]{2})", re.ASCII)

BODIES: Final = {
    "BkToCstmrAcctRpt": "camt.052",
    "BkToCstmrAcctRptV01": "camt.052",
    "BkToCstmrStmt": "camt.053",
    "BkToCstmrStmtV01": "camt.053",
    "BkToCstmrDbtCdtNtfctn": "camt.054",
    "BkToCstmrDbtCdtNtfctnV01": "camt.054",
}


class Document(msgspec.Struct, frozen=True):
    """One message found in its envelope.

    Attributes:
        element: The `Document`.
        body: Its only child of meaning, in the same namespace.
        message: "camt.052", "camt.053" or "camt.054".
        version: Two digits, "" where the namespace says nothing.
        namespace: As written, "" if there is none.
        is_official: Whether the namespace is one of ISO 20022.
        header_name: `MsgDefIdr` of the business application header, if there is one.
        page: What the envelope says that marks a piece of a larger file.
    """

    element: Element
    body: Element
    message: str
    version: str
    namespace: str
    is_official: bool
    header_name: str | None
    page: FilePage | None = None


def document_of(root: Element) -> Document:
    """Return the one message that the tree at `root` holds.

    Raises:
        Refused: UNKNOWN_MESSAGE if it is not a camt.052, 053 or 054, or contradicts itself;
            DUPLICATE_FIELD for a second Document, body or page; what `page_of` raises.
    """
    known = _plain_document(root)
    if known is not None:
        return known
    page: FilePage | None = None
    if is_page(root):
        page = page_of(root)
        root = _content_of(root)
    documents: list[Element] = []
    header_name: str | None = None
    for element in _enveloped(root, _ENVELOPE_DEPTH_MAX):
        if local_name(element) == "Document":
            documents.append(element)
        elif header_name is None:
            header_name = text_of(element, "AppHdr")
    if not documents:
        raise _unknown("a camt.052, camt.053 or camt.054 has the element Document")
    if len(documents) > 1:
        rule = "a message holds one Document"
        raise Refused(RefusalCode.DUPLICATE_FIELD, "Document", rule)
    return _identified(documents[0], header_name, page)


def _content_of(page: Element) -> Element:
    contents = [child for child in page if local_name(child)]
    if len(contents) != 1:
        raise _unknown("a page holds one message")
    return contents[0]


def _identified(document: Element, header_name: str | None, page: FilePage | None) -> Document:
    namespace = namespace_of(document)
    named = named_by(namespace)
    if namespace and not named.message:
        raise _unknown("the namespace of the Document names a camt.052, camt.053 or camt.054")
    body = _body_of(document, namespace)
    message = BODIES[local_name(body)]
    if named.message and named.message != message:
        raise _unknown("the namespace and the body of the Document name the same message")
    return Document(
        element=document,
        body=body,
        message=message,
        version=named.version,
        namespace=namespace,
        is_official=named.is_official,
        header_name=header_name,
        page=page,
    )


class Named(NamedTuple):
    """What a namespace says about the message in it; empty texts where it says nothing."""

    message: str
    version: str
    is_official: bool


# Namespaces come from strangers, so those that are rarely seen are forgotten again.
@lru_cache(maxsize=64)
def named_by(namespace: str) -> Named:
    """Return what `namespace` says about the message in it."""
    official = _OFFICIAL.fullmatch(namespace)
    match = official or _RECOGNISABLE.fullmatch(namespace)
    if match is None:
        return Named("", "", is_official=False)
    return Named(match[1], match[2], official is not None)


def _plain_document(root: Element) -> Document | None:
    """Return the message of a Document without an envelope that holds its body and nothing else."""
    if len(root) != 1:
        return None
    body = root[0]
    known = _named_by_tags(root.tag, body.tag)
    if known is None:
        return None
    named, namespace = known
    return Document(
        element=root,
        body=body,
        message=named.message,
        version=named.version,
        namespace=namespace,
        is_official=named.is_official,
        header_name=None,
    )


# The tags come from strangers as well.
@lru_cache(maxsize=64)
def _named_by_tags(tag: object, body_tag: object) -> tuple[Named, str] | None:
    """Return the namespace of both tags, and what it says, if they are a Document and its body."""
    if not isinstance(tag, str) or not isinstance(body_tag, str):
        return None
    namespace, closing, name = tag.rpartition("}")
    body_namespace, _, body_name = body_tag.rpartition("}")
    if not closing or name != "Document" or body_namespace != namespace:
        return None
    named = named_by(namespace[1:])
    is_plain = named.message and BODIES.get(body_name) == named.message
    return (named, namespace[1:]) if is_plain else None


def _enveloped(element: Element, depth: int) -> Iterator[Element]:
    """Yield every Document and the MsgDefIdr of every AppHdr, without looking inside a Document."""
    name = local_name(element)
    if is_page(element):
        rule = "a page is around everything else, and holds no other page"
        raise Refused(RefusalCode.DUPLICATE_FIELD, "Page", rule)
    if name == "Document":
        yield element
    elif name == "AppHdr":
        yield from (child for child in element if local_name(child) == "MsgDefIdr")
    elif depth:
        for child in element:
            yield from _enveloped(child, depth - 1)


def _body_of(document: Element, namespace: str) -> Element:
    bodies = [child for child in document if local_name(child) in BODIES]
    if not bodies:
        raise _unknown("a Document holds BkToCstmrAcctRpt, BkToCstmrStmt or BkToCstmrDbtCdtNtfctn")
    if len(bodies) > 1:
        rule = "a Document holds one message"
        raise Refused(RefusalCode.DUPLICATE_FIELD, local_name(bodies[1]), rule)
    if namespace_of(bodies[0]) != namespace:
        raise _unknown("all elements of a message are in the namespace of its Document")
    return bodies[0]


def _unknown(rule: str) -> Refused:
    return Refused(RefusalCode.UNKNOWN_MESSAGE, "", rule)
