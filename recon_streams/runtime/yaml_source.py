"""YAML with positions: what a file says, and at which line and column each thing is said.

A subset on purpose: no tags, anchors, merge keys, directives or duplicate keys, because each of
them lets a file mean something else than it seems to say.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.tokens import (
    AliasToken,
    AnchorToken,
    DirectiveToken,
    KeyToken,
    ScalarToken,
    TagToken,
    Token,
)

from recon_streams.runtime.problems import ConfigurationInvalid, Problem, dotted

Location = tuple[str | int, ...]

# Ten thousand accounts are five megabytes; past this the wrong file was named.
FILE_BYTES_MAX: Final = 16_000_000


class YamlSource:
    """One parsed file."""

    def __init__(self, name: str, text: str, data: CommentedMap) -> None:
        """Keep what was read; use `read_yaml`."""
        self.name = name
        self.text = text
        self.data = data

    def problem(self, location: Location, message: str, *, at_key: bool = False) -> Problem:
        """Return a problem at `location`, with the position of its value, or of its key."""
        line, column, width = self._position(location, at_key=at_key)
        return Problem(
            place=f"{self.name}:{line}:{column}",
            path=dotted(location),
            message=message,
            line=line,
            column=column,
            width=width,
        )

    def invalid(self, problems: list[Problem]) -> ConfigurationInvalid:
        """Return the error that shows `problems` in this file, from top to bottom."""
        ordered = sorted(problems, key=lambda problem: (problem.line, problem.column))
        return ConfigurationInvalid(tuple(ordered), self.text)

    def _position(self, location: Location, *, at_key: bool) -> tuple[int, int, int]:
        node: Any = self.data
        found = (0, 0, 1)
        for depth, step in enumerate(location):
            is_last = depth == len(location) - 1
            position = _position_in(node, step, at_key=at_key and is_last)
            if position is None:
                break  # the thing is missing: its surroundings are shown
            shown = str(step) if at_key and is_last else ""
            node = node[step]
            if not shown:
                shown = "" if isinstance(node, CommentedMap | CommentedSeq) else str(node)
            found = (*position, max(1, len(shown)))
        return found[0] + 1, found[1] + 1, found[2]


def read_yaml(path: Path) -> YamlSource:
    """Return what `path` says.

    Raises:
        ConfigurationInvalid: It cannot be read, is not YAML, or uses what is not allowed.
    """
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise _whole(path, f"the file cannot be read: {reason}") from error
    if len(content) > FILE_BYTES_MAX:
        raise _whole(path, f"the file is larger than {FILE_BYTES_MAX} bytes; is it the right one?")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        wrong = f"byte {error.start} is not UTF-8; save the file as UTF-8"
        # The cause would carry the whole file, secrets and all.
        raise _whole(path, wrong) from None
    return parse_yaml(path.name, text)


def parse_yaml(name: str, text: str) -> YamlSource:
    """Return what `text` says; `name` is what problems call it.

    Raises:
        ConfigurationInvalid: It is not YAML, or uses what is not allowed. Without a cause, as the
            parser's own words repeat values, and a value may be a secret.
    """
    try:
        _refuse_magic(name, text)
        data = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise _at(name, text, (line, column), _explained(error)) from None
    except ReaderError as error:
        before = text[: error.position].splitlines() or [""]
        message = f"the character U+{_code_of(error):04X} is not allowed; is it a text file?"
        raise _at(name, text, (len(before), len(before[-1]) + 1), message) from None
    except RecursionError:
        raise _at(name, text, (1, 1), "not YAML: blocks inside blocks, too deep") from None
    except (YAMLError, ValueError, TypeError):
        raise _at(name, text, (1, 1), "not YAML: some value cannot be read") from None
    if data is None:
        data = CommentedMap()
    if not isinstance(data, CommentedMap):
        raise _at(name, text, (1, 1), "write `key: value` lines at the top level")
    source = YamlSource(name, text, data)
    problems = [
        source.problem(location, "a key is text; write it in quotes", at_key=True)
        for location in _odd_keys(data, ())
    ]
    if problems:
        raise source.invalid(problems)
    return source


def _refuse_magic(name: str, text: str) -> None:
    before: Token | None = None
    for token in YAML(typ="rt").scan(text):
        wrong = None
        if isinstance(token, AliasToken | AnchorToken | TagToken):
            wrong = "tags, anchors and aliases are not allowed; write it out"
        elif isinstance(token, DirectiveToken):
            wrong = "directives are not allowed; this is YAML 1.2"
        elif isinstance(token, ScalarToken) and isinstance(before, KeyToken):
            wrong = "merge keys are not allowed; write it out" if token.value == "<<" else None
        if wrong is not None:
            where = (token.start_mark.line + 1, token.start_mark.column + 1)
            raise _at(name, text, where, wrong)
        before = token


def _odd_keys(node: object, location: Location) -> Iterator[Location]:
    """Yield where a key is no text: YAML also has numbers, dates, nothing and lists as keys."""
    if isinstance(node, CommentedMap):
        for key, value in node.items():
            if not isinstance(key, str):
                yield (*location, key)
            yield from _odd_keys(value, (*location, key))
    elif isinstance(node, CommentedSeq):
        for number, value in enumerate(node):
            yield from _odd_keys(value, (*location, number))


def _code_of(error: ReaderError) -> int:
    found = error.character
    return ord(found) if isinstance(found, str) else int(found)


def _explained(error: MarkedYAMLError) -> str:
    problem = str(error.problem or error.context or "not YAML").splitlines()[0]
    if "duplicate key" in problem:
        return "the key stands twice in this block; keep one"
    if "\\t" in problem:
        return "a tab; indent with spaces"
    return f"not YAML: {problem}"


def _position_in(node: Any, step: str | int, *, at_key: bool) -> tuple[int, int] | None:  # noqa: ANN401
    try:
        if isinstance(node, CommentedMap) and step in node:
            position = node.lc.key(step) if at_key else node.lc.value(step)
        elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            position = node.lc.item(step)
        else:
            return None
    except (KeyError, TypeError, AttributeError):
        return None
    return (position[0], position[1])


def _whole(path: Path, message: str) -> ConfigurationInvalid:
    return ConfigurationInvalid((Problem(place=str(path), path="", message=message),))


def _at(name: str, text: str, where: tuple[int, int], message: str) -> ConfigurationInvalid:
    line, column = where
    place = f"{name}:{line}:{column}"
    problem = Problem(place=place, path="", message=message, line=line, column=column)
    return ConfigurationInvalid((problem,), text)
