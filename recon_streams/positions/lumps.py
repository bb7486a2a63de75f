"""One line for many payments, told before they are listed by names it does not have. Pure.

Nothing says that the payments are the same money, and nothing says that they are not. So both
count, and it is said at once: a balance with money in it twice lets pay out what is not there.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from recon_streams.discrepancies.finding import Cause, Cleared, Finding, Kind, Source
from recon_streams.kernel.money import ZERO, add, amount_text, normal, subtract
from recon_streams.positions.bank_entries import PreparedEntry, Told
from recon_streams.positions.bank_record import WITHDRAWN, EntryRow, PaymentKey
from recon_streams.positions.identity import Rung

_AROUND: Final = (timedelta(0), timedelta(days=-1), timedelta(days=1))
# A statement of more days than these ends no suspicion of the first of them.
_DAYS_MAX: Final = 31


class LumpKey(NamedTuple):
    """What one line with an amount is found by."""

    number: int
    day: date
    amount: Decimal


class Lump(NamedTuple):
    """One line that may stand for many payments: it names none."""

    payment: PaymentKey
    day: date
    origin: str


class Seen(NamedTuple):
    """Payments of one report, its other pages, and the last day that a record decides."""

    payments: Collection[PaymentKey]
    siblings: Collection[str]
    through: date | None


class Lumps:
    """The lines whose amounts a batch asked about, those that came with it included."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found: dict[LumpKey, list[Lump]] = {}

    def learn(self, key: LumpKey, lump: Lump | None = None) -> None:
        """Add what the book knows of `key`; without a lump, that it was asked about."""
        known = self._found.setdefault(key, [])
        if lump is not None:
            known.append(lump)

    def note(self, row: EntryRow) -> None:
        """Add a new entry, if somebody may ask about it."""
        key = LumpKey(row.account, row.booked_on, normal(row.amount))
        if key in self._found and is_lump(row):
            payment = (row.account, row.sequence, row.part)
            self._found[key].append(Lump(payment, row.booked_on, row.origin))

    def like(self, number: int, day: date, amount: Decimal) -> Iterator[Lump]:
        """Yield the lines of `amount` on `day` or beside it."""
        for key in keys_of(number, day, amount):
            yield from self._found.get(key, ())


def is_lump(row: EntryRow) -> bool:
    """Return whether an entry may be many payments: it names none, and none was found in it."""
    names_none = row.uetr is None and row.end_to_end_id is None
    return names_none and not row.part and row.net == row.amount and row.code != WITHDRAWN


def keys_of(number: int, day: date, amount: Decimal) -> Iterator[LumpKey]:
    """Yield what a line of `amount` is found by that means what is booked on `day`."""
    for apart in _AROUND:
        yield LumpKey(number, day + apart, normal(amount))


def sums_of(entries: Iterable[PreparedEntry], *, together: bool) -> set[tuple[date, Decimal]]:
    """Return which sums the payments among `entries` make, each with its day.

    The payments of one entry make one; `together` says that all credits of a day, or all debits,
    may be listed in the place of one line as well.
    """
    found: set[tuple[date, Decimal]] = set()
    days: dict[tuple[date, bool], list[Decimal]] = {}
    for each in entries:
        day = each.entry.booked_on
        if day is None:
            continue
        if len(each.entry.details) > 1:
            found.add((day, each.signed_amount))
        elif together and _names_payment(each):
            days.setdefault((day, each.signed_amount > ZERO), []).append(each.signed_amount)
    found.update((day, _sum(amounts)) for (day, _), amounts in days.items() if len(amounts) > 1)
    return found


def _names_payment(entry: PreparedEntry) -> bool:
    return any(mark.rung is not Rung.ENTRY_SERVICER_REFERENCE for mark in entry.marks)


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for amount in amounts:
        total = add(total, amount)
    return normal(total)


def suspicions(
    lumps: Lumps, number: int, entries: Sequence[PreparedEntry], *, told: Told, seen: Seen
) -> Iterator[Finding]:
    """Yield which of the new `entries` add up to one line that counts beside them.

    Args:
        lumps: What the book knows.
        number: The account.
        entries: Of one report, those nobody knew.
        told: Which message tells them.
        seen: What the report is known to hold, and the day through which an anchor decides.
    """
    for day, amount in sorted(sums_of(entries, together=not told.stated)):
        for lump in lumps.like(number, day, amount):
            is_decided = seen.through is not None and max(day, lump.day) <= seen.through
            is_own = lump.payment in seen.payments or lump.origin in seen.siblings
            if not is_own and not is_decided:
                yield _suspected(number, lump, amount, told.origin)


def _suspected(number: int, lump: Lump, amount: Decimal, origin: str) -> Finding:
    return Finding(
        cause=_cause(number, lump.day),
        source=Source.STATEMENT,
        amount=normal(subtract(ZERO, amount)),
        on=lump.day,
        facts={
            "what": "payments add up to one line told before, and share no name with it: "
            "if they are that line, the balance holds them twice",
            "counted": amount_text(amount),
            "line": f"{lump.payment[1]}.{lump.payment[2]}",
            "line_origin": lump.origin,
            "origin": origin,
        },
    )


def decided(number: int, first: date | None, last: date, origin: str) -> Iterator[Cleared]:
    """Yield that the record of these days says what they hold, whatever was told before."""
    days = min((last - first).days if first else 0, _DAYS_MAX)
    for back in range(days + 1):
        proof = {"what": "the statement of the day is the bank's last word", "origin": origin}
        cause = _cause(number, last - timedelta(days=back))
        yield Cleared(cause=cause, source=Source.STATEMENT, proof=proof)


def _cause(number: int, day: date) -> Cause:
    return Cause(kind=Kind.DUPLICATE_TXN, account=number, subject=f"counted twice {day}")
