"""The reference page of all topics, in Markdown, for people who write producers and consumers."""

import json
from typing import Any, Final

import msgspec

from topics.catalogue import CATALOGUE
from topics.contract import TopicContract
from topics.examples import EXAMPLES
from topics.json_schemas import meanings_of, summary_of
from topics.xml_examples import XML_EXAMPLES

_INTRODUCTION: Final = """\
<!-- Generated from topics/ by `python -m topics.contracts write`. Edit there, not here. -->

# Topics

What recon-streams reads and writes. For machines: one JSON Schema per topic in
[`topics/schemas/`](../../topics/schemas/) and an AsyncAPI 3.0 document in
[`topics/asyncapi.json`](../../topics/asyncapi.json). How to write a producer:
[Publish ledger events](../how-to/publish-ledger-events.md).

## What holds for every JSON record

- One JSON object (RFC 8259) in UTF-8, without a byte order mark and without the five bytes a schema
  registry's serializer puts before it. At most 65,536 bytes and 32 levels of brackets.
- **Amounts are text.** `"1500.00"`, never `1500.00`: JSON numbers become binary floats on the way.
- **Instants carry an offset.** `2026-11-20T08:15:30Z` or `2026-11-20T12:15:30+04:00`.
- Integers are written without a point and without an exponent: `7`, not `7.0` or `7e0`.
- A key stands once in its object.
- Fields that are not named here are ignored, by us and, please, by you: new ones may be added at
  any time, always optional. Anything else is a new `schema_version`.
- No header is needed where the topic names none. The broker's append time counts as arrival.
- Topics are declared by `recon-streams topics apply` and never created by writing to them.
"""


def reference_page() -> str:
    """Return the page."""
    return "\n".join(
        [_INTRODUCTION, *_overview(), *(line for topic in CATALOGUE for line in _section(topic))]
    )


def _overview() -> list[str]:
    rows = [
        [f"[`{topic.name}`](#{_anchor(topic.name)})", topic.direction.value, topic.summary]
        for topic in CATALOGUE
    ]
    return ["## All topics", "", *_table(["Topic", "Direction", "A record says"], rows), ""]


def _section(topic: TopicContract) -> list[str]:
    facts = [
        ["Written by", ", ".join(topic.producers)],
        ["Read by", ", ".join(topic.consumers)],
        ["Key", topic.key],
        ["Value", topic.content_type],
        ["Partitions, unless configured", str(topic.partitions)],
        ["Kept", _kept(topic)],
    ]
    if topic.headers:
        said = (f"`{name}`: {meaning}" for name, meaning in topic.headers)
        facts.insert(4, ["Headers, one of each", "; ".join(said)])
    if topic.aliases:
        facts.insert(2, ["Also read from", ", ".join(f"`{alias}`" for alias in topic.aliases)])
    wrong = "When a record is wrong" if topic.direction == "input" else "What a reader must do"
    lines = [f"## {topic.name}", "", topic.summary, "", *_table(["", ""], facts), ""]
    lines += [f"**Promise.** {topic.promise}", "", f"**{wrong}.** {topic.when_wrong}"]
    if topic.direction == "input":
        lines[-1] += " All reasons: [Refusals](refusals.md)."
    lines.append("")
    return lines + (_records(topic) if topic.record_types else _xml_example(topic))


def _kept(topic: TopicContract) -> str:
    if topic.cleanup_policy == "delete":
        return f"{topic.retention.days} days" if topic.retention else "for ever"
    least = topic.compaction_lag_min
    earlier = f", and earlier ones for at least {least.days * 24} hours" if least else ""
    return f"the newest record per key for ever{earlier}"


def _xml_example(topic: TopicContract) -> list[str]:
    return ["An example:", "", "```xml", XML_EXAMPLES[topic.name].rstrip(), "```", ""]


