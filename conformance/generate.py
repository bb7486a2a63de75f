"""Writes `breaker-guard.json` again: what each case holds is said in `cases/`, by hand.

The expected answers are part of that text and are computed by nobody.

    python conformance/generate.py
"""

import json
from pathlib import Path
from typing import Any

from cases import every
from cases.signing import FIRST, SECOND

FILE = Path(__file__).parent / "breaker-guard.json"
SAFETY_MS = 500
ABOUT = (
    "What a reader of recon.breaker must answer. README.md beside this file says how to run it. "
    "Written by generate.py; the keys are for tests only."
)


def document() -> dict[str, Any]:
    """Return the whole file."""
    found = every.cases()
    assert len({each.name for each in found}) == len(found), "a case has a name of its own"
    return {
        "about": ABOUT,
        "version": 1,
        "safety_ms": SAFETY_MS,
        "keys": {"keys": [FIRST.jwk, SECOND.jwk]},
        "cases": [{"name": each.name, "steps": each.steps} for each in found],
    }


def text() -> str:
    """Return the whole file as it is written: a step on each line."""
    whole = document()
    cases = [_lines(each["name"], each["steps"]) for each in whole.pop("cases")]
    head = json.dumps(whole, indent=1).removesuffix("\n}")
    return head + ',\n "cases": [\n' + ",\n".join(cases) + "\n ]\n}\n"


def _lines(name: str, steps: list[dict[str, Any]]) -> str:
    said = ",\n".join(f"   {json.dumps(step)}" for step in steps)
    return f'  {{"name": {json.dumps(name)}, "steps": [\n{said}\n  ]}}'


if __name__ == "__main__":
    FILE.write_text(text())
