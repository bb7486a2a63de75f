"""What `inspect` prints and how it ends, for a person and for a program."""

import json
import os
import subprocess
import sys
from pathlib import Path

from recon_streams.runtime.exit_codes import ExitCode

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "tests" / "data" / "camt" / "public"
GOOD = SAMPLES / "viafintech__camt_parser" / "053" / "valid_example.xml"
BROKEN = SAMPLES / "svapnil__iso20022.js" / "bank_of_montreal" / "camt053_v2_2.xml"
CHAIN = SAMPLES / "Subite-eu__camt-to-coda" / "LT625883379695428516" / "CAMT_053"


def _inspect(*words: str | Path, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "agents.cli", "inspect", *map(str, words)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("RECON")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done.stdout


def test_json_is_one_object_a_line_for_each_file() -> None:
    lines = [json.loads(line) for line in _inspect(CHAIN, "-o", "json").splitlines()]
    assert [Path(line["file"]).name for line in lines] == sorted(
        each.name for each in CHAIN.iterdir()
    )
    assert all("findings" in line for line in lines)


def test_one_file_is_one_json_document() -> None:
    shown = json.loads(_inspect(GOOD, "-o", "json"))
    assert shown["statements"][0]["closing"]["amount"] == "23.06"


def test_a_refused_file_ends_it_with_a_code_of_its_own() -> None:
    lines = _inspect(BROKEN, GOOD, "-o", "json", code=ExitCode.REFUSED).splitlines()
    refused, read = map(json.loads, lines)
    assert refused["refused"]["code"] == "NOT_WELL_FORMED"
    assert "refused" not in read


def test_relations_are_the_last_line_when_they_are_asked_for() -> None:
    last = json.loads(_inspect(CHAIN, "-o", "json", "--relations").splitlines()[-1])
    assert len(last["relations"]) == 38
    assert all(relation["holds"] for relation in last["relations"])


def test_a_person_sees_balances_sums_the_equation_and_findings() -> None:
    page = _inspect(GOOD)
    assert "PRCD" in page
    assert "33.06 EUR" in page
    assert "booked +1.00 -11.00" in page
    assert "PRCD 33.06 + booked -10 = CLBD 23.06 EUR:  exact" in page
    assert "finding SCHEMA_INVALID" in page


def test_a_person_sees_why_a_file_is_refused() -> None:
    page = _inspect(BROKEN, code=ExitCode.REFUSED)
    assert "refused NOT_WELL_FORMED: a message is one well-formed document" in page


def test_letters_that_steer_a_terminal_are_not_passed_on(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_text(GOOD.read_text().replace("<Cd>PRCD", "<Cd>[red]\u202e\u0085"))
    page = _inspect(path)
    assert "[red]??" in page