def _records(topic: TopicContract) -> list[str]:
    _, definitions = msgspec.json.schema_components(topic.record_types, ref_template="{name}")
    names = [record.__name__ for record in topic.record_types]
    shared = _shared([definitions[name]["properties"] for name in names])
    lines: list[str] = []
    if shared:
        lines += ["### Fields of every record", ""]
        lines += _fields(topic.record_types[0], definitions, only=shared)
    for record in topic.record_types:
        own = set(definitions[record.__name__]["properties"]) - shared
        lines += [f"### {record.__name__}", "", summary_of(record), ""]
        lines += _fields(record, definitions, only=own)
        lines += ["```json", json.dumps(EXAMPLES[record], indent=2), "```", ""]
    for part in _parts(topic.record_types):
        every = set(definitions[part.__name__]["properties"])
        lines += [f"### {part.__name__}, inside", "", summary_of(part), ""]
        lines += _fields(part, definitions, only=every)
    return lines


def _shared(properties: list[dict[str, Any]]) -> set[str]:
    """Return the fields that read the same in every record, where there are several records."""
    first, *others = properties
    if not others:
        return set()
    return {name for name in first if all(first[name] == other.get(name) for other in others)}


def _parts(record_types: tuple[type[msgspec.Struct], ...]) -> list[type[msgspec.Struct]]:
    """Return the structs that stand inside the records."""
    found: list[type[msgspec.Struct]] = []
    for record in record_types:
        for field in msgspec.structs.fields(record):
            info = msgspec.inspect.type_info(field.type)
            inner = info.item_type if isinstance(info, msgspec.inspect.VarTupleType) else info
            if isinstance(inner, msgspec.inspect.StructType) and inner.cls not in found:
                found.append(inner.cls)
    return found


def _fields(
    record: type[msgspec.Struct], definitions: dict[str, Any], *, only: set[str]
) -> list[str]:
    schema, meanings = definitions[record.__name__], meanings_of(record)
    rows = []
    for name, value in schema["properties"].items():
        if name in only:
            needed = "required" if name in schema["required"] else _default(value)
            kind, rule = _kind_and_rule(value, definitions)
            rows.append([f"`{name}`", kind, needed, rule, meanings[name]])
    return [*_table(["Field", "Type", "", "Rule", "Meaning"], rows), ""] if rows else []


def _default(value: dict[str, Any]) -> str:
    default = value["default"]
    return "optional" if default in (None, (), [], {}) else f"default `{json.dumps(default)}`"


def _kind_and_rule(value: dict[str, Any], definitions: dict[str, Any]) -> tuple[str, str]:
    if "anyOf" in value:
        first, *_ = value["anyOf"]
        kind, rule = _kind_and_rule(first, definitions)
        return f"{kind} or null", rule
    if "$ref" in value:
        target = definitions[value["$ref"]]
        if "enum" in target:
            return "text", f"One of {_choices(target)}. {target.get('description', '')}".strip()
        return f"object: {value['$ref']}", ""
    if value.get("type") == "array":
        return f"list of {_kind_and_rule(value['items'], definitions)[0]}", ""
    if "enum" in value:
        kind = "text" if isinstance(value["enum"][0], str) else "integer"
        return kind, f"One of {_choices(value)}." if len(value["enum"]) > 1 else _choices(value)
    rule = value.get("description", "")
    if "minimum" in value:
        rule = f"{value['minimum']:,} to {value['maximum']:,}. {rule}".strip()
    return _kind(value), rule


def _kind(value: dict[str, Any]) -> str:
    if value.get("format") == "date-time":
        return "instant"
    kinds = {"string": "text", "integer": "integer", "object": "object", "boolean": "boolean"}
    return kinds.get(value.get("type", ""), "any JSON value")


def _choices(value: dict[str, Any]) -> str:
    return ", ".join(f"`{json.dumps(choice)}`" for choice in value["enum"])


def _anchor(name: str) -> str:
    return name.replace(".", "")


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]
