"""The page of settings: its words are the comments of defaults.yaml, its bounds are the code's."""

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, Final

from recon_streams.runtime.settings import PREFIX, settings_schema

_SECTION: Final = re.compile(r"^(\w+):$")
_COMMENT: Final = re.compile(r"^  # (.*)$")
_SETTING: Final = re.compile(r"^  (\w+): ")

_INTRODUCTION: Final = f"""\
<!-- Generated from config/defaults.yaml and the settings' types by `make docs`. Edit there. -->

# Configuration

Every setting has a default, so an empty file is a right one. What is said later wins:

1. the defaults below;
2. `recon.yaml`, named by `--config` or `RECON_CONFIG`;
3. the environment: `{PREFIX}SECTION__KEY`, for example `{PREFIX}LOG__KIND=kafka`; an empty variable
   says nothing;
4. options of the command line.

```sh
recon-streams config check            # every error with line, column and what to write; exit 3
recon-streams config show --origin    # what is in force, and who said it; secrets stay hidden
recon-streams config schema           # JSON Schema of recon.yaml, for editors
```

The registry of accounts is a file of its own: [Register accounts](../how-to/register-accounts.md).
"""


def settings_page() -> str:
    """Return the page in Markdown."""
    schema = settings_schema()
    meanings = _meanings()
    lines = [_INTRODUCTION.rstrip()]
    for section, reference in schema["properties"].items():
        definition = schema["$defs"][reference["$ref"].rpartition("/")[2]]
        lines += ["", f"## {section}", "", definition["description"], ""]
        lines += ["| setting | value | default | meaning |", "| --- | --- | --- | --- |"]
        for key, facts in definition["properties"].items():
            meaning = meanings.get((section, key), "")
            default = _spelled(facts["default"])
            lines.append(f"| `{section}.{key}` | {_value(facts)} | {default} | {meaning} |")
    return "\n".join(lines) + "\n"


def _meanings() -> dict[tuple[str, str], str]:
    text = files("config").joinpath("defaults.yaml").read_text("utf-8")
    found: dict[tuple[str, str], str] = {}
    section = ""
    said: list[str] = []
    for line in text.splitlines():
        if match := _SECTION.match(line):
            section = match[1]
        elif match := _COMMENT.match(line):
            said.append(match[1])
        elif match := _SETTING.match(line):
            found[section, match[1]] = " ".join(said)
            said = []
    return found


def _value(facts: dict[str, Any]) -> str:
    choices = facts.get("anyOf", [facts])
    kinds = [each for each in choices if each.get("type") != "null"]
    words = [_kind(each) for each in kinds]
    if len(kinds) < len(choices):
        words.append("or null")
    return " ".join(words)


def _kind(facts: dict[str, Any]) -> str:
    if "enum" in facts:
        return ", ".join(f"`{choice}`" for choice in facts["enum"])
    name = {"string": "text", "boolean": "`true`, `false`"}.get(facts["type"], facts["type"])
    if facts.get("format") == "path":
        name = "path"
    if facts.get("format") == "password":
        name = "text, secret"
    return ", ".join((name, *_bounds(facts)))


def _bounds(facts: dict[str, Any]) -> Iterator[str]:
    if "exclusiveMinimum" in facts:
        yield f"above {facts['exclusiveMinimum']:g}"
    if "minimum" in facts and "maximum" in facts:
        yield f"{facts['minimum']} to {facts['maximum']}"
    elif "maximum" in facts:
        yield f"at most {facts['maximum']:g}"
    if facts.get("minLength") == 1:
        yield "not empty"


def _spelled(value: object) -> str:
    match value:
        case None | "":
            return ""
        case bool():
            return f"`{str(value).lower()}`"
        case _:
            return f"`{value}`"
