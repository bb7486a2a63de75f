"""Messages that something has changed on their way: every one is decided, and the book agrees.

Seeded: real banks' files, and days of one account with pages, corrections and batches, with
elements swapped, doubled and left out, and other numbers and days in them.
"""

import random
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from bank_messages import U1, U2, detail, entry
from statement_office import ROOTS, Office

from recon_streams.iso20022.reader import read
from recon_streams.kernel.disposition import Disposition
from recon_streams.kernel.refusal import RefusalCode, Refused

pytestmark = pytest.mark.postgres

SAMPLES: Final = Path(__file__).parents[1] / "data" / "camt" / "public"
KIND_OF: Final = {"camt.052": "052", "camt.053": "053", "camt.054": "054"}
LIKELY: Final = (Disposition.APPLIED, Disposition.QUARANTINED, Disposition.DUPLICATE)
MESSAGES: Final = 500
_VALUE: Final = re.compile(rb">([^<>]{1,40})<")
_NUMBER: Final = re.compile(rb"\d+(?:[.,]\d+)?")
_LEAF: Final = re.compile(rb"<(\w+)[^<>]*>[^<>]*</\1>")
_ENTRY: Final = re.compile(rb"<Ntry>.*?</Ntry>", re.DOTALL)
_ACCOUNT: Final = re.compile(rb"(<Acct>\s*<Id>).*?(</Id>\s*(?:<[CNOST]|</Acct>))", re.DOTALL)
_DAY: Final = re.compile(rb"20[012]\d-\d\d-(\d\d)")
_OTHERS: Final = (b"0", b"1", b"12.5", b"99999999999.99", b"0001", b"9999", b"31", b"2026", b"1970")


class Chance:
    """What happens to messages on the way, by one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def line(self, day: int) -> str:
        """Return the line of a message of about `day` in November."""
        draw, day = self.random, max(1, day + self.random.randint(-3, 1))
        kind = draw.choice(("052", "053", "053", "054"))
        amount, times = draw.choice((-30, -10, 5, 10)), draw.choice((0, 1, 1, 2))
        said = [f"{draw.choice('ABCab')}{amount:+}"] * times
        start = draw.choice((1000, 1005, 990))
        closing = start + times * amount if draw.random() < 0.7 else 1030
        opening = str(start) if draw.random() < 0.9 else "?"
        number = f" #{draw.randint(1, 9)}" if draw.random() < 0.5 else ""
        page = draw.choice(("", "", "", f"page={draw.choice((0, 1, 1, 2))}/{draw.randint(0, 2)}"))
        words = [page] if page else []
        words += ["close=ITBD"] if draw.random() < 0.2 else []
        words += [f"id=S{draw.randint(1, 4)}"] if draw.random() < 0.4 else []
        balances = "" if kind == "054" else f" {opening} > {closing}"
        return f"{kind} {day:02d}{number}:{balances} | {' '.join([*said, *words])}"

    def batch(self) -> str:
        """Return a batch of two, or one of its payments by itself, or nothing."""
        day = f"2026-11-{self.random.randint(1, 20):02d}"
        one, other = detail(uetr=U1, amount="10.00"), detail(uetr=U2, amount="20.00")
        whole = entry("30.00", ref="BATCH", details=one + other, day=day)
        line = entry("30.00", ref="BATCH", day=day)
        single = entry("10.00", details=detail(uetr=U1), day=day)
        return self.random.choice((whole, line, single, "", "", ""))

    def changed(self, payload: bytes) -> bytes:
        """Return `payload` with nothing, or up to four things, changed."""
        for _ in range(self.random.choice((0, 0, 0, 1, 1, 2, 4))):
            payload = self.random.choice(
                (self._cut, self._swapped, self._swapped, self._renumbered, self._leaf, self._entry)
            )(payload)
        return payload

    def _cut(self, payload: bytes) -> bytes:
        start = self.random.randrange(len(payload) + 1)
        return payload[:start] + payload[start + self.random.randint(1, 30) :]

    def _swapped(self, payload: bytes) -> bytes:
        return self._put(payload, _VALUE, b">" + self._one(payload, _VALUE)[1:-1] + b"<")

    def _renumbered(self, payload: bytes) -> bytes:
        return self._put(payload, _NUMBER, self.random.choice(_OTHERS))

    def _leaf(self, payload: bytes) -> bytes:
        return self._put(payload, _LEAF, self._one(payload, _LEAF) * self.random.choice((0, 2)))

    def _entry(self, payload: bytes) -> bytes:
        return self._put(payload, _ENTRY, self._one(payload, _ENTRY) * self.random.choice((0, 2)))

    def _one(self, payload: bytes, what: re.Pattern[bytes]) -> bytes:
        found = [match[0] for match in what.finditer(payload)]
        return self.random.choice(found) if found else b""

    def _put(self, payload: bytes, where: re.Pattern[bytes], new: bytes) -> bytes:
        places = [match.span() for match in where.finditer(payload)]
        if not places:
            return payload
        start, end = self.random.choice(places)
        return payload[:start] + new + payload[end:]


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happened_to_a_message_it_is_decided(office: Office, seed: int) -> None:
    chance, became = Chance(seed), Counter[Disposition]()
    real = real_messages()
    for number in range(MESSAGES):
        if chance.random.random() < 0.2:
            kind, payload = chance.random.choice(real)
            payload = _DAY.sub(lambda day: b"2026-11-%02d" % (1 + int(day[1]) % 20), payload)
            payload = _to_account(payload, office.bank_id)
        else:
            line = chance.line(1 + 19 * number // MESSAGES)
            kind, end = line[:3], f"</{ROOTS[line[:3]][1]}>"
            payload = office.message(line).decode().replace(end, chance.batch() + end).encode()
            office.messages += 1
        at = datetime(2026, 11, 20, 9, tzinfo=UTC) + timedelta(minutes=number)
        (outcome,) = await office.take(kind, [chance.changed(payload)], at)
        assert all(held.code is not RefusalCode.DECISION_FAILED for held in outcome.held), number
        became[outcome.disposition] += 1
    assert min(became[each] for each in LIKELY) > 4, became


def real_messages() -> Sequence[tuple[str, bytes]]:
    """Return the readable files of real banks that are not large."""
    found = []
    for path in sorted(SAMPLES.rglob("*.xml")):
        payload = path.read_bytes()
        try:
            message = read(payload, validate=False)
        except Refused:
            continue
        if len(payload) < 60_000:
            found.append((KIND_OF[message.message], payload))
    return found


def _to_account(payload: bytes, bank_id: str) -> bytes:
    """Return `payload` about the account of the bank that is called `bank_id`."""
    other = f"<Othr><Id>{bank_id}</Id></Othr>".encode()
    payload = _ACCOUNT.sub(rb"\1" + other + rb"\2", payload)
    return re.sub(rb"[Cc]cy=\"\w{3}\"|(?<=<Ccy>)\w{3}", _in_dirhams, payload)


def _in_dirhams(match: re.Match[bytes]) -> bytes:
    return b'Ccy="AED"' if b"=" in match[0] else b"AED"
