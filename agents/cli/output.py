"""How commands answer: a table for people, JSON for programs; talk goes to stderr."""

from enum import StrEnum, unique
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

out = Console(highlight=False)
talk = Console(stderr=True, highlight=False)


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


def print_json_lines(values: Any) -> None:  # noqa: ANN401 - any iterable of what JSON can spell
    """Print each of `values` as one line of JSON."""
    for value in values:
        typer.echo(msgspec.json.encode(value).decode())


def table(*columns: str, title: str | None = None) -> Table:
    """Return an empty table that fits a terminal and reads well when it is piped."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


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
