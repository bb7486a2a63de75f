"""A message that streams by gives the same values and refusals as one that is held."""

import random
from collections.abc import Callable

import pytest

from recon_streams.iso20022.reader import read
from recon_streams.iso20022.streaming import pieces, read_stream
from recon_streams.iso20022.values import Message
from recon_streams.kernel.refusal import RefusalCode, Refused

Payload = Callable[[str], bytes]
Outcome = Message | tuple[RefusalCode, str, str]


def _outcome(work: Callable[[], Message]) -> Outcome:
    try:
        return work()
    except Refused as refusal:
        return refusal.code, refusal.field, refusal.rule


def _held(payload: bytes) -> Outcome:
    return _outcome(lambda: read(payload, validate=False))


def _streamed(payload: bytes, size: int) -> Outcome:
    return _outcome(lambda: read_stream(pieces(payload, size)))


@pytest.mark.parametrize("size", [997, 1 << 16])
def test_a_sample_streams_to_the_same_values(sample: str, payload_of: Payload, size: int) -> None:
    payload = payload_of(sample)
    assert _streamed(payload, size) == _held(payload)


def test_a_sample_that_is_refused_is_refused_the_same_way(
    unreadable_sample: str, payload_of: Payload
) -> None:
    payload = payload_of(unreadable_sample)
    assert _streamed(payload, 100) == _held(payload)


def test_cutting_at_every_byte_changes_nothing(notification: str) -> None:
    for encoding in ("utf-8", "utf-16", "iso-8859-1"):
        payload = notification.replace("UTF-8", encoding).encode(encoding)
        assert _streamed(payload, 1) == _held(payload)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('Ccy="CHF">1234.50</Amt>', 'Ccy="CHF">-1</Amt>'),
        ("<Ccy>CHF</Ccy>", "<Ccy>chf</Ccy>"),
        ("<CdtDbtInd>CRDT", "<CdtDbtInd>CR"),
        ("<Ntry>", "<Ntry><!-- note -->"),
        ("<Ntry>", "<x:Ntry xmlns:x='urn:x'/><Ntry>"),
        ("<Ntry>", "<SplmtryData><Ntry/></SplmtryData><Ntry>"),
        ("<Id>N-1</Id>", "<Id>N-1</Id><Id>N-2</Id>"),
        ("</Ntfctn>", "</Ntfctn><Ntfctn><Acct/></Ntfctn>"),
        ("</GrpHdr>", "</GrpHdr><GrpHdr/>"),
        ("</BkToCstmrDbtCdtNtfctn>", "</BkToCstmrDbtCdtNtfctn><BkToCstmrStmt/>"),
        ("<Document", "<!DOCTYPE Document [<!ENTITY x 'y'>]><Document"),
        ("<MsgId>M-1", "<MsgId>&x;"),
        ("</Document>", ""),
        ("</Document>", "</Document><Document/>"),
        ("camt.054.001.08", "camt.053.001.08"),
        ("camt.054.001.08", "pain.001.001.09"),
        ("<Ntfctn>", "<Stmt/><Ntfctn>"),
        ("<Acct>", f"{'<a>' * 300}{'</a>' * 300}<Acct>"),
    ],
)
def test_what_is_wrong_is_said_the_same_way(notification: str, old: str, new: str) -> None:
    assert old in notification
    payload = notification.replace(old, new, 1).encode()
    for size in (7, 1 << 16):
        assert _streamed(payload, size) == _held(payload)


@pytest.mark.parametrize("seed", range(80))
def test_damage_is_said_the_same_way(notification: str, seed: int) -> None:
    dice = random.Random(seed)
    lines = notification.splitlines()
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(2, len(lines))
        work = dice.choice(("drop", "repeat", "swap"))
        if work == "drop":
            del lines[at]
        elif work == "repeat":
            lines.insert(at, lines[at])
        else:
            lines[at - 1], lines[at] = lines[at], lines[at - 1]
    payload = "\n".join(lines).encode()
    assert _streamed(payload, dice.choice((13, 1 << 16))) == _held(payload)


def test_a_file_above_the_limit_is_refused_where_it_is_passed(notification: str) -> None:
    with pytest.raises(Refused) as refused:
        read_stream(pieces(notification.encode(), 100), bytes_max=1_000)
    assert refused.value.code is RefusalCode.TOO_LARGE


def test_no_bytes_are_no_message() -> None:
    with pytest.raises(Refused) as refused:
        read_stream([])
    assert refused.value.code is RefusalCode.EMPTY_VALUE


def test_a_head_without_end_is_refused_before_it_fills_memory(notification: str) -> None:
    head, _, _ = notification.partition("<Ntry>")
    filling = (f"<Bal>{number}</Bal>".encode() for number in range(100_000))
    entry = b"<Ntry/>"

    def chunks() -> "list[bytes]":
        return [head.encode(), *filling, entry]

    with pytest.raises(Refused) as refused:
        read_stream(chunks())
    assert refused.value.code is RefusalCode.TOO_LARGE


def test_what_follows_an_error_is_never_taken_for_a_document_of_its_own(notification: str) -> None:
    broken = notification.replace("M-1", "&x;").partition("</GrpHdr>")[0].encode()
    with pytest.raises(Refused) as refused:
        read_stream([broken, notification.encode()])
    assert refused.value.code is RefusalCode.ENTITY_FORBIDDEN
