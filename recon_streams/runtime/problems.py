"""What is wrong with a file somebody wrote: where, what, and what to write instead; all at once."""

import re
from difflib import get_close_matches
from typing import Final

import msgspec

CARET_WIDTH_MAX: Final = 60
LINE_WIDTH_MAX: Final = 200
NAME_WIDTH_MAX: Final = 80

_RED: Final = "\x1b[1;31m"
_PLAIN: Final = "\x1b[0m"

# The lines a YAML parser counts; `str.splitlines` also splits at form feeds and others.
_LINE_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")

# What follows such a key on its line, and the user information of any address, is a secret
# wherever it stands: the line above an error is shown too.
_SECRETS: Final = (
    re.compile(r"(?i)\b(?:dsn|url|[a-z_]*(?:passw|secret)[a-z_]*)[\"']?\s*[:=]\s*(?P<secret>.+)"),
    re.compile(r"://(?P<secret>\S*)@"),
)


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong.

    Attributes:
        place: `recon.yaml:6:7`, or the variable or option it came from.
        path: The setting, dotted, with list positions from 0: `accounts[0].limits.minor_percent`.
        message: What is wrong and what to write.
        line: The line it stands on, from 1; 0 if it does not come from a file.
        column: Where on that line, from 1.
        width: How many characters are meant.
    """

    place: str
    path: str
    message: str
    line: int = 0
    column: int = 0
    width: int = 1


class ConfigurationInvalid(Exception):
    """A file, the environment or the options say something that cannot be."""

    def __init__(self, problems: tuple[Problem, ...], source: str = "") -> None:
        super().__init__("1 error" if len(problems) == 1 else f"{len(problems)} errors")
        self.problems = problems
        self._lines = _LINE_BREAK.split(source)

    def render(self, *, color: bool = False) -> str:
        """Return every problem with the lines it stands on, secrets blotted out."""
        parts = [self._render_one(problem, color=color) for problem in self.problems]
        return "\n".join([*parts, str(self)])

    def _render_one(self, problem: Problem, *, color: bool) -> str:
        red, plain = (_RED, _PLAIN) if color else ("", "")
        path = f"{problem.path}: " if problem.path else ""
        said = _printable(without_secrets(f"{path}{problem.message}"))
        head = f"{_printable(problem.place)}  {red}error{plain}  {said}"
        if not 0 < problem.line <= len(self._lines):
            return head
        # A line of a machine's making may be a megabyte long; what is meant has to be in sight.
        first = max(0, problem.column - LINE_WIDTH_MAX // 2)
        shown = [
            f"{number:>4} | {self._line(number)[first : first + LINE_WIDTH_MAX]}".rstrip()
            for number in range(max(1, problem.line - 1), problem.line + 1)
        ]
        indent = " " * (problem.column - 1 - first)
        caret = f"{red}{'^' * min(problem.width, CARET_WIDTH_MAX)}{plain}"
        return "\n".join([head, *shown, f"     | {indent}{caret}"])

    def _line(self, number: int) -> str:
        return _printable(without_secrets(self._lines[number - 1]))


def without_secrets(text: str) -> str:
    """Return `text` with everything that looks like a secret as asterisks of the same width."""
    for pattern in _SECRETS:
        text = pattern.sub(_blotted, text)
    return text


def did_you_mean(name: str, known: list[str]) -> str:
    """Return a suggestion for an unknown name, with what is known if nothing is close."""
    close = get_close_matches(name[:NAME_WIDTH_MAX], known, n=1)
    if close:
        return f"unknown key, did you mean {close[0]}?"
    return f"unknown key; known are {', '.join(sorted(known))}"


def dotted(location: tuple[str | int, ...]) -> str:
    """Return a location as a person writes it: `accounts[0].limits`."""
    text = ""
    for step in location:
        name = f"[{step}]" if isinstance(step, int) else str(step)[:NAME_WIDTH_MAX]
        text += f".{name}" if text and not isinstance(step, int) else name
    return text


def _blotted(found: re.Match[str]) -> str:
    start, end = (at - found.start() for at in found.span("secret"))
    whole = found.group()
    return whole[:start] + re.sub(r"\S", "*", whole[start:end]) + whole[end:]


def _printable(text: str) -> str:
    """Return `text` without what moves the cursor of a terminal, each replaced by one character."""
    return "".join(
        c if c.isprintable() else " " if c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


class AddressInUse(Exception):
    """Somebody else listens where the side server should."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"{host}:{port} is taken; set telemetry.port, or --telemetry-port 0 for any free one"
        )
