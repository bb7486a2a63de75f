"""The Python guard against the cases that guards in every language must pass."""

import json
import os
import shutil
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from recon_streams.client.follower import Follower
from recon_streams.client.records import LogRecord
from recon_streams.client_drivers.keys import load_keys

CONFORMANCE = Path(__file__).parents[2] / "conformance"
DOCUMENT = json.loads((CONFORMANCE / "breaker-guard.json").read_text())


def record_of(said: dict[str, Any]) -> LogRecord:
    key, value = (
        None if said[name] is None else b64decode(said[name]) for name in ("key", "value")
    )
    headers = [(name, None if each is None else b64decode(each)) for name, each in said["headers"]]
    if value is not None:
        value = value * said.get("value_times", 1) + b" " * said.get("spaces", 0)
    return LogRecord(said["offset"], key, value, headers)


def play(step: dict[str, Any], follower: Follower) -> None:
    if "end" in step:
        is_same_log = follower.note_end(step["end"]["asked_at_ms"], step["end"]["end"])
        assert is_same_log is not step.get("went_back", False)
    elif "record" in step:
        follower.apply(record_of(step["record"]))
    elif "pass_over" in step:
        follower.pass_over(step["pass_over"])
    else:
        answer = follower.permit(tuple(step["ask"]["scopes"]), step["ask"]["at_ms"], None)
        said = json.loads(json.dumps({name: getattr(answer, name) for name in step["expect"]}))
        assert said == step["expect"], step


@pytest.mark.parametrize("case", DOCUMENT["cases"], ids=lambda case: str(case["name"]))
def test_the_guard_answers_as_every_guard_must(case: dict[str, Any], tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(DOCUMENT["keys"]))
    follower = Follower(load_keys(keys), safety_ms=DOCUMENT["safety_ms"])
    for step in case["steps"]:
        play(step, follower)


def test_the_cases_name_every_reason_there_is() -> None:
    asked = {
        s["expect"]["reason"] for case in DOCUMENT["cases"] for s in case["steps"] if "ask" in s
    }
    bare = {"NOT_RUNNING", "NOT_CAUGHT_UP", "NO_LEASE", "LEASE_EXPIRED", "GRANTED"}
    scope = {"UNKNOWN_SCOPE", "TOMBSTONE", "UNREADABLE", "BAD_SIGNATURE", "UNKNOWN_KEY"}
    scope |= {"UNKNOWN_SCHEMA", "UNKNOWN_STATE", "SUSPENDED", "OPEN"}
    assert asked >= bare | scope | {"PARENT_OPEN", "PARENT_SUSPENDED", "PARENT_UNKNOWN_SCOPE"}


def test_the_file_is_what_its_generator_writes() -> None:
    script = "import generate; print(generate.text(), end='')"
    written = subprocess.run(
        [sys.executable, "-c", script], cwd=CONFORMANCE, capture_output=True, text=True, check=True
    )
    assert (CONFORMANCE / "breaker-guard.json").read_text() == written.stdout


def test_the_guard_in_node_passes_the_same_cases() -> None:
    node = shutil.which("node")
    if node is None:
        assert os.environ.get("CI") != "true", "CI must have Node: apt-get install nodejs"
        pytest.skip("there is no Node on this machine")
    done = subprocess.run(
        [node, CONFORMANCE / "node" / "run.mjs"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(DOCUMENT['cases'])} of {len(DOCUMENT['cases'])} cases pass" in done.stdout
