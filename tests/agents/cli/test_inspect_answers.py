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


MT = """\
:20:STMT1
:25:DE89370400440532013000
:28C:231/1
:60F:C261119EUR000000001000,50
:61:2611201120C000000000250,00NTRFREF1//BANK1
:61:2611201120D00000000035,NCHGNONREF
:62F:D261120EUR000000000015,50
-
"""


def test_an_mt940_is_called_by_its_name_and_says_whether_it_adds_up(tmp_path: Path) -> None:
    path = tmp_path / "statement.sta"
    path.write_text(MT)
    page = _inspect(path)
    assert "statement.sta  MT940" in page
    assert "not a known message" not in page
    assert "opening 1000.50 EUR CRDT" in page
    assert "60F 1000.50 + credits 250.00 - debits 35 = 62F -15.50 EUR:  differs by -1231.00" in page
    path.write_text(MT.replace("62F:D261120EUR000000000015,50", "62F:C261120EUR000000001215,50"))
    assert "= 62F 1215.50 EUR:  exact" in _inspect(path)


def test_entries_without_a_status_are_said_to_have_none() -> None:
    page = _inspect(CHAIN.parents[1])
    assert "entries (3 without a status)" in page
    assert "None" not in page


def test_what_does_not_fit_between_files_comes_first_in_plain_words() -> None:
    page = _inspect(CHAIN.parents[1]).splitlines()
    first = next(number for number, line in enumerate(page) if "relations between files" in line)
    assert "do not fit" in page[first]
    assert page[first + 1].startswith("  does not fit  ")
    fits = [line.startswith("  fits") for line in page[first + 1 :] if line]
    assert fits == sorted(fits)
    assert any("closes with 2493169.48, but" in line for line in page)
    assert not any("holds" in line for line in page[first:])


def test_a_folder_without_files_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agents.cli", "inspect", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == ""
    assert "there is no file in" in done.stderr


def test_a_file_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    page = _inspect(tmp_path / "nowhere.xml", code=ExitCode.REFUSED)
    assert "nowhere.xml  not read" in page
    assert "a file that can be opened (No such file or directory)" in page
    assert "Error" not in page


def test_a_message_the_bank_marks_as_a_test_says_what_becomes_of_it(tmp_path: Path) -> None:
    path = tmp_path / "test.xml"
    path.write_text(
        GOOD.read_text().replace("</GrpHdr>", "<AddtlInf>SPS/2.1/TEST</AddtlInf></GrpHdr>", 1)
    )
    page = _inspect(path)
    assert "TEST the bank marks this as a test; the books refuse it unless" in page
