"""The pages of commands, settings and refusals, generated so that no page disagrees with the code.

`python -m agents.cli.reference write` writes them, `check` exits 5 and names those that drifted.
"""

import sys
from collections.abc import Iterator
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from typer.main import get_command

from agents.cli.app import app
from agents.cli.main import load
from agents.cli.settings_page import settings_page
from recon_streams.kernel import refusal_reference
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.runtime.exit_codes import ExitCode

_WORDS: Final = {
    bool: "", int: "integer", Path: "path", str: "text", date: "date", datetime: "date",
}  # fmt: skip

ROOT: Final = Path(__file__).resolve().parents[2]
COMMANDS_PAGE: Final = "docs/reference/cli.md"
SETTINGS_PAGE: Final = "docs/reference/configuration.md"

EXIT_MEANINGS: Final[dict[ExitCode, str]] = {
    ExitCode.OK: "Done, and nothing was found amiss.",
    ExitCode.FAILURE: "Not done; stderr says why.",
    ExitCode.USAGE: "The command line itself is wrong.",
    ExitCode.CONFIGURATION: "A setting or a file is wrong; stderr names each by line and column.",
    ExitCode.UNREACHABLE: "The book or the log did not answer; stderr says which address.",
    ExitCode.DIFFERENCES: "An audit or a comparison found something; it is listed on stdout.",
    ExitCode.REFUSED: "The book, the log or another process does not allow it; stderr says why.",
    ExitCode.PARTIAL: "Some of it was done.",
    ExitCode.FENCED: "Another worker owns the partition now; this one left.",
    ExitCode.LOST_RECORDS: "The log has records that it did not deliver.",
    ExitCode.STALLED: "Input waits and the position does not move.",
    ExitCode.DATABASE_GONE: "The book stayed away longer than `worker.database_retry_seconds`.",
    ExitCode.ASSERTION: "The program found itself wrong and stopped.",
    ExitCode.LOG_GONE: "The log stayed away longer than it is waited for.",
    ExitCode.STOP_TOO_SLOW: "A stop passed `worker.stop_deadline_seconds`.",
}

_PLACE: Final = ("--config", "--data", "--dsn", "--bootstrap")
_INTRODUCTION: Final = """\
<!-- Generated from agents/cli/ by `make docs`. Edit there, not here. -->

# Commands

Data goes to stdout, talk to stderr, and the exit code says how it ended. `-h` after any command
shows the same as this page.

## Where a command works

Settings come from a file, then the environment, then options; the later wins
([Configuration](configuration.md)). These options are the same everywhere:

| option | environment | meaning |
| --- | --- | --- |
"""
_OUTPUT: Final = """
Where a command has `-o`, it chooses the form of the answer: `table` for people, the default;
`json`, one indented document; `jsonl`, one object per line, which is one item of a list, or all of
what is none. What is piped is never folded: a row is a line.
"""


def commands_page() -> str:
    """Return the page of commands in Markdown; no terminal has a say in it."""
    load(())
    commands = list(_commands(get_command(app), ()))
    shared = {
        parameter.opts[0]: parameter
        for _, command in commands
        for parameter in command.params
        if parameter.opts[0] in _PLACE
    }
    lines = [_INTRODUCTION.rstrip()]
    for option in _PLACE:
        parameter = shared[option]
        variable = f"`{parameter.envvar}`" if parameter.envvar else ""
        lines.append(f"| `{option}` | {variable} | {parameter.help} |")
    lines.append(_OUTPUT.rstrip())
    for path, command in commands:
        lines += ["", *_section(path, command)]
    lines += ["", "## Exit codes", "", "| code | name | meaning |", "| --- | --- | --- |"]
    lines += [f"| {c.value} | {c.name} | {EXIT_MEANINGS[c]} |" for c in ExitCode]
    return "\n".join(lines) + "\n"


def generate() -> dict[str, bytes]:
    """Return the content of every generated page by its path relative to the repository."""
    return {
        COMMANDS_PAGE: commands_page().encode(),
        SETTINGS_PAGE: settings_page().encode(),
        refusal_reference.PAGE: refusal_reference.page().encode(),
    }


def drifted(root: Path) -> list[str]:
    """Return the generated pages under `root` that are missing or differ."""
    return [
        path
        for path, content in generate().items()
        if not (root / path).is_file() or (root / path).read_bytes() != content
    ]


def write(root: Path) -> list[str]:
    """Bring the generated pages under `root` up to date, and return those that changed."""
    changed = drifted(root)
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(generate()[path])
    return changed


def main(arguments: list[str]) -> int:
    """Run `write` or `check` on the repository this file is in, and return the exit code."""
    match arguments:
        case ["write"]:
            sys.stdout.writelines(f"wrote {path}\n" for path in write(ROOT))
            return ExitCode.OK
        case ["check"]:
            paths = drifted(ROOT)
            sys.stderr.writelines(
                f"{path} is not what the code says; run `make docs`\n" for path in paths
            )
            return ExitCode.DIFFERENCES if paths else ExitCode.OK
        case _:
            sys.stderr.write("usage: python -m agents.cli.reference write|check\n")
            return ExitCode.USAGE


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 - typer's tree has no public types
    # Commands register when their modules are loaded, in whatever order that happens.
    for name, child in sorted(command.commands.items()):
        if hasattr(child, "commands"):
            yield from _commands(child, (*path, name))
        else:
            yield (*path, name), child


def _section(path: tuple[str, ...], command: Any) -> Iterator[str]:  # noqa: ANN401 - as above
    types = get_type_hints(command.callback)
    arguments = [p for p in command.params if not p.opts[0].startswith("-")]
    options = [p for p in command.params if p.opts[0].startswith("-")]
    own = [p for p in options if p.opts[0] not in _PLACE or p.required]
    place = [f"`{p.opts[0]}`" for p in options if p not in own]
    usage = " ".join(("recon-streams", *path, *(_usage(a) for a in arguments)))
    yield f"## {' '.join(path)}"
    yield ""
    yield f"`{usage}{' [options]' if options else ''}`"
    yield ""
    yield " ".join(command.help.split())
    if arguments or own:
        yield from ("", "| | value | default | meaning |", "| --- | --- | --- | --- |")
        for parameter in (*arguments, *own):
            yield _row(parameter, types[parameter.name])
    if place:
        yield from ("", f"Also {', '.join(place)}: [where](#where-a-command-works).")


def _usage(argument: Any) -> str:  # noqa: ANN401 - as above
    name = argument.name.upper() + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def _row(parameter: Any, annotation: Any) -> str:  # noqa: ANN401 - as above
    names = (*parameter.opts, *parameter.secondary_opts)
    is_argument = not names[0].startswith("-")
    shown = f"`{names[0].upper()}`" if is_argument else ", ".join(f"`{name}`" for name in names)
    default = "required" if parameter.required else ""
    if parameter.default not in (None, False):
        value = parameter.default
        default = f"`{value.value if isinstance(value, Enum) else value}`"
    return f"| {shown} | {_value(annotation)} | {default} | {parameter.help or ''} |"


def _value(annotation: Any) -> str:  # noqa: ANN401 - any annotation
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(each for each in get_args(annotation) if each is not type(None))
    if get_origin(annotation) is list:
        return f"{_value(get_args(annotation)[0])}, several"
    if annotation is RefusalCode:
        return "a [refusal](refusals.md) code"
    if issubclass(annotation, Enum):
        return " ".join(f"`{member.value}`" for member in annotation)
    return _WORDS[annotation]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
