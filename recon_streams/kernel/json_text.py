"""JSON from strangers: strict, bounded, and refused with the field and the rule.

`msgspec` checks types and patterns exactly, but takes the last of two equal keys in silence; a
message that says `amount` twice means two things, so it is refused before anybody reads one.
"""

import json
import re
from codecs import BOM_UTF8
from collections import Counter
from datetime import datetime
from typing import Any, Final, NoReturn, TypeVar, get_args

import msgspec

from recon_streams.kernel.json_rules import QUOTABLE, RULES
from recon_streams.kernel.money import parse_amount
from recon_streams.kernel.refusal import RefusalCode, Refused, excerpt
from topics.words import INSTANT_PATTERN

BYTES_MAX: Final = 65_536
DEPTH_MAX: Final = 32

_T = TypeVar("_T")
_AT: Final = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_MISSING: Final = re.compile(r"^Object missing required field `(?P<name>[^`]+)`")
_INSTANT: Final = re.compile(INSTANT_PATTERN)
# A string that never ends is one string to the end. Were it none, every quote in it would be tried
# as a beginning, and 64 kB of them would take seconds.
_STRING: Final = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKET: Final = re.compile(r"[\[\]{}]")


class _Number(str):
    """The digits of a JSON number, kept as they were written: no float, no limit on digits."""

    __slots__ = ()


class _SaidTwice(dict[str, Any]):
    """An object in which `name` stands more than once."""

    name = ""


def decode(payload: bytes, decoder: msgspec.json.Decoder[_T], *, bytes_max: int = BYTES_MAX) -> _T:
    """Return the record that `payload` spells; fields the contract does not name are ignored.

    Raises:
        Refused: with a JSON pointer to the field and the rule it breaks.
    """
    document = _document(payload, bytes_max)
    try:
        record = decoder.decode(payload)
    except msgspec.ValidationError as error:
        raise _refused(str(error), document, decoder) from error
    except msgspec.DecodeError as error:
        # What json.loads lets through and RFC 8259 does not advise: half of a surrogate pair.
        raise Refused(RefusalCode.NOT_JSON, "", "one JSON object in UTF-8", str(error)) from error
    _refuse_loose_instants(record, document)
    return record


def _document(payload: bytes, bytes_max: int) -> object:
    if not payload:
        raise Refused(RefusalCode.EMPTY_VALUE, "", "a record carries a JSON object")
    if len(payload) > bytes_max:
        raise Refused(
            RefusalCode.TOO_LARGE, "", f"at most {bytes_max} bytes", f"{len(payload)} bytes"
        )
    if payload[0] == 0:
        rule = "plain JSON, without the five bytes a schema registry's serializer puts before it"
        raise Refused(RefusalCode.NOT_JSON, "", rule)
    if payload.startswith(BOM_UTF8):
        rule = "one JSON object in UTF-8, without a byte order mark"
        raise Refused(RefusalCode.NOT_JSON, "", rule)
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        found = f"byte {payload[error.start]:#04x} at {error.start}"
        raise Refused(RefusalCode.NOT_JSON, "", "one JSON object in UTF-8", found) from error
    # Before parsing: how deep a parser gets depends on its caller's stack, and a verdict may not.
    if _is_too_deep(text):
        raise Refused(RefusalCode.TOO_DEEP, "", f"at most {DEPTH_MAX} levels of brackets")
    return _parsed(text)


def _is_too_deep(text: str) -> bool:
    if text.count("{") + text.count("[") <= DEPTH_MAX:
        return False
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket[0] in "{[" else -1
        if depth > DEPTH_MAX:
            return True
    return False


