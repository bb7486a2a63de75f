"""The connectors of an installation, from connectors.yaml, with the line of all that is wrong."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import pydantic
from pydantic import Field, StringConstraints

from recon_streams.connectors.http import HttpTerms
from recon_streams.connectors.mapping import BalanceMapping, is_pointer
from recon_streams.runtime.contradictions import is_loopback
from recon_streams.runtime.plain_words import plain_words
from recon_streams.runtime.problems import Problem, did_you_mean
from recon_streams.runtime.yaml_source import Location, YamlSource, read_yaml

_NAME: Final = r"^[a-z0-9][a-z0-9_-]{0,31}$"
# A connector stands under `connectors` and its name; what is deeper belongs to its mapping.
_DEPTH: Final = 2
_FIELDS: Final = frozenset({"account_id", "currency", "bank_account"})

_Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
_Words = Annotated[list[_Text], Field(min_length=1, max_length=20)]


class _Block(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", hide_input_in_errors=True)


class MappingBlock(_Block):
    """Which field of the answer says what."""

    balances: str = "/balances"
    kind: str | None = "/type"
    kinds: _Words = ["booked"]
    amount: str = "/amount"
    currency: str = "/currency"
    as_of: str = "/as_of"
    direction: str | None = None
    credits: _Words = ["CRDT", "credit", "CR", "C"]
    debits: _Words = ["DBIT", "debit", "DR", "D"]


class ConnectorBlock(_Block):
    """One bank."""

    address: _Text
    token_file: Path | None = None
    header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")] = "Authorization"
    scheme: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{0,32}$")] = "Bearer"
    ca_file: Path | None = None
    insecure_http: bool = False
    timeout_seconds: Annotated[int, Field(ge=1, le=60)] = 10
    attempts: Annotated[int, Field(ge=1, le=5)] = 3
    answer_bytes_max: Annotated[int, Field(ge=100, le=10_000_000)] = 65_536
    connections_max: Annotated[int, Field(ge=1, le=1_000)] = 32
    mapping: MappingBlock = MappingBlock()


class ConnectorsFile(_Block):
    """The whole file."""

    connectors: dict[Annotated[str, StringConstraints(pattern=_NAME)], ConnectorBlock]


def load_connectors(path: Path) -> tuple[HttpTerms, ...]:
    """Return the connectors that the file `path` names.

    Raises:
        ConfigurationInvalid: With every problem of the file.
    """
    return connectors_of(read_yaml(path))


def connectors_of(source: YamlSource) -> tuple[HttpTerms, ...]:
    """Return the connectors that a parsed file names.

    Raises:
        ConfigurationInvalid: With every problem of the file.
    """
    try:
        file = ConnectorsFile.model_validate(source.data)
    except pydantic.ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        raise source.invalid([_problem(source, each) for each in found]) from None
    problems = [
        source.problem(("connectors", name, *where), message)
        for name, block in file.connectors.items()
        for where, message in _wrong(block)
    ]
    if problems:
        raise source.invalid(problems)
    return tuple(_terms(name, block) for name, block in file.connectors.items())


def _problem(source: YamlSource, found: Any) -> Problem:  # noqa: ANN401 - pydantic's own dictionary
    where: Location = found["loc"]
    if found["type"] == "extra_forbidden":
        message = did_you_mean(str(where[-1]), _known_at(where[:-1]))
        return source.problem(where, message, at_key=True)
    return source.problem(where, plain_words(found))


def _known_at(block: Location) -> list[str]:
    """Return the keys that the block at this place may have."""
    if not block:
        return list(ConnectorsFile.model_fields)
    known = MappingBlock if block[-1] == "mapping" and len(block) > _DEPTH else ConnectorBlock
    return list(known.model_fields)


def _wrong(block: ConnectorBlock) -> Iterator[tuple[Location, str]]:
    yield from _wrong_address(block)
    for name in ("token_file", "ca_file"):
        path: Path | None = getattr(block, name)
        if path is not None and not os.access(path, os.R_OK):
            yield (name,), "no file that this program may read"
    for name in ("balances", "kind", "amount", "currency", "as_of", "direction"):
        pointer = getattr(block.mapping, name)
        if pointer is not None and not is_pointer(pointer):
            yield ("mapping", name), "write a JSON pointer, such as /balance/amount"


def _wrong_address(block: ConnectorBlock) -> Iterator[tuple[Location, str]]:
    parts = urlsplit(block.address)
    host = parts.hostname or ""
    if parts.scheme not in {"https", "http"} or not host or "{" in parts.netloc:
        yield ("address",), "write https://host/path; the host itself is fixed"
    elif parts.username or parts.password:
        yield ("address",), "no user and no password here; use token_file"
    elif parts.scheme == "http" and not block.insecure_http and not is_loopback(host):
        yield (
            ("address",),
            "http leaves the machine unprotected; write https, or insecure_http: true",
        )
    try:
        block.address.format(**dict.fromkeys(_FIELDS, ""))
    except (KeyError, IndexError, ValueError):
        names = ", ".join(f"{{{name}}}" for name in sorted(_FIELDS))
        yield ("address",), f"in braces only {names}"


def _terms(name: str, block: ConnectorBlock) -> HttpTerms:
    mapping = block.mapping
    return HttpTerms(
        name=name,
        address=block.address,
        token_file=block.token_file,
        header=block.header,
        scheme=block.scheme,
        ca_file=block.ca_file,
        timeout_seconds=block.timeout_seconds,
        attempts=block.attempts,
        answer_bytes_max=block.answer_bytes_max,
        connections_max=block.connections_max,
        mapping=BalanceMapping(
            balances=mapping.balances,
            kind=mapping.kind,
            kinds=tuple(mapping.kinds),
            amount=mapping.amount,
            currency=mapping.currency,
            as_of=mapping.as_of,
            direction=mapping.direction,
            credits=tuple(mapping.credits),
            debits=tuple(mapping.debits),
        ),
    )
