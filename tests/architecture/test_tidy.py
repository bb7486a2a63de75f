"""What linters cannot say about the house, asked of its files."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from ruamel.yaml import YAML
from typer.main import get_command

from agents.cli.app import app
from agents.cli.main import MODULES, load
from recon_streams.runtime.settings import load_settings
from topics.catalogue import CATALOGUE

ROOT = Path(__file__).parents[2]
PACKAGES = ("agents", "recon_streams", "topics")
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 50
# Where money is decided no binary float may even be named; durations and ratios live elsewhere.
MONEY = ("recon_streams/positions", "recon_streams/iso20022", "recon_streams/breaker", "topics")
FLOATS_ALLOWED = {
    "recon_streams/positions/status.py",  # ages in seconds
}


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def test_no_file_is_longer_than_the_wall() -> None:
    long = {str(p): n for p in sources() if (n := len(p.read_text().splitlines())) > FILE_LINES_MAX}
    assert long == {}


def test_no_function_is_longer_than_the_wall() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.name} {node.end_lineno - node.lineno + 1}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= FUNCTION_LINES_MAX + _docstring_lines(node)
    ]
    assert long == []


def test_every_file_says_what_it_is_for() -> None:
    silent = [str(p) for p in sources() if ast.get_docstring(ast.parse(p.read_text())) is None]
    assert silent == []


def test_a_package_file_holds_a_docstring_and_no_code() -> None:
    for path in sources():
        if path.name == "__init__.py":
            assert len(ast.parse(path.read_text()).body) == 1, path


def test_no_float_comes_near_an_amount() -> None:
    near = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources()
        if str(path.relative_to(ROOT)).startswith(MONEY)
        and str(path.relative_to(ROOT)) not in FLOATS_ALLOWED
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
    ]
    assert near == []


def test_nothing_is_left_for_later() -> None:
    marks = re.compile(r"\b(TODO|FIXME|HACK)\b")
    left = [str(p) for p in sources() if marks.search(p.read_text())]
    assert left == []


@pytest.mark.parametrize("name", PACKAGES)
def test_the_three_names_are_ours(name: str) -> None:
    # Another distribution also installs a package called `agents`.
    module = importlib.import_module(name)
    assert module.__file__ is not None
    assert Path(module.__file__).parent == ROOT / name


def test_assertions_are_on() -> None:
    assert __debug__


def test_the_compose_file_names_commands_topics_and_settings_that_exist() -> None:
    composed = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text())
    services = composed["services"]
    assert set(services) == {"kafka", "postgres", "redis", "prepare", "worker", "publisher"}
    load(())
    known = set(get_command(app).commands)  # type: ignore[attr-defined] # a group of commands
    for name in ("worker", "publisher"):
        program, command = services[name]["command"]
        assert program == "recon-streams"
        assert command in known
    for words in re.findall(r"recon-streams (\w+)", services["prepare"]["command"]):
        assert words in known
    environment = {k: str(v) for k, v in services["worker"]["environment"].items()}
    assert load_settings(None, environment).log.kind == "kafka"
    for image in ("apache/kafka:4.1.1", "postgres:17.6", "redis:8.2"):
        assert image in {service.get("image") for service in services.values()}


def test_each_command_is_loaded_from_the_modules_that_register_it() -> None:
    load(())
    found: dict[str, set[str]] = {}
    for command in app.registered_commands:
        assert command.callback is not None
        found.setdefault(str(command.name), set()).add(command.callback.__module__)
    for group in app.registered_groups:
        found.setdefault(str(group.name), set()).update(_modules_of(group.typer_instance))
    assert found == {
        name: {f"agents.cli.{module}" for module in modules} for name, modules in MODULES.items()
    }


def _modules_of(group: typer.Typer | None) -> Iterator[str]:
    """Yield the module of each command of `group` and of the groups in it."""
    assert group is not None
    for command in group.registered_commands:
        assert command.callback is not None
        yield command.callback.__module__
    for below in group.registered_groups:
        yield from _modules_of(below.typer_instance)


def test_every_input_topic_has_an_intake() -> None:
    from agents.intakes import aliases, input_topics  # noqa: PLC0415 - beside its use

    declared = {c.name for c in CATALOGUE} | {a for c in CATALOGUE for a in c.aliases}
    assert set(input_topics()) <= declared
    assert set(aliases().values()) <= declared


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    text = ast.get_docstring(node, clean=False)
    return 0 if text is None else len(text.splitlines())
