"""Whatever the bytes, the reader answers with values or with a refusal, and nothing else."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from recon_streams.iso20022.reader import read
from recon_streams.iso20022.values import Message
from recon_streams.kernel.refusal import Refused

Payload = Callable[[str], bytes]

SEEDS = [
    "genkgo__camt/camt054.v8-with-UETR.xml",
    "genkgo__camt/camt052.v6.Amt-zero.xml",
    "moov-io__iso20022/200519_camt.054-Credit_P_CH2909000000250094239_1110092691_0_2019042421291293.xml",
    "viafintech__camt_parser/053/valid_example_with_batch.xml",
    "svapnil__iso20022.js/synthetic/camt_053_001_12_sample.xml",
]

NAMES = [
    *("Ntfctn", "Acct", "Id", "IBAN", "Othr", "Ntry", "Amt", "CdtDbtInd", "Sts", "Cd", "Prtry"),
    *("BookgDt", "Dt", "DtTm", "NtryDtls", "TxDtls", "Btch", "Refs", "UETR", "Bal", "Tp", "Chrgs"),
    *("Rcrd", "RmtInf", "Strd", "GrpHdr", "FrToDt", "BkTxCd"),
]


def answer(payload: bytes) -> Message | None:
    try:
        return read(payload)
    except Refused:
        return None


@given(payload=st.binary(max_size=300))
def test_arbitrary_bytes_are_refused(payload: bytes) -> None:
    assert answer(payload) is None


@given(
    text=st.recursive(
        st.sampled_from(["", "1", "CRDT", "BOOK", "2026-01-01", "<!-- -->", "&amp;"]),
        lambda inner: st.builds(
            lambda name, parts: f"<{name}>{''.join(parts)}</{name}>",
            st.sampled_from(NAMES),
            st.lists(inner, max_size=4),
        ),
        max_leaves=25,
    )
)
def test_elements_in_any_order_and_depth_never_surprise(text: str) -> None:
    space = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"
    body = f"<BkToCstmrDbtCdtNtfctn>{text}</BkToCstmrDbtCdtNtfctn>"
    answer(f'<Document xmlns="{space}">{body}</Document>'.encode())


@pytest.mark.parametrize("seed", SEEDS)
def test_changed_bytes_never_surprise(seed: str, payload_of: Payload) -> None:
    payload = payload_of(seed)

    @settings(max_examples=100)
    @given(data=st.data())
    def changed(data: st.DataObject) -> None:
        mutated = bytearray(payload)
        for _ in range(data.draw(st.integers(1, 4))):
            position = data.draw(st.integers(0, len(mutated) - 1))
            kept = data.draw(st.integers(0, 8))
            mutated[position : position + kept] = data.draw(st.binary(max_size=8))
        answer(bytes(mutated))

    changed()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("what", ["without", "twice", "emptied", "moved", "filled"])
def test_one_element_changed_never_surprises(seed: str, what: str, payload_of: Payload) -> None:
    payload = payload_of(seed)
    count = sum(1 for _ in etree.fromstring(payload).iter(etree.Element))
    # Every element of a small sample, an even spread over a large one, always the same ones.
    chosen = random.Random(seed + what).sample(range(1, count), min(150, count - 1))
    for number in chosen:
        root = etree.fromstring(payload)
        element = list(root.iter(etree.Element))[number]
        _change(element, what)
        answer(etree.tostring(root))


def _change(element: etree._Element, what: str) -> None:
    parent = element.getparent()
    assert parent is not None
    if what == "without":
        parent.remove(element)
    elif what == "twice":
        parent.append(etree.fromstring(etree.tostring(element)))
    elif what == "emptied":
        element.clear()
    elif what == "moved":
        above = parent.getparent()
        (parent if above is None else above).append(element)
    else:
        element.text = "\u0661x"
