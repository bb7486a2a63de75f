"""The short way through a message: what is plainly written is read at once, anything else is not.

Nearly every element of nearly every message says one thing in the usual form, and to ask every
question of it costs more than to parse it. So entries and heads can be read in two ways. The plain
way takes the usual form and raises `NotPlain` at anything else, be it a fault or an oddity: it
refuses nothing, notes nothing, and needs no paths. The careful way then reads the same element from
its beginning, and whatever has to be said is said there. So the plain way may give up whenever it
likes, but what it does return is what the careful way returns, and without a finding.

It is made of tables. A tag that lxml hands out carries its namespace, so a table leads from the
whole tag of a child to its place in a list, in the order in which its shape names the children.
"""

from functools import lru_cache
from typing import Any, NoReturn

from typing_extensions import override

from recon_streams.iso20022 import shapes
from recon_streams.iso20022.amounts import XML_SPACE, known_money
from recon_streams.iso20022.leaves import BOOLEANS, DIRECTIONS, PLACEHOLDERS, Money
from recon_streams.iso20022.moments import Moment, moment_of
from recon_streams.iso20022.reading import Reading
from recon_streams.iso20022.safe_xml import Element
from recon_streams.iso20022.shapes import Shape
from recon_streams.iso20022.values import Direction, FindingCode


class NotPlain(Exception):
    """The element is to be read with care."""


class Table:
    """One shape in one namespace.

    Attributes:
        places: From the whole tag of a child to its place; those that may repeat come last.
        repeated_from: The first place of children that may repeat. The last place is for those
            that are not read but usual, which need not be asked for their namespace.
        blank: What is found where there is no child, in the order of the places.
        prefix: What the tag of every child begins with.
    """

    __slots__ = ("blank", "places", "prefix", "repeated_from")

    def __init__(self, shape: Shape, prefix: str, passed: str = "") -> None:
        names = (*shape.one_in_order, *shape.many_in_order)
        self.places = {prefix + name: place for place, name in enumerate(names)}
        self.places |= {prefix + name: len(names) for name in passed.split()}
        self.repeated_from = len(shape.one_in_order)
        # What is at a place, an element or elements, follows from the shape.
        repeated = len(shape.many_in_order) + 1
        self.blank: list[Any] = [None] * self.repeated_from + [()] * repeated
        self.prefix = prefix


class Plain(Reading):
    """The tables of one namespace, and a reading for the careful functions that hears no note."""

    __slots__ = (
        "account",
        "bank_code",
        "bic",
        "code",
        "detail",
        "domain",
        "entry",
        "entry_details",
        "family",
        "group_header",
        "header_tag",
        "iban",
        "identification",
        "institution",
        "last_page",
        "moment_tags",
        "one_code",
        "page_number",
        "parties",
        "period_end",
        "period_start",
        "prefix",
        "references",
        "remittance",
        "report",
        "sub_family",
        "transaction",
    )

    def __init__(self, message: str, namespace: str) -> None:
        super().__init__(message, namespace)
        prefix = f"{{{namespace}}}" if namespace else ""
        self.group_header = Table(shapes.GROUP_HEADER, prefix)
        self.report = Table(shapes.REPORT, prefix)
        self.account = Table(shapes.ACCOUNT, prefix)
        self.entry = Table(shapes.ENTRY, prefix, "AddtlNtryInf")
        self.entry_details = Table(shapes.ENTRY_DETAILS, prefix)
        self.bank_code = Table(shapes.BANK_CODE, prefix)
        self.detail = Table(shapes.DETAIL, prefix, "RltdAgts AddtlTxInf Purp RltdDts BkTxCd")
        self.references = Table(shapes.REFERENCES, prefix)
        self.parties = Table(shapes.PARTIES, prefix, "Dbtr Cdtr UltmtDbtr UltmtCdtr")
        self.remittance = Table(shapes.REMITTANCE, prefix)
        self.one_code = Table(shapes.ONE_CODE, prefix)
        self.prefix, self.header_tag = prefix, f"{prefix}GrpHdr"
        self.code, self.domain, self.family = f"{prefix}Cd", f"{prefix}Domn", f"{prefix}Fmly"
        self.sub_family, self.transaction = f"{prefix}SubFmlyCd", f"{prefix}TxDtls"
        self.identification, self.iban = f"{prefix}Id", f"{prefix}IBAN"
        self.institution, self.bic = f"{prefix}FinInstnId", f"{prefix}BICFI"
        self.page_number, self.last_page = f"{prefix}PgNb", f"{prefix}LastPgInd"
        self.period_start, self.period_end = f"{prefix}FrDtTm", f"{prefix}ToDtTm"
        self.moment_tags = frozenset({f"{prefix}Dt", f"{prefix}DtTm"})

    @override
    def note(self, code: FindingCode, path: str, text: str) -> NoReturn:
        """Give up: what is to be noted is not plain."""
        raise NotPlain


