"""One message while it is read: the names of its namespace, and what was odd so far."""

from typing import Final

from lxml.etree import _Comment as Comment
from lxml.etree import _ProcessingInstruction as Instruction

from recon_streams.iso20022.safe_xml import Element, local_name
from recon_streams.iso20022.shapes import Names, Shape, names_in
from recon_streams.iso20022.values import Finding, FindingCode
from recon_streams.kernel.refusal import RefusalCode, Refused

# A message of 50 MB may be odd in a million places; the first ones tell what is wrong.
FINDINGS_MAX: Final = 100

_ONCE: Final = frozenset(
    {FindingCode.MARKUP_BETWEEN_ELEMENTS, FindingCode.FOREIGN_ELEMENT, FindingCode.ZONE_MISSING}
)

_MARKUP: Final = (Comment, Instruction)

Children = dict[str, Element]
Repeated = dict[str, list[Element]]
_NONE_REPEATED: Final[Repeated] = {}


class Reading:
    """The state of reading one message."""

    __slots__ = ("_findings", "_names", "_noted", "message", "namespace")

    def __init__(self, message: str, namespace: str) -> None:
        self.message, self.namespace = message, namespace
        # Looked up when it is needed: most messages are read without.
        self._names: dict[Shape, Names] | None = None
        self._findings: list[Finding] = []
        self._noted: set[FindingCode] = set()

    def note(self, code: FindingCode, path: str, text: str) -> None:
        """Record a finding, up to a bound; some kinds once per message."""
        if code in _ONCE:
            if code in self._noted:
                return
            self._noted.add(code)
        if len(self._findings) < FINDINGS_MAX:
            self._findings.append(Finding(code, path, text))
        elif len(self._findings) == FINDINGS_MAX:
            text = f"only the first {FINDINGS_MAX} findings are kept"
            self._findings.append(Finding(FindingCode.FINDINGS_CUT, "", text))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was odd, in the order it was met."""
        return tuple(self._findings)

    def children(self, element: Element, shape: Shape, path: str) -> Children:
        """Return the children of `element` that `shape` names, each of which occurs once.

        Raises:
            Refused: DUPLICATE_FIELD, or UNKNOWN_MESSAGE for a child of another namespace whose
                name is one of `shape`.
        """
        # The loop of `split` once more, without what repeats: most elements hold single values.
        names = self._names_of(shape).one
        found: Children = {}
        for child in element:
            name = names.get(child.tag)
            if name is None:
                self._note_unread(child, shape, path)
            elif name in found:
                rule = "the element occurs at most once"
                raise Refused(RefusalCode.DUPLICATE_FIELD, _join(path, name), rule)
            else:
                found[name] = child
        return found

    def split(self, element: Element, shape: Shape, path: str) -> tuple[Children, Repeated]:
        """Return the children of `element` that occur once, and those that may repeat.

        Repeated ones keep their order. `path` is that of `element`.

        Raises:
            Refused: As `children`.
        """
        one_name, many_name = self._names_of(shape)
        found: Children = {}
        repeated = _NONE_REPEATED
        for child in element:
            tag = child.tag
            name = one_name.get(tag)
            if name is not None:
                if name in found:
                    rule = "the element occurs at most once"
                    raise Refused(RefusalCode.DUPLICATE_FIELD, _join(path, name), rule)
                found[name] = child
                continue
            name = many_name.get(tag)
            if name is None:
                self._note_unread(child, shape, path)
                continue
            if repeated is _NONE_REPEATED:
                repeated = {}
            repeated.setdefault(name, []).append(child)
        return found, repeated

    def _names_of(self, shape: Shape) -> Names:
        if self._names is None:
            self._names = names_in(self.namespace)
        return self._names[shape]

    def _note_unread(self, child: Element, shape: Shape, path: str) -> None:
        """Note what is not of this message; say nothing about what merely is not needed.

        An element of a known name in another namespace is refused: to skip it could lose an
        entry, and to read it could read an entry that belongs to an extension.
        """
        # The stubs say that every tag is text; a comment's is the function that makes comments.
        tag: object = child.tag
        prefix = f"{{{self.namespace}}}"
        if isinstance(tag, str) and tag.startswith(prefix):
            return
        if isinstance(child, _MARKUP):
            text = "comments and processing instructions are ignored between elements"
            self.note(FindingCode.MARKUP_BETWEEN_ELEMENTS, path or "Document", text)
            return
        name = local_name(child)
        if name in shape.one or name in shape.many:
            rule = "all elements of a message are in the namespace of its Document"
            raise Refused(RefusalCode.UNKNOWN_MESSAGE, _join(path, name), rule)
        if child.tag.startswith("{") or self.namespace:
            text = "an element of another namespace is ignored"
            self.note(FindingCode.FOREIGN_ELEMENT, path or "Document", text)


def required(children: Children, name: str, path: str) -> Element:
    """Return the child called `name`.

    Raises:
        Refused: MISSING_FIELD.
    """
    child = children.get(name)
    if child is None:
        raise Refused(RefusalCode.MISSING_FIELD, _join(path, name), "the element is mandatory")
    return child


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name
