"""The fields of an MT940 or MT942 as the maintained library finds them, before any is believed.

Its own conversion is not used: it counts with a context that rounds, moves 30 February to the 29th
and takes whatever stands where an amount should be. It is asked where a field begins and ends.
"""

import re
from typing import Any, Final

import msgspec
from mt940 import tags
from mt940.models import Transactions
from mt940.options import Options
from typing_extensions import override

from recon_streams.kernel.refusal import RefusalCode, Refused

# Blocks of the SWIFT envelope around a message: {1:...}{2:...}{4: ... -}.
_ENVELOPE: Final = re.compile(r"\{[1235]:[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|\{4:")
_MESSAGE: Final = re.compile(r"^:20:", re.MULTILINE)
_LINE: Final = re.compile(r"^:61:", re.MULTILINE)
_FIRST: Final = re.compile(rb"(?:\{[1-4]:|\s|-|\xef\xbb\xbf|[^\n]{0,80}\n){0,8}?:20:")

# The end of a message, which the library takes for a part of its last field.
_TRAILER: Final = re.compile(r"(?:^-\}?|\})[\x00-\x20]*$", re.MULTILINE)
_WITH_MONEY: Final = (
    tags.BalanceBase,
    tags.Statement,
    tags.FloorLimitIndicator,
    tags.SumEntries,
)


class Field(msgspec.Struct, frozen=True):
    """One field: the library's name for it, its parts, and what no part took."""

    name: str
    parts: dict[str, str | None]
    text: str
    rest: str


def looks_like_mt(payload: bytes) -> bool:
    """Whether `payload` begins as an MT940 or MT942 does."""
    return _FIRST.match(payload[:2048]) is not None


def messages_in(text: str) -> list[list[Field]]:
    """Return the fields of every message in `text`, which has the field 20 first.

    Raises:
        Refused: NOT_WELL_FORMED for a field in another form than the standard's.
    """
    text = _ENVELOPE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _TRAILER.sub("", text)
    starts = [match.start() for match in _MESSAGE.finditer(text)]
    ends = [*starts[1:], len(text)]
    return [_fields_of(text[start:end]) for start, end in zip(starts, ends, strict=bool(starts))]


def _fields_of(text: str) -> list[Field]:
    found = _Found()
    parser = Transactions(
        processors={f"{when}_{slug}": [] for when in ("pre", "post") for slug in _SLUGS},
        tags={key: _listening(tag, found) for key, tag in _TAGS.items()},
        options=Options.all(),
    )
    parser.parse(text)
    lines = sum(field.name == "Statement" for field in found.fields)
    if lines != len(_LINE.findall(text)):
        rule = "each line :61: is a field of its own"
        raise Refused(RefusalCode.NOT_WELL_FORMED, "Statement", rule)
    return found.fields


class _Found:
    """The fields of one message in their order."""

    def __init__(self) -> None:
        self.fields: list[Field] = []


def _listening(tag: tags.Tag, found: _Found) -> tags.Tag:
    """Return a tag that finds what `tag` finds, keeps it as text, and converts nothing."""
    base = type(tag)

    class Listening(base):  # type: ignore[misc, valid-type]  # one class for each tag of the library
        """Keeps the parts of a field."""

        @override
        def parse(self, transactions: Transactions, value: str) -> dict[str, str | None]:
            text = value
            if isinstance(self, tags.Statement):
                # Details of some banks go on for more lines than the library allows.
                first, _, details = value.partition("\n")
                text = f"{first}\n{details.replace(chr(10), ' ')}" if details else first
            # Not the library's own parse, which writes what it cannot read into a log.
            match = self.re.match(text)
            parts: dict[str, str | None]
            if match is not None:
                parts, rest = match.groupdict(), text[match.end() :]
            elif isinstance(self, _WITH_MONEY):
                rule = "each field has the form that the SWIFT standard gives it"
                raise Refused(RefusalCode.NOT_WELL_FORMED, base.__name__, rule)
            else:
                # Banks break these lines and leave parts out; no money depends on them.
                parts, rest = {"statement_number": value}, ""
            found.fields.append(Field(base.__name__, parts, value, rest))
            return parts

        @override
        def __call__(self, transactions: Transactions, value: dict[str, Any]) -> dict[str, Any]:
            return {"id": "seen"} if isinstance(self, tags.Statement) else {}

    return Listening()


_TAGS: Final = dict(Transactions.default_tags())
_SLUGS: Final = sorted({tag.slug for tag in _TAGS.values()})
