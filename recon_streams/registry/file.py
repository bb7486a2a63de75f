"""The registry as a file: accounts.yaml, checked as a whole, with the line of everything wrong."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import pydantic

from recon_streams.kernel.calendars import Calendars
from recon_streams.registry.blocks import FORMS, AccountBlock, known_keys
from recon_streams.registry.checks import Wrong, problems_of, repetitions_of
from recon_streams.registry.conversion import definition_of
from recon_streams.registry.definition import AccountDefinition
from recon_streams.registry.remainder import Remainder
from recon_streams.runtime.plain_words import plain_words
from recon_streams.runtime.problems import Problem, did_you_mean
from recon_streams.runtime.yaml_source import Location, YamlSource, read_yaml

_SHARED: Final = (
    "limits", "clearing", "silence", "in_flight", "statements", "sweep", "calendar", "time_zone",
)  # fmt: skip
_BLOCK: Final = "write a block of `key: value` lines"
_QUOTES: Final = {"string_type": "write it in quotes; a bare number is read as a binary float"}


def load_accounts(path: Path, calendars: Calendars | None = None) -> tuple[AccountDefinition, ...]:
    """Return the accounts that the file `path` defines; `calendars` are those they may name.

    Raises:
        ConfigurationInvalid: With every problem of the file.
    """
    return accounts_of(read_yaml(path), calendars)


def accounts_of(
    source: YamlSource, calendars: Calendars | None = None
) -> tuple[AccountDefinition, ...]:
    """Return the accounts that a parsed file defines; without `calendars` no overlay is known.

    Raises:
        ConfigurationInvalid: With every problem of the file.
    """
    problems = _unknown_keys(source, (), ["accounts", "defaults"])
    defaults = source.data.get("defaults") or {}
    if isinstance(defaults, dict):
        problems += _unknown_keys(source, ("defaults",), list(_SHARED))
    else:
        problems.append(source.problem(("defaults",), _BLOCK))
        defaults = {}
    blocks = source.data.get("accounts")
    if not isinstance(blocks, list) or not blocks:
        problems.append(source.problem(("accounts",), "write a list of accounts"))
        blocks = []
    calendars = calendars or Calendars()
    found: list[tuple[Location, AccountDefinition]] = []
    for number, block in enumerate(blocks):
        if not isinstance(block, dict):
            problems.append(source.problem(("accounts", number), _BLOCK))
            continue
        overlay = _Overlay(source, number, block, defaults)
        definition = overlay.definition(problems, calendars)
        if definition is not None:
            found.append((("accounts", number), definition))
    problems.extend(source.problem(paths[0], message) for paths, message in repetitions_of(found))
    if problems:
        # What is wrong in the defaults is wrong in every account, and told once.
        raise source.invalid(list(dict.fromkeys(problems)))
    return tuple(definition for _, definition in found)


class _Overlay:
    """One account laid over the defaults, which remembers who wrote what."""

    def __init__(
        self, source: YamlSource, number: int, block: dict[str, Any], defaults: dict[str, Any]
    ) -> None:
        self._source = source
        self._location: Location = ("accounts", number)
        self._block = block
        self._defaults = {key: defaults[key] for key in _SHARED if key in defaults}

    def definition(self, problems: list[Problem], calendars: Calendars) -> AccountDefinition | None:
        """Add what is wrong to `problems`; return the account as far as it is one, or None."""
        said = {
            key: value
            for key, value in _merged(self._defaults, self._block).items()
            # A known key without a value says nothing; an unknown one is still a mistake.
            if value is not None or key not in AccountBlock.model_fields
        }
        said = _plain(said)
        try:
            account = AccountBlock.model_validate(said)
        except pydantic.ValidationError as error:
            found = error.errors(include_input=False, include_url=False)
            problems.extend(self._problem(each) for each in found)
            remainder = Remainder(said, [each["loc"] for each in found])
            return self._remaining(remainder, problems, calendars)
        problems.extend(self._problems_at(problems_of(account, calendars)))
        return definition_of(account)

    def _remaining(
        self, remainder: Remainder, problems: list[Problem], calendars: Calendars
    ) -> AccountDefinition | None:
        """Check what is left of an account without its right shape; return it if it has a name."""
        if remainder.account is None:
            return None
        found = problems_of(remainder.account, calendars)
        problems.extend(
            self._problems_at(
                wrong for wrong in found if not any(map(remainder.concerns, wrong.paths))
            )
        )
        return definition_of(remainder.account) if remainder.is_named else None

    def _problems_at(self, wrong: Iterable[Wrong]) -> Iterator[Problem]:
        for paths, message in wrong:
            yield self._source.problem(self._where(*paths), message)

    def _problem(self, found: Any) -> Problem:  # noqa: ANN401 - pydantic's own dictionary
        path: Location = found["loc"]
        if found["type"] == "extra_forbidden":
            message = did_you_mean(str(path[-1]), known_keys(path[:-1]))
            return self._source.problem(self._where(path), message, at_key=True)
        form = FORMS.get(str(found.get("ctx", {}).get("pattern")))
        message = form or plain_words(found, own=_QUOTES)
        return self._source.problem(self._where(path), message)

    def _where(self, *paths: Location) -> Location:
        """Return where the first of `paths` that somebody wrote stands."""
        for path in paths:
            if _stands(self._block, path):
                return (*self._location, *path)
        for path in paths:
            if _stands(self._defaults, path):
                return ("defaults", *path)
        return (*self._location, *paths[0])


def _unknown_keys(source: YamlSource, location: Location, known: list[str]) -> list[Problem]:
    block: Any = source.data
    for step in location:
        block = block.get(step) or {}
    return [
        source.problem((*location, key), did_you_mean(key, known), at_key=True)
        for key in block
        if key not in known
    ]


def _stands(node: Any, path: Location) -> bool:  # noqa: ANN401 - whatever YAML holds
    for step in path:
        is_inside = step in node if isinstance(node, dict) else False
        if isinstance(node, list) and isinstance(step, int):
            is_inside = step < len(node)
        if not is_inside or node[step] is None:
            return False
        node = node[step]
    return True


def _merged(default: Any, own: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
    """Return `own` over `default`, key by key; an empty value says nothing."""
    if not isinstance(default, dict) or not isinstance(own, dict):
        return default if own is None else own
    return {key: _merged(default.get(key), own.get(key)) for key in [*default, *own]}


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
    """Return `value` in Python's own types; the parser's remember how they were spelled."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value
