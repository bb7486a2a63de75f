"""The published contracts, generated from the catalogue so that no page can disagree with the code.

`python -m topics.contracts write` writes them, `check` exits 5 and names the files that drifted.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from topics.asyncapi_document import asyncapi_document
from topics.catalogue import CATALOGUE
from topics.json_schemas import schema_of
from topics.reference_page import reference_page

ROOT: Final = Path(__file__).resolve().parents[1]
SCHEMAS: Final = "topics/schemas"
EXIT_DRIFTED: Final = 5
EXIT_USAGE: Final = 2


def schema_path(topic: str) -> str:
    """Return where the schema of `topic` is kept, relative to the repository."""
    return f"{SCHEMAS}/{topic}.v1.schema.json"


def generate() -> dict[str, bytes]:
    """Return the content of every generated file by its path relative to the repository."""
    files = {
        schema_path(contract.name): _json(schema_of(contract))
        for contract in CATALOGUE
        if contract.record_types
    }
    files["topics/asyncapi.json"] = _json(asyncapi_document())
    files["docs/reference/topics.md"] = reference_page().encode()
    return files


def drifted(root: Path) -> list[str]:
    """Return the generated files under `root` that are missing, differ, or should not be there."""
    files = generate()
    wrong = [
        path
        for path, content in files.items()
        if not (root / path).is_file() or (root / path).read_bytes() != content
    ]
    present = {f"{SCHEMAS}/{file.name}" for file in (root / SCHEMAS).glob("*.json")}
    return sorted({*wrong, *(present - files.keys())})


def write(root: Path) -> list[str]:
    """Bring the generated files under `root` up to date, and return those that changed."""
    changed = drifted(root)
    files = generate()
    for path in changed:
        if path in files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(files[path])
        else:
            (root / path).unlink()
    return changed


def main(arguments: list[str]) -> int:
    """Run `write` or `check` on the repository this file is in, and return the exit code."""
    match arguments:
        case ["write"]:
            sys.stdout.writelines(f"wrote {path}\n" for path in write(ROOT))
            return 0
        case ["check"]:
            paths = drifted(ROOT)
            sys.stderr.writelines(
                f"{path} is not what topics/ says; run `python -m topics.contracts write`\n"
                for path in paths
            )
            return EXIT_DRIFTED if paths else 0
        case _:
            sys.stderr.write("usage: python -m topics.contracts write|check\n")
            return EXIT_USAGE


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
