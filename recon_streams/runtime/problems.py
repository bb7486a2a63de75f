"""What is wrong with a file somebody wrote: where, what, and what to write instead; all at once."""

from difflib import get_close_matches
from typing import Final

import msgspec

CARET_WIDTH_MAX: Final = 60


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
        super().__init__(f"{len(problems)} errors")
        self.problems = problems
        self._lines = source.splitlines()

    def render(self) -> str:
        """Return every problem with the lines it stands on."""
        parts = [self._render_one(problem) for problem in self.problems]
        count = len(self.problems)
        return "\n".join([*parts, "1 error" if count == 1 else f"{count} errors"])

    def _render_one(self, problem: Problem) -> str:
        path = f"{problem.path}: " if problem.path else ""
        head = f"{problem.place}  error  {path}{problem.message}"
        if not 0 < problem.line <= len(self._lines):
            return head
        shown = [
            f"{number:>4} | {self._lines[number - 1]}"
            for number in range(max(1, problem.line - 1), problem.line + 1)
        ]
        caret = " " * (problem.column - 1) + "^" * min(problem.width, CARET_WIDTH_MAX)
        return "\n".join([head, *shown, f"     | {caret}"])


def did_you_mean(name: str, known: list[str]) -> str:
    """Return a suggestion for an unknown name, with what is known if nothing is close."""
    close = get_close_matches(name, known, n=1)
    if close:
        return f"unknown key, did you mean {close[0]}?"
    return f"unknown key; known are {', '.join(sorted(known))}"


def dotted(location: tuple[str | int, ...]) -> str:
    """Return a location as a person writes it: `accounts[0].limits`."""
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
