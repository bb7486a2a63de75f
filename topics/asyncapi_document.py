"""The AsyncAPI 3.0 document: the same contracts for tools that draw pages and generate code."""

from typing import Any, Final

import msgspec

from topics.catalogue import CATALOGUE, kafka_config
from topics.contract import JSON, Direction, TopicContract
from topics.examples import EXAMPLES
from topics.json_schemas import definitions_of, summary_of
from topics.xml_examples import XML_EXAMPLES

_VERSION: Final = "1.0.0"
_BINDING_VERSION: Final = "0.5.0"
_XML_MESSAGES: Final = {
    "bank.notifications": "Camt054",
    "bank.reports": "Camt052",
    "bank.statements": "Camt053",
}


def asyncapi_document() -> dict[str, Any]:
    """Return the document, complete in itself."""
    records = tuple(record for contract in CATALOGUE for record in contract.record_types)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "recon-streams topics",
            "version": _VERSION,
            "description": "What recon-streams reads and writes. Receive is what it reads.",
            "license": {
                "name": "Apache-2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
        },
        "defaultContentType": JSON,
        "channels": {contract.name: _channel(contract) for contract in CATALOGUE},
        "operations": {_operation_name(contract): _operation(contract) for contract in CATALOGUE},
        "components": {
            "messages": {
                name: message
                for contract in CATALOGUE
                for name, message in _messages(contract).items()
            },
            "schemas": {
                name: _without_mapping(schema)
                for name, schema in definitions_of(
                    records, reference="#/components/schemas/{name}"
                ).items()
            },
        },
    }


def _channel(contract: TopicContract) -> dict[str, Any]:
    aliases = ", ".join(f"`{alias}`" for alias in contract.aliases)
    also = f"\n\nAlso read from {aliases}." if aliases else ""
    return {
        "address": contract.name,
        "summary": contract.summary,
        "description": f"{contract.promise}\n\n{contract.when_wrong}{also}",
        "messages": {
            name: {"$ref": f"#/components/messages/{name}"} for name in _messages(contract)
        },
        "bindings": {"kafka": _kafka_binding(contract)},
    }


def _kafka_binding(contract: TopicContract) -> dict[str, Any]:
    config = kafka_config(contract)
    settings: dict[str, Any] = {"cleanup.policy": [contract.cleanup_policy]}
    for name in ("retention.ms", "max.message.bytes"):
        if name in config:
            settings[name] = int(config[name])
    return {
        "topic": contract.name,
        "partitions": contract.partitions,
        "topicConfiguration": settings,
        "bindingVersion": _BINDING_VERSION,
    }


def _operation_name(contract: TopicContract) -> str:
    verb = "receive" if contract.direction is Direction.INPUT else "send"
    return f"{verb}.{contract.name}"


def _operation(contract: TopicContract) -> dict[str, Any]:
    receives = contract.direction is Direction.INPUT
    return {
        "action": "receive" if receives else "send",
        "channel": {"$ref": f"#/channels/{contract.name}"},
        "summary": contract.summary,
    }


def _messages(contract: TopicContract) -> dict[str, dict[str, Any]]:
    if contract.record_types:
        return {record.__name__: _message(contract, record) for record in contract.record_types}
    name = _XML_MESSAGES[contract.name]
    return {
        name: {
            **_envelope(contract, name, contract.summary),
            "payload": {"type": "string", "description": "The XML document itself, in bytes."},
            "examples": [{"name": name, "payload": XML_EXAMPLES[contract.name]}],
        }
    }


def _message(contract: TopicContract, record: type[msgspec.Struct]) -> dict[str, Any]:
    return {
        **_envelope(contract, record.__name__, summary_of(record)),
        "payload": {"$ref": f"#/components/schemas/{record.__name__}"},
        "examples": [{"name": record.__name__, "payload": EXAMPLES[record]}],
    }


def _envelope(contract: TopicContract, name: str, summary: str) -> dict[str, Any]:
    headers = {each: {"type": "string", "description": said} for each, said in contract.headers}
    required = {"type": "object", "required": list(headers), "properties": headers}
    return {
        "name": name,
        "title": name,
        "summary": summary,
        "contentType": contract.content_type,
        **({"headers": required} if headers else {}),
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": contract.key},
                "bindingVersion": _BINDING_VERSION,
            }
        },
    }


def _without_mapping(schema: dict[str, Any]) -> dict[str, Any]:
    """Return `schema` without `discriminator`, which AsyncAPI spells otherwise than OpenAPI."""
    return {name: part for name, part in schema.items() if name != "discriminator"}
