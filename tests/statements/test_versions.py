"""What a statement says decides whether it is known, and what a correction changed."""

from pathlib import Path

from recon_streams.iso20022.reader import read
from recon_streams.iso20022.values import Report
from recon_streams.statements.versions import difference_of, signature_of

SAMPLE = Path(__file__).parents[1] / "data/camt/public/moov-io__iso20022/FI_camt_053_sample.xml.xml"


def reported(*changes: tuple[bytes, bytes]) -> Report:
    payload = SAMPLE.read_bytes()
    for old, new in changes:
        assert old in payload
        payload = payload.replace(old, new, 1)
    return read(payload).reports[0]


def test_another_message_around_the_same_statement_does_not_change_what_it_says() -> None:
    message_id = SAMPLE.read_bytes().split(b"<MsgId>")[1].split(b"<")[0]
    again = reported((b"<MsgId>" + message_id, b"<MsgId>ANOTHER"))
    assert signature_of(again) == signature_of(reported())
    assert not difference_of(reported(), again).added


def test_a_corrected_statement_names_what_is_new_and_what_is_gone() -> None:
    amount = SAMPLE.read_bytes().split(b"<Ntry>")[1].split(b'<Amt Ccy="EUR">')[1].split(b"<")[0]
    entry_start = b"<Ntry>" + SAMPLE.read_bytes().split(b"<Ntry>")[1].split(amount)[0]
    new = reported((entry_start + amount, entry_start + b"1.23"))
    assert signature_of(new) != signature_of(reported())
    found = difference_of(reported(), new)
    assert [str(entry.amount) for entry in found.added] == ["1.23"]
    assert len(found.removed) == 1
    assert found.balances == {}


def test_a_corrected_balance_is_named_with_both_amounts() -> None:
    found = difference_of(reported(), reported((b"23644.83", b"23644.84")))
    assert list(found.balances.values()) == [("23644.83", "23644.84")]
    assert not found.added
