"""Somebody at night copies a line of a runbook, or of an alert: it must be one that can be run."""

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from agents.cli.app import app
from agents.cli.main import load
from recon_streams.alerts.classes import RUNBOOKS, Component, runbook_of
from recon_streams.bridges.sink import runbook_url
from topics.alerts import Alert, AlertLinks, Severity

ROOT = Path(__file__).parents[2]
_LINE = re.compile(r"`recon-streams ([^`\n]+)`")
_FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EVIDENCE = re.compile(r'evidence=f?"recon-streams ([^"]+)"')
# Of the library beneath, which has no public name of its own.
_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
# What stands for a number, where a number is asked for.
_NUMBERS = frozenset({"ID", "NUMBER"})


def _lines_of(text: str) -> Iterator[str]:
    yield from _LINE.findall(text)
    for block in _FENCE.findall(text):
        for line in block.splitlines():
            if line.startswith("recon-streams "):
                yield line.removeprefix("recon-streams ").partition(" #")[0]


def _said() -> set[tuple[str, str]]:
    """Return every command line of the runbooks, and of the evidence that alerts name."""
    said = {
        (page.name, line)
        for page in (ROOT / RUNBOOKS).glob("*.md")
        for line in _lines_of(page.read_text())
    }
    for folder in ("agents", "recon_streams"):
        for source in (ROOT / folder).rglob("*.py"):
            for line in _EVIDENCE.findall(source.read_text()):
                plain = line.replace("{limit}", " --limit 20000")
                said.add((source.name, re.sub(r"\{[^}]*\}", "NUMBER", plain)))
    return said


def complaint_about(line: str) -> str | None:
    """Return why `line` would not be understood as it stands, or None; nothing is run."""
    load(())
    command: Any = get_command(app)
    words = ["1" if word in _NUMBERS else word for word in shlex.split(line)]
    while hasattr(command, "commands"):
        name = words.pop(0) if words else ""
        if name not in command.commands:
            return f"no command {name!r}"
        command = command.commands[name]
    try:
        context = command.make_context("recon-streams", list(words))
    except _USAGE_ERROR as error:
        return str(error) or type(error).__name__
    # `run sweep` would be understood: as the account `sweep`.
    arguments = [p.name for p in command.params if p.param_type_name == "argument"]
    for value in filter(None, (context.params.get(name) for name in arguments)):
        for each in value if isinstance(value, list | tuple) else [value]:
            if not re.search(r"[A-Z]|^\d+$", str(each)):
                return f"{each!r} is taken for an argument, and names nothing"
    return None


SAID = sorted(_said())


@pytest.mark.parametrize(("place", "line"), SAID)
def test_every_line_can_be_run_once_its_capitals_are_filled_in(place: str, line: str) -> None:
    assert complaint_about(line) is None, place


def test_enough_lines_were_found_to_trust_that_they_are_looked_at() -> None:
    assert len(SAID) > 25


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("breaker status", None),
        ("run sweep", "'sweep' is taken"),
        ("breaker reset request", "Missing"),
        ("breaker halt SCOPE", "no command 'halt'"),
        ("alerts list --klass X", "No such option"),
        ("alerts list --limit many", "valid integer"),
        ("matches", "no command ''"),
    ],
)
def test_a_line_that_cannot_be_run_is_noticed(line: str, complaint: str | None) -> None:
    found = complaint_about(line)
    assert found == complaint if complaint is None else complaint in (found or "")


@pytest.mark.parametrize(
    "base",
    [
        "https://wiki.example/recon",
        "https://git.example/bank/recon-streams/blob/main/",
        "https://wiki.example/recon/docs/",
    ],
)
@pytest.mark.parametrize("component", list(Component))
def test_the_setting_and_the_link_of_an_alert_lead_to_a_page_and_a_heading_that_exist(
    component: Component, base: str
) -> None:
    headings = re.findall(
        r"^## (.*)$", (ROOT / RUNBOOKS / f"{component.value}.md").read_text(), flags=re.MULTILINE
    )
    for heading in headings:
        alert = Alert(
            dedup_key="a",
            action="trigger",
            severity=Severity.ERROR,
            alert_class=heading,
            summary="s",
            source="time",
            at=datetime(2026, 11, 21, tzinfo=UTC),
            links=AlertLinks(runbook=runbook_of(component.value, heading)),
        )
        url = runbook_url(alert, base)
        assert url is not None
        above = base.rstrip("/").removesuffix("/docs")
        assert url.startswith(f"{above}/docs/runbooks/")
        page, _, anchor = url.removeprefix(f"{above}/").partition("#")
        assert (ROOT / page).exists()
        # As GitHub and GitLab name a heading of one word.
        assert anchor == heading.lower()
