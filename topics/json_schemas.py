"""JSON Schema 2020-12 for each topic, made from its record types."""

import inspect
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import msgspec

from topics.contract import TopicContract
from topics.examples import EXAMPLES

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
VERSION: Final = 1

_ATTRIBUTES: Final = re.compile(r"^Attributes:\n(?P<block>(?:[ ]{4}.*\n?|\n)+)", re.MULTILINE)
_ATTRIBUTE: Final = re.compile(r"^[ ]{4}(?P<name>\w+): (?P<text>.*(?:\n[ ]{8}.*)*)", re.MULTILINE)


@cache
def summary_of(record_type: type) -> str:
    """Return the docstring of `record_type` without its list of attributes, on one line."""
    return " ".join(_ATTRIBUTES.sub("", inspect.getdoc(record_type) or "").split())


@cache
def meanings_of(record_type: type) -> Mapping[str, str]:
    """Return what each field of `record_type` means, from the docstrings of it and its bases."""
    meanings: dict[str, str] = {}
    for level in reversed(record_type.__mro__):
        block = _ATTRIBUTES.search(inspect.cleandoc(level.__doc__ or "") + "\n")
        for attribute in _ATTRIBUTE.finditer(block["block"] if block else ""):
            meanings[attribute["name"]] = " ".join(attribute["text"].split())
    return MappingProxyType(meanings)


def definitions_of(
    record_types: tuple[type[msgspec.Struct], ...], *, reference: str
) -> dict[str, dict[str, Any]]:
    """Return the schema of each record type and of everything it refers to, by name.

    Args:
        record_types: The records of one topic or of several.
        reference: Where definitions live, such as `#/$defs/{name}`.
    """
    _, found = msgspec.json.schema_components(record_types, ref_template=reference)
    described = {definition.__name__: definition for definition in _reachable(record_types)}
    return {
        name: _with_meanings(schema, described[name]) if name in described else schema
        for name, schema in sorted(found.items())
    }


def schema_of(contract: TopicContract) -> dict[str, Any]:
    """Return the schema of the values of a JSON topic, complete in one document.

    It stays open: fields it does not name are allowed, because they are ignored.
    """
    return {
        "$schema": DIALECT,
        "$id": f"urn:recon-streams:topic:{contract.name}:v{VERSION}",
        "title": contract.name,
        "description": contract.summary,
        "anyOf": [{"$ref": f"#/$defs/{record.__name__}"} for record in contract.record_types],
        "$defs": definitions_of(contract.record_types, reference="#/$defs/{name}"),
    }


def _with_meanings(schema: dict[str, Any], record_type: type) -> dict[str, Any]:
    described = {**schema, "description": summary_of(record_type)}
    if "properties" not in schema:
        return described
    meanings = meanings_of(record_type)
    described["properties"] = {
        name: _described(value, meanings[name]) for name, value in schema["properties"].items()
    }
    if record_type in EXAMPLES:
        described["examples"] = [EXAMPLES[record_type]]
    return described


def _described(value: dict[str, Any], meaning: str) -> dict[str, Any]:
    """Return the property with its own meaning before the rule of the word it is spelled with."""
    rule = value.get("description")
    return {"description": f"{meaning} {rule}" if rule else meaning, **_without_rule(value)}


def _without_rule(value: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in value.items() if name != "description"}


def _reachable(record_types: tuple[type[msgspec.Struct], ...]) -> set[type]:
    """Return the record types and the structs and enumerations in their fields, at any depth."""
    found: set[type] = set()
    pending = [msgspec.inspect.type_info(record) for record in record_types]
    while pending:
        match pending.pop():
            case msgspec.inspect.Metadata(type=inner):
                pending.append(inner)
            case msgspec.inspect.StructType(cls=cls, fields=fields) if cls not in found:
                found.add(cls)
                pending += [field.type for field in fields]
            case msgspec.inspect.EnumType(cls=cls):
                found.add(cls)
            case msgspec.inspect.UnionType(types=types):
                pending += types
            case msgspec.inspect.VarTupleType(item_type=item):
                pending.append(item)
            case _:
                pass
    return found
