"""A large file is cut by a process of its own, which ends with its file or with its parent."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from agents.cutting import Cutting, Found, Unread, cut
from recon_streams.bankfiles.publishing import Outgoing

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
ENTRY = (
    "<Ntry><Amt Ccy='EUR'>1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
    "<AcctSvcrRef>{}</AcctSvcrRef></Ntry>"
)


def _statement(path: Path, entries: int) -> Path:
    inner = "".join(ENTRY.format(number) for number in range(entries))
    path.write_text(
        f"<Document xmlns='{NAMESPACE}'><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr><Stmt>"
        f"<Acct><Id><Othr><Id>A</Id></Othr></Id></Acct>{inner}</Stmt></BkToCstmrStmt></Document>"
    )
    return path


def _found(path: Path, process_bytes_min: int = 0) -> list[Found]:
    with closing(Cutting(path, process_bytes_min=process_bytes_min)) as cutting:
        return list(cutting.found())


def _is_running(process_id: int) -> bool:
    try:
        status = Path(f"/proc/{process_id}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def _ends(process_id: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while _is_running(process_id) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not _is_running(process_id)


def test_a_child_finds_what_its_parent_would(tmp_path: Path) -> None:
    path = _statement(tmp_path / "large.xml", 12_000)
    found = _found(path)
    assert found == list(cut(path))
    assert [type(each) for each in found] == [Outgoing] * 3


def test_a_refusal_comes_through_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no message of a bank")
    (unread,) = _found(path)
    assert isinstance(unread, Unread)
    assert (unread.name, unread.reason.partition(":")[0]) == ("notes.txt", "NOT_WELL_FORMED")
    assert [unread] == list(cut(path))


def test_a_small_file_needs_no_process(tmp_path: Path) -> None:
    path = _statement(tmp_path / "small.xml", 1)
    with closing(Cutting(path)) as cutting:
        assert list(cutting.found()) == list(cut(path))
        assert cutting.process_id is None


def test_a_file_that_is_gone_is_unread(tmp_path: Path) -> None:
    (unread,) = _found(tmp_path / "gone.xml")
    assert isinstance(unread, Unread)


def test_a_child_that_dies_leaves_its_file_unread(tmp_path: Path) -> None:
    path = _statement(tmp_path / "large.xml", 60_000)
    with closing(Cutting(path, process_bytes_min=0)) as cutting:
        found = cutting.found()
        assert isinstance(next(found), Outgoing)
        assert cutting.process_id is not None
        os.kill(cutting.process_id, signal.SIGKILL)
        *_, last = found
    assert isinstance(last, Unread)
    assert last.reason.startswith("DECISION_FAILED")


def test_closing_ends_the_child(tmp_path: Path) -> None:
    path = _statement(tmp_path / "large.xml", 60_000)
    cutting = Cutting(path, process_bytes_min=0)
    found = cutting.found()
    next(found)
    child = cutting.process_id
    assert child is not None
    assert _is_running(child)
    cutting.close()
    assert not _is_running(child)


def test_a_child_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    path = _statement(tmp_path / "large.xml", 60_000)
    program = (
        "import sys, time; from pathlib import Path; from agents.cutting import Cutting\n"
        "cutting = Cutting(Path(sys.argv[1]), process_bytes_min=0)\n"
        "found = cutting.found(); next(found); print(cutting.process_id, flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert _is_running(child)
        parent.kill()
        assert _ends(child)


@pytest.mark.parametrize("size", [0, 3, 5, 40])
def test_a_pipe_that_ends_early_is_noticed_at_every_byte(tmp_path: Path, size: int) -> None:
    from agents.cutting import _received  # noqa: PLC0415  # the private half of a pipe

    pipe = tmp_path / "pipe"
    pipe.write_bytes((b"R" + (50).to_bytes(4) + b"x" * 50)[:size])
    with pipe.open("rb") as file:
        assert list(_received(file)) == []
