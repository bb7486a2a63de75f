"""What the documentation says is so: links lead somewhere, commands and settings exist."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from agents.cli.app import app
from agents.cli.main import load
from agents.cli.reference import EXIT_MEANINGS, commands_page, drifted, main, write
from recon_streams.connectors.file import connectors_of
from recon_streams.matching.rules_file import rules_from_text
from recon_streams.registry.blocks import known_keys
from recon_streams.registry.calendar_file import calendars_of
from recon_streams.registry.file import accounts_of
from recon_streams.runtime.exit_codes import ExitCode
from recon_streams.runtime.metrics import Metrics
from recon_streams.runtime.settings import load_settings, settings_schema
from recon_streams.runtime.yaml_source import parse_yaml
from topics.catalogue import by_name

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("agents", "benchmarks", "config", "docs", "recon_streams", "tests", "topics")
README_LINES_MAX = 149
_GENERATED = ("docs/reference/",)

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.*?)#*$", re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")
_VARIABLE = re.compile(r"\bRECON__?[A-Z_]+")
# Read by tests and fault drills only, so no setting of the program.
_VARIABLES_OF_TESTS = {"RECON_FAULTPOINT", "RECON_STORM", "RECON_TEST_KAFKA"}
_MAKE = re.compile(r"\bmake ([a-z]+)\b")


class Said(NamedTuple):
    """A command as a page says it."""

    page: str
    words: tuple[str, ...]


def pages() -> list[Path]:
    below = [page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md")]
    return sorted([*ROOT.glob("*.md"), *below])


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _own_pages() -> list[Path]:
    return [page for page in pages() if not _name(page).startswith(_GENERATED)]


def _prose(text: str) -> str:
    return _FENCE.sub("", text)


def _anchors(page: Path) -> set[str]:
    """Return what can be linked to in a page, as GitHub names it."""
    anchors: set[str] = set()
    for heading in _HEADING.findall(_prose(page.read_text())):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        repeated = (f"{slug}-{number}" for number in range(1, 99))
        anchors.add(slug if slug not in anchors else next(s for s in repeated if s not in anchors))
    return anchors


def _dead_links(page: Path) -> Iterator[str]:
    for target in _LINK.findall(_prose(page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            yield f"{_name(page)}: {target}: no such file"
        elif anchor and file.suffix == ".md" and anchor not in _anchors(file):
            yield f"{_name(page)}: {target}: no such heading"


def commands_said() -> list[Said]:
    """Return every `recon-streams ...` of shell blocks and of inline code."""
    said = []
    for page in pages():
        text = page.read_text()
        lines = [
            line.partition(" #")[0]
            for language, body in _FENCE.findall(text)
            if language in {"sh", "bash", "shell", "console"}
            for line in body.splitlines()
        ]
        lines += [code for code in _INLINE.findall(_prose(text)) if "recon-streams " in code]
        for line in lines:
            match = re.search(r"(?:^|[ /])recon-streams (.*)$", line)
            # A generated page's usage line speaks of options in general, in brackets.
            if match and "[options]" not in line:
                words = re.split(r" [<>|] ", match[1])[0]
                said.append(Said(_name(page), tuple(shlex.split(words))))
    return said


def complaint_about(words: tuple[str, ...]) -> str | None:
    """Return why the command line would not be understood, or None; nothing is run."""
    load(())
    command: Any = get_command(app)
    rest = list(words)
    while hasattr(command, "commands"):
        if not rest:
            return None  # a group is named as such
        if rest[0] not in command.commands:
            return f"no command {rest[0]}"
        command = command.commands[rest.pop(0)]
    return _complaint_about_parameters(command.params, rest)


def _complaint_about_parameters(parameters: list[Any], rest: list[str]) -> str | None:
    options = {
        name: parameter
        for parameter in parameters
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("-")
    }
    arguments = [p for p in parameters if not p.opts[0].startswith("-")]
    given = 0
    while rest:
        word = rest.pop(0)
        if word == "-" or not word.startswith("-"):
            given += 1
        elif word not in options:
            return f"no option {word}"
        elif not options[word].is_flag:
            if not rest:
                return f"{word} needs a value"
            rest.pop(0)
    room = 99 if any(a.nargs == -1 for a in arguments) else len(arguments)
    return f"{given} arguments, room for {room}" if given > room else None


SAID = commands_said()


def test_the_readme_is_short_and_gives_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= README_LINES_MAX
    assert re.search(r"^make demo\b", text, re.MULTILINE)
    assert re.search(r"^make test\b", text, re.MULTILINE)


@pytest.mark.parametrize("page", pages(), ids=_name)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    assert list(_dead_links(page)) == []


@pytest.mark.parametrize("said", sorted(set(SAID)), ids=lambda s: f"{s.page}:{' '.join(s.words)}")
def test_every_command_that_is_named_exists_with_its_options(said: Said) -> None:
    assert complaint_about(said.words) is None


def test_enough_commands_were_found_to_trust_that_they_are_looked_at() -> None:
    assert len({said.words for said in SAID if said.page.startswith("docs/how-to")}) > 20


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("stauts", "no command stauts"),
        ("quarantine drop 1", "no command drop"),
        ("status --wide", "no option --wide"),
        ("tail recon.breaker -n", "-n needs a value"),
        ("explain A B", "2 arguments, room for 1"),
        ("publish ledger.movements a b c -", None),
        ("demo --exit -o json", None),
    ],
)
def test_a_command_that_does_not_exist_is_noticed(line: str, complaint: str | None) -> None:
    assert complaint_about(tuple(line.split())) == complaint


def test_every_topic_that_a_command_names_exists() -> None:
    for _, words in SAID:
        names_topic = len(words) > 1 and words[0] in {"publish", "tail"} and words[1] != "TOPIC"
        if names_topic and not words[1].endswith((".xml", ".zip", "/")):
            by_name(words[1])


def test_every_file_of_the_project_that_a_command_names_exists() -> None:
    folders = tuple(f"{each.name}/" for each in ROOT.iterdir() if each.is_dir())
    named = {word for _, words in SAID for word in words if word.startswith(folders)}
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


SETTINGS = {
    f"{section}.{key}"
    for section, reference in settings_schema()["properties"].items()
    for key in settings_schema()["$defs"][reference["$ref"].rpartition("/")[2]]["properties"]
}
REGISTRY_KEYS = {
    f"{block}.{key}"
    for block in ("limits", "clearing", "silence", "in_flight", "statements", "sweep")
    for key in known_keys((block,))
}


@pytest.mark.parametrize("page", _own_pages(), ids=_name)
def test_every_variable_of_the_environment_that_is_named_exists(page: Path) -> None:
    variables = {f"RECON__{name.upper().replace('.', '__')}" for name in SETTINGS}
    variables |= {"RECON_CONFIG", "RECON_DATA", "RECON_OPERATOR_KEY", "RECON__SECTION__KEY"}
    assert set(_VARIABLE.findall(page.read_text())) - variables - _VARIABLES_OF_TESTS == set()


@pytest.mark.parametrize("page", [p for p in _own_pages() if p.parent.name != "docs"], ids=_name)
def test_every_setting_that_is_named_exists(page: Path) -> None:
    sections = "|".join({name.partition(".")[0] for name in SETTINGS | REGISTRY_KEYS})
    named = set(re.findall(rf"`((?:{sections})\.[a-z_]+)`", page.read_text()))
    assert named - SETTINGS - REGISTRY_KEYS == set()


def test_every_key_of_the_registry_is_explained() -> None:
    page = (ROOT / "docs/how-to/register-accounts.md").read_text()
    assert [key for key in sorted(REGISTRY_KEYS) if f"`{key}`" not in page] == []


@pytest.mark.parametrize("page", pages(), ids=_name)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    text = page.read_text()
    code = "\n".join([*_INLINE.findall(text), *(body for _, body in _FENCE.findall(text))])
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(_MAKE.findall(code)) - targets == set()


# Of the database: the daemon's, and that of payout services.
ROLES = {"recon_app", "recon_payouts"}


def test_every_metric_that_is_named_exists() -> None:
    known = Metrics().exposition().decode()
    for page in (ROOT / "docs/how-to").glob("*.md"):
        for name in re.findall(r"`(recon_[a-z_]+)`", page.read_text()):
            if name not in ROLES and not (ROOT / name).is_dir():
                assert f"# TYPE {name} " in known, f"{page.name}: {name}"


def _blocks(language: str) -> list[Any]:
    return [
        pytest.param(body, id=f"{_name(page)}-{number}")
        for page in _own_pages()
        for number, (found, body) in enumerate(_FENCE.findall(page.read_text()))
        if found == language
    ]


@pytest.mark.parametrize("text", _blocks("json"))
def test_every_json_that_is_shown_can_be_read(text: str) -> None:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        for line in text.splitlines():
            json.loads(line)


@pytest.mark.parametrize("text", _blocks("yaml"))
def test_every_yaml_that_is_shown_is_accepted(text: str, tmp_path: Path) -> None:
    content = YAML(typ="safe").load(text)
    if isinstance(content, list):  # an account to be added to a list
        content, text = {"accounts": content}, f"accounts:\n{text}"
    if "accounts" in content:
        assert accounts_of(parse_yaml("accounts.yaml", text))
        return
    if "connectors" in content:
        assert connectors_of(parse_yaml("connectors.yaml", text))
        return
    if "tolerance" in content:  # a part of the rules, with the rest as it is shipped
        shipped = YAML().load(files("config").joinpath("matching.yaml").read_text("utf-8"))
        shipped.update(YAML().load(text))
        whole = StringIO()
        YAML().dump(shipped, whole)
        assert rules_from_text("matching.yaml", whole.getvalue(), version=1)
        return
    if "file" not in content.get("calendars", {"file": ""}):
        assert calendars_of(parse_yaml("calendars.yaml", text)).overlays
        return
    file = tmp_path / "recon.yaml"
    file.write_text(text)
    assert load_settings(file, {}).rows()


def test_the_generated_pages_are_what_the_code_says() -> None:
    assert drifted(ROOT) == []


def test_every_exit_code_is_explained() -> None:
    assert set(EXIT_MEANINGS) == set(ExitCode)


def test_drift_is_found_named_and_put_right(tmp_path: Path) -> None:
    missing = drifted(tmp_path)
    assert "docs/reference/cli.md" in missing
    assert "docs/reference/configuration.md" in missing
    assert write(tmp_path) == missing
    page = tmp_path / "docs/reference/cli.md"
    page.write_text(page.read_text().replace("## demo", "## show"))
    assert drifted(tmp_path) == ["docs/reference/cli.md"]
    write(tmp_path)
    assert drifted(tmp_path) == []


def test_check_agrees_and_a_wrong_word_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == ExitCode.OK
    assert main(["chekc"]) == ExitCode.USAGE
    assert "write|check" in capsys.readouterr().err


def test_pages_do_not_depend_on_the_terminal() -> None:
    script = "from agents.cli.reference import commands_page; print(commands_page(), end='')"
    terminal = {"COLUMNS": "20", "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    shown = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, **terminal, "RECON_DATA": "elsewhere", "RECON__LOG__KIND": "kafka"},
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    assert shown == commands_page()


def test_the_steps_of_a_how_to_are_numbered_without_a_gap() -> None:
    for page in (ROOT / "docs/how-to").glob("*.md"):
        numbers = [int(n) for n in re.findall(r"^## (\d+)\.", page.read_text(), re.MULTILINE)]
        assert all(after == before + 1 for before, after in pairwise([0, *numbers])), page.name
