"""Files that somebody publishes by hand are read like those of the watched folder: bounded."""

import threading
import time
from contextlib import closing
from pathlib import Path

from agents.cli.bank_files import Reading
from agents.cutting import OWN_PROCESS_BYTES_MIN

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
ENTRY = (
    "<Ntry><Amt Ccy='EUR'>1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
    "<AcctSvcrRef>{}</AcctSvcrRef></Ntry>"
)


def _statement(path: Path, entries: int) -> Path:
    path.parent.mkdir(exist_ok=True)
    inner = "".join(ENTRY.format(number) for number in range(entries))
    path.write_text(
        f"<Document xmlns='{NAMESPACE}'><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr><Stmt>"
        f"<Acct><Id><Othr><Id>A</Id></Othr></Id></Acct>{inner}</Stmt></BkToCstmrStmt></Document>"
    )
    return path


def test_a_folder_is_read_file_by_file_and_what_is_refused_is_named_as_it_was_given(
    tmp_path: Path,
) -> None:
    _statement(tmp_path / "a.xml", 1)
    _statement(tmp_path / "inner" / "b.xml", 1)
    (tmp_path / "inner" / "notes.txt").write_text("no message")
    with closing(Reading([tmp_path, tmp_path / "missing.xml"])) as reading:
        assert [record.topic for record in reading.records()] == ["bank.statements"] * 2
    assert [line.split(": ")[0] for line in reading.refused] == [
        f"{tmp_path}/inner/notes.txt",
        f"{tmp_path}/missing.xml",
    ]


def test_a_large_file_inside_a_folder_has_a_process_of_its_own_that_ends_when_it_is_closed(
    tmp_path: Path,
) -> None:
    large = _statement(tmp_path / "large.xml", 60_000)
    assert large.stat().st_size > OWN_PROCESS_BYTES_MIN
    reading = Reading([tmp_path])
    thread = threading.Thread(target=lambda: list(reading.records()))
    thread.start()
    deadline = time.monotonic() + 20
    while (process := _process_of(reading)) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process is not None
    reading.close()
    thread.join(timeout=10)
    assert not thread.is_alive()


def _process_of(reading: Reading) -> int | None:
    cutting = reading._cutting
    return cutting.process_id if cutting else None
