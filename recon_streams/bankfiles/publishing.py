"""Bank files as records of the log: which topic, which key, and in how many pieces."""

import io
import re
from collections.abc import Iterator
from contextlib import closing
from typing import Final

import msgspec

from recon_streams.bankfiles.delivery import READING_ERRORS, Delivered, Open
from recon_streams.bankfiles.mt940_fields import looks_like_mt
from recon_streams.bankfiles.splitting import PAGE_BYTES_MAX, pages_of, plan_of
from recon_streams.iso20022.reader import read
from recon_streams.iso20022.safe_xml import BYTES_MAX
from recon_streams.kernel.refusal import RefusalCode, Refused

TOPICS: Final = {
    "camt.052": "bank.reports",
    "camt.053": "bank.statements",
    "camt.054": "bank.notifications",
}

# Below this no file holds more entries than a page may.
_SMALL_BYTES: Final = 1_000_000
_HEAD_BYTES: Final = 64_000
# Seen also in a file that no parser accepts, so that it reaches quarantine under the right topic.
_NAMED: Final = re.compile(rb"camt\.(05[234])\.001|<(?:[\w.-]+:)?BkToCstmr(AcctRpt|Stmt|DbtCdt)")
_BODY_MESSAGES: Final = {b"AcctRpt": "camt.052", b"Stmt": "camt.053", b"DbtCdt": "camt.054"}


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """One record on its way to the log; the key is the bank account."""

    topic: str
    key: str | None
    value: bytes


def outgoing_of(delivered: Delivered) -> Iterator[Outgoing]:
    """Yield the records of one document, one in memory at a time.

    A message that cannot be read but is recognised goes out as it is: quarantine keeps it and says
    what is wrong with it.

    Raises:
        Refused: For what is no message of a bank, and for a large file that cannot be read and so
            cannot be cut.
    """
    if delivered.refusal is not None:
        raise delivered.refusal
    try:
        if delivered.payload is not None and len(delivered.payload) < _SMALL_BYTES:
            yield _whole(delivered.payload)
        elif delivered.payload is not None:
            payload = delivered.payload
            yield from _large(lambda: io.BytesIO(payload))
        else:
            assert delivered.open is not None, "a delivery has bytes, an opener or a refusal"
            yield from _large(delivered.open)
    except READING_ERRORS as error:
        rule = "a file that can be read to its end"
        raise Refused(RefusalCode.UNREADABLE_FILE, "", rule, type(error).__name__) from None


def _large(opened: Open) -> Iterator[Outgoing]:
    try:
        plan = plan_of(opened)
    except Refused:
        with closing(opened()) as file:
            payload = file.read(BYTES_MAX + 1)
        if len(payload) > BYTES_MAX:
            raise
        yield _whole(payload)
        return
    if plan.is_whole:
        with closing(opened()) as file:
            payload = file.read(PAGE_BYTES_MAX + 1)
        key = plan.statements[0].account or None
        yield Outgoing(topic=TOPICS[plan.message], key=key, value=payload)
        return
    for page in pages_of(opened, plan):
        yield Outgoing(topic=TOPICS[plan.message], key=page.account or None, value=page.payload)


def _whole(payload: bytes) -> Outgoing:
    """Return `payload` as one record.

    Raises:
        Refused: If nothing in it says which message it is.
    """
    try:
        message = read(payload, validate=False)
    except Refused as refusal:
        recognised = _recognised(payload)
        if recognised is None:
            raise _unknown(payload, refusal) from None
        return Outgoing(topic=TOPICS[recognised], key=None, value=payload)
    key = message.reports[0].account.identification or None
    return Outgoing(topic=TOPICS[message.message], key=key, value=payload)


def _recognised(payload: bytes) -> str | None:
    found = _NAMED.search(payload[:_HEAD_BYTES])
    if found is None:
        return None
    return f"camt.{found[1].decode()}" if found[1] else _BODY_MESSAGES[found[2]]


def _unknown(payload: bytes, refusal: Refused) -> Refused:
    if looks_like_mt(payload):
        rule = "camt.052, camt.053 or camt.054; MT940 and MT942 can be inspected, not booked"
        return Refused(RefusalCode.UNKNOWN_MESSAGE, "", rule)
    return refusal