# A plain reading remembers nothing of a message, so all messages of a namespace may share it.
@lru_cache(maxsize=64)
def plain_in(message: str, namespace: str) -> Plain:
    """Return the plain reading of `message` in `namespace`."""
    return Plain(message, namespace)


def children_in(element: Element, table: Table) -> list[Any]:
    """Return the children of `element`, each at its place.

    Raises:
        NotPlain: For a second child where there may be one, and for what is not of the message.
    """
    found = table.blank[:]
    place_of = table.places.get
    # type: the stubs do not know slices. They hand out the children faster than a loop does.
    for child in element[:]:  # type: ignore[index]
        place = place_of(child.tag)
        if place is None:
            pass_over(child, table.prefix)
        elif found[place] is None:
            found[place] = child
        elif place < table.repeated_from:
            raise NotPlain
        elif found[place]:
            found[place].append(child)
        else:
            found[place] = [child]
    return found


def references_in(element: Element, table: Table) -> list[str | None]:
    """Return the references that the children of `element` hold, each at its place.

    Raises:
        NotPlain: As `children_in`, and for a child that holds more than text.
    """
    found: list[str | None] = table.blank[:]
    place_of = table.places.get
    for child in element[:]:  # type: ignore[index]  # as above
        place = place_of(child.tag)
        if place is None:
            pass_over(child, table.prefix)
            continue
        if found[place] is not None or len(child):
            raise NotPlain
        text = (child.text or "").strip(XML_SPACE)
        found[place] = "" if text.upper() in PLACEHOLDERS else text
    return found


def only_child(element: Element, tag: str) -> Element | None:
    """Return the child of `element` if it is the only one and is of `tag`."""
    if len(element) == 1:
        child = element[0]
        if child.tag == tag:
            return child
    return None


def two_children(element: Element, first_tag: str, second_tag: str) -> tuple[Element, Element]:
    """Return the children of `element`, which are these two.

    Raises:
        NotPlain: If they are not.
    """
    # type: as above.
    children: list[Element] = element[:]  # type: ignore[index, assignment]
    if len(children) != 2:  # noqa: PLR2004 - two is what the name says
        raise NotPlain
    first, second = children
    if first.tag != first_tag or second.tag != second_tag:
        raise NotPlain
    return first, second


def pass_over(child: Element, prefix: str) -> None:
    """Pass over an element of the message that is not read.

    Raises:
        NotPlain: If it is of another namespace, a comment or an instruction.
    """
    tag: object = child.tag
    if not isinstance(tag, str) or not tag.startswith(prefix) or (not prefix and tag[0] == "{"):
        raise NotPlain


def text_of(element: Element) -> str:
    """Return the text of an element that holds nothing else, "" if it is empty."""
    if len(element):
        raise NotPlain
    text = element.text
    return text.strip(XML_SPACE) if text else ""


def reference_of(element: Element | None) -> str | None:
    """Return the reference in `element`, None if there is none."""
    if element is None:
        return None
    if len(element):
        raise NotPlain
    text = (element.text or "").strip(XML_SPACE)
    return None if not text or text.upper() in PLACEHOLDERS else text


def money_of(element: Element) -> Money:
    """Return amount and currency, of no more decimals than the currency has."""
    currency = element.get("Ccy")
    amount = known_money(element.text, currency)
    if amount is None or len(element):
        raise NotPlain
    assert currency is not None, "an amount without a currency is not known"
    return amount, currency


def direction_of(element: Element) -> Direction:
    """Return the direction in `element`."""
    direction = DIRECTIONS.get(element.text or "")
    if direction is None or len(element):
        raise NotPlain
    return direction


def truth_of(element: Element) -> bool:
    """Return the truth in `element`."""
    truth = BOOLEANS.get(element.text or "")
    if truth is None or len(element):
        raise NotPlain
    return truth


def moment_in(element: Element, plain: Plain) -> Moment:
    """Return the day or instant in the only child of `element`."""
    if len(element) != 1:
        raise NotPlain
    child = element[0]
    moment = sure_moment(child.text)
    if moment is None or child.tag not in plain.moment_tags or len(child):
        raise NotPlain
    return moment


# A message says its day several times, and all messages of a day say the same one.
@lru_cache(maxsize=1024)
def sure_moment(text: str | None) -> Moment | None:
    """Return what `text` says if it is a day, or a time with its zone."""
    moment = moment_of(text or "")
    return moment if moment and (moment.at is None or moment.has_zone) else None
