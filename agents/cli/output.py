"""How commands answer: a table for people, JSON for programs; talk goes to stderr."""

from collections.abc import Iterable
from enum import StrEnum, unique
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from agents.cli.layout import hanging

# A line is a line: what is piped keeps it whole, and a terminal shows it in as many as it needs.
out = Console(highlight=False, soft_wrap=True)
talk = Console(stderr=True, highlight=False, soft_wrap=True)


@unique
class Format(StrEnum):
    """What `-o` takes."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


FormatOption = Annotated[Format, typer.Option("-o", "--output", help="How to answer.")]


def print_json(value: Any) -> None:  # noqa: ANN401 - whatever JSON can spell
    """Print `value` as one indented JSON document."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_as(output: Format, value: Any, lines: Iterable[Any] | None = None) -> None:  # noqa: ANN401 - whatever JSON can spell
    """Print `value` as one JSON document, or as JSON lines.

    Args:
        output: JSON or JSONL.
        value: The whole answer.
        lines: What the lines are; by default the items of a list, and anything else is one line.
    """
    if output is Format.JSON:
        print_json(value)
        return
    if lines is None:
        lines = value if isinstance(value, list) else [value]
    for line in lines:
        typer.echo(msgspec.json.encode(line).decode())


def print_wrapped(markup: str, *, indent: int = 2) -> None:
    """Print a line; on a terminal that is too narrow in several, cut between words, indented."""
    line = Text.from_markup(markup)
    if not out.is_terminal:
        out.print(line)
        return
    for piece in hanging(line, out.width, indent=indent):
        out.print(piece)


def tier_style(tier: str) -> str:
    """Return the colour of a tier; the word itself always says it too."""
    return {
        "OK": "green",
        "MINOR": "yellow",
        "UNALLOCATED": "cyan",
        "SIGNIFICANT": "dark_orange",
        "UNKNOWN": "magenta",
        "CRITICAL": "bold red",
        "INTEGRITY": "bold red",
        "CLOSED": "green",
        "SUSPENDED": "dark_orange",
        "OPEN": "bold red",
    }.get(tier, "white")


def plain(text: str) -> str:
    """Return `text`, which others wrote, so that no bracket in it styles or breaks the output."""
    return escape(text)


def printable(payload: bytes) -> str:
    """Return `payload` as text that a terminal only shows: all but lines and tabs is escaped."""
    text = payload.decode("utf-8", "backslashreplace")
    return "\n".join(
        line if line.isprintable() else "".join(map(_printable, line)) for line in text.split("\n")
    )


def _printable(character: str) -> str:
    if character.isprintable() or character == "\t":
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"  # noqa: PLR2004 - Latin-1


def styled(word: str) -> str:
    """Return `word` in its colour."""
    return f"[{tier_style(word)}]{word}[/]"