def _parsed(text: str) -> object:
    repeated: list[_SaidTwice] = []

    def as_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        entries = dict(pairs)
        if len(entries) == len(pairs):
            return entries
        counts = Counter(name for name, _ in pairs)
        twice = _SaidTwice(pairs)
        twice.name = next(name for name, count in counts.items() if count > 1)
        repeated.append(twice)
        return twice

    try:
        document = json.loads(
            text,
            object_pairs_hook=as_object,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        found = f"{error.msg}: line {error.lineno} column {error.colno}"
        raise Refused(RefusalCode.NOT_JSON, "", "one JSON object in UTF-8", found) from error
    if repeated:
        field = _pointer_to(repeated[0], document)
        rule = "each key stands once in its object"
        raise Refused(RefusalCode.DUPLICATE_KEY, field, rule)
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise Refused(RefusalCode.NOT_JSON, "", "JSON has no NaN and no Infinity", name)


def _pointer_to(target: _SaidTwice, document: object) -> str:
    """Return the JSON pointer (RFC 6901) of the repeated name, "" where a later one hides it."""
    pending: list[tuple[str, object]] = [("", document)]
    while pending:
        pointer, value = pending.pop()
        if value is target:
            return f"{pointer}/{_token(target.name)}"
        if isinstance(value, dict):
            pending += [(f"{pointer}/{_token(name)}", inner) for name, inner in value.items()]
        elif isinstance(value, list):
            pending += [(f"{pointer}/{index}", inner) for index, inner in enumerate(value)]
    return ""


def _token(name: str) -> str:
    return excerpt(name).replace("~", "~0").replace("/", "~1")


def _refuse_loose_instants(record: object, document: object) -> None:
    """Refuse what `msgspec` reads as an instant and the published pattern does not.

    A space for the `T`, an offset without its colon, and years whose UTC instant does not exist.
    """
    assert isinstance(document, dict), "records are objects; the decoder has said so"
    for name in getattr(record, "__struct_fields__", ()):
        if isinstance(getattr(record, name), datetime) and not _INSTANT.match(document[name]):
            code, rule = RULES[name]
            raise Refused(code, f"/{name}", rule, _found(document[name]))


def _refused(
    message: str,
    document: object,
    decoder: msgspec.json.Decoder[Any],
) -> Refused:
    at = _AT.search(message)
    pointer = re.sub(r"[.\[]", "/", at["path"]).replace("]", "") if at else ""
    if not isinstance(document, dict):
        rule = "a record carries one JSON object"
        # A text that is the whole message is the payload, and payloads are not quoted.
        found = "a string" if isinstance(document, str) else _found(document)
        return Refused(RefusalCode.WRONG_TYPE, "", rule, found)
    version = document.get("schema_version", _Number(1))
    if version != "1" or not isinstance(version, _Number):
        # Said first: in another version the other fields may rightly be other than expected.
        pointer = "/schema_version"
    elif missing := _MISSING.match(message):
        field = f"{pointer}/{missing['name']}"
        return Refused(RefusalCode.MISSING_FIELD, field, "the field is required")
    name = pointer.rpartition("/")[2]
    value = document.get(name)
    if name == "kind":
        rule = "one of " + ", ".join(f'"{kind}"' for kind in _kinds(decoder))
        return Refused(RefusalCode.UNKNOWN_KIND, pointer, rule, _found(value))
    if name == "amount" and isinstance(value, str) and not isinstance(value, _Number):
        _refuse_amount(value, pointer)
    if name in RULES:
        code, rule = RULES[name]
        return Refused(code, pointer, rule, _found(value) if name in QUOTABLE else "")
    # The text names types and bounds only, never the value.
    return Refused(RefusalCode.WRONG_TYPE, pointer, message[: at.start()] if at else message)


def _refuse_amount(text: str, pointer: str) -> None:
    """Refuse `text` with the more telling code, where there is one: its sign or its decimals."""
    parse_amount(text, field=pointer)


def _kinds(decoder: msgspec.json.Decoder[Any]) -> list[str]:
    return [str(record.__struct_config__.tag) for record in get_args(decoder.type)]


def _found(value: object) -> str:
    match value:
        case _Number():
            return f"{excerpt(value)} as a JSON number"
        case str():
            return f'"{excerpt(value)}"'
        case dict():
            return "an object"
        case list():
            return "an array"
        case None:
            return "null"
        case _:
            return str(value).lower()
