"""Whether a statement adds up: its opening plus everything booked is its closing, exactly.

Which of the balances is the opening and which the closing depends on the bank, the message and the
page; one rule decides it here for every caller. There is no tolerance, and currencies never mix.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum, unique
from typing import Final

import msgspec

from recon_streams.iso20022.values import Balance, Report
from recon_streams.kernel.money import ZERO, add, multiply, normal, subtract
from recon_streams.statements.tally import Tally

_TWO: Final = Decimal(2)
# ISO 20022 marks the balance at the edge of a page so, whatever its type.
_INTERMEDIATE: Final = "INTM"


@unique
class Hint(StrEnum):
    """A known habit of banks under which a statement that does not add up would."""

    REVERSALS_FLIPPED = "REVERSALS_FLIPPED"  # a reversal carries the indicator of its original
    VALUED_LATER_LEFT_OUT = "VALUED_LATER_LEFT_OUT"  # the closing waits for the value date
    PENDING_COUNTED = "PENDING_COUNTED"  # the closing contains what is only expected


class Equation(msgspec.Struct, frozen=True, kw_only=True):
    """One statement, report or page as a sum, in one currency.

    Attributes:
        currency: The account's; None if the report names none at all.
        opening: Signed; None where there is no opening that can be used.
        opening_code: OPBD, PRCD or ITBD; with the day as the bank printed it.
        closing: Signed; None where there is no closing that can be used.
        closing_code: CLBD or ITBD.
        closing_at: The instant of the closing, where the bank gave one.
        booked_credits: Sum of what is booked in `currency`; `booked_debits` is unsigned too.
        booked_count: How many entries that is.
        difference: The closing less opening + booked, so positive where the bank says more than its
            entries do; None where one of them is missing.
        hints: Habits under which the difference would be nothing.
        unsigned: Positions (from 1) of balances left out because nobody said their direction.
        foreign_balances: How many balances are in another currency.
        foreign_entries: How many entries are in another currency.
    """

    currency: str | None
    opening: Decimal | None = None
    opening_code: str | None = None
    opening_on: date | None = None
    closing: Decimal | None = None
    closing_code: str | None = None
    closing_on: date | None = None
    closing_at: datetime | None = None
    booked_credits: Decimal = ZERO
    booked_debits: Decimal = ZERO
    booked_count: int = 0
    difference: Decimal | None = None
    hints: tuple[Hint, ...] = ()
    unsigned: tuple[int, ...] = ()
    foreign_balances: int = 0
    foreign_entries: int = 0

    @property
    def booked(self) -> Decimal:
        """What the booked entries add to the balance, signed."""
        return subtract(self.booked_credits, self.booked_debits)

    @property
    def is_exact(self) -> bool:
        """Whether there are an opening and a closing, and they agree."""
        return self.difference is not None and not self.difference


def balance_of(
    report: Report, *, currency: str | None = None, missing_is_credit: bool = False
) -> Equation:
    """Return `report` as a sum.

    Args:
        report: With all its entries.
        currency: Whose balances and entries count; that of the account if it is not given.
        missing_is_credit: Whether a balance without a direction is in credit. Nothing says so but
            somebody who knows the bank; otherwise it is left out.
    """
    chosen = currency or currency_of(report)
    ends = ends_of(report.balances, chosen, missing_is_credit=missing_is_credit)
    tally = Tally(chosen, ends.closing.on if ends.closing else None)
    for entry in report.entries:
        tally.add(entry)
    return equation_of(ends, tally)


def currency_of(report: Report) -> str | None:
    """Return the account's currency: as said, else of its booked balances, else of its entries."""
    if report.account.currency:
        return report.account.currency
    for balance in report.balances:
        if balance.code in _OPENINGS or balance.code in _CLOSINGS:
            return balance.currency
    if report.entries:
        return report.entries[0].currency
    return report.balances[0].currency if report.balances else None


class Ends(msgspec.Struct, frozen=True, kw_only=True):
    """The two balances of a report that its entries must lead from and to."""

    currency: str | None
    opening: Balance | None
    closing: Balance | None
    unsigned: tuple[int, ...] = ()
    foreign: int = 0


_OPENINGS: Final = ("OPBD", "PRCD")
_CLOSINGS: Final = ("CLBD", "ITBD")


def ends_of(
    balances: Sequence[Balance], currency: str | None, *, missing_is_credit: bool = False
) -> Ends:
    """Return the opening and the closing among `balances`.

    The opening is OPBD, else PRCD, else, on a later page, the first of the interim balances; the
    closing is CLBD, else the last interim one. A single interim balance is an opening only where
    there is a CLBD behind it.
    """
    own = [(place, each) for place, each in enumerate(balances, start=1)]
    own = [(place, each) for place, each in own if each.currency == currency]
    booked = [each for each in own if each[1].code in (*_OPENINGS, *_CLOSINGS)]
    signed = [
        (place, each)
        for place, each in booked
        if missing_is_credit or each.direction is not None or not each.amount
    ]
    by_code: dict[str, list[Balance]] = {}
    for _, balance in signed:
        by_code.setdefault(_role_of(balance), []).append(balance)
    interim = sorted(by_code.get("ITBD", ()), key=_moment_of)
    closing = max(by_code.get("CLBD", ()), key=_moment_of, default=None)
    openings = (min(by_code[code], key=_moment_of) for code in _OPENINGS if code in by_code)
    opening = next(openings, None)
    if opening is None and interim and (closing is not None or len(interim) > 1):
        opening = interim.pop(0)
    if closing is None and interim:
        closing = interim[-1]
    return Ends(
        currency=currency,
        opening=opening,
        closing=closing,
        unsigned=tuple(place for place, each in booked if (place, each) not in signed),
        foreign=len(balances) - len(own),
    )


def equation_of(ends: Ends, tally: Tally) -> Equation:
    """Return the sum of what `tally` counted between `ends`."""
    opening = money_of(ends.opening) if ends.opening else None
    closing = money_of(ends.closing) if ends.closing else None
    difference = None
    if opening is not None and closing is not None:
        difference = normal(subtract(closing, add(opening, tally.net)))
    return Equation(
        currency=ends.currency,
        opening=opening,
        opening_code=ends.opening.code if ends.opening else None,
        opening_on=ends.opening.on if ends.opening else None,
        closing=closing,
        closing_code=_role_of(ends.closing) if ends.closing else None,
        closing_on=ends.closing.on if ends.closing else None,
        closing_at=ends.closing.at if ends.closing else None,
        booked_credits=normal(tally.credits),
        booked_debits=normal(tally.debits),
        booked_count=tally.count,
        difference=difference,
        hints=tuple(hints_of(difference, tally)) if difference else (),
        unsigned=ends.unsigned,
        foreign_balances=ends.foreign,
        foreign_entries=tally.foreign,
    )


def hints_of(difference: Decimal, tally: Tally) -> Iterable[Hint]:
    """Yield the habits of banks that would explain `difference`, the closing less the sum."""
    beyond = subtract(ZERO, difference)
    if tally.reversals and beyond == multiply(tally.reversals, _TWO):
        yield Hint.REVERSALS_FLIPPED
    if tally.valued_later and beyond == tally.valued_later:
        yield Hint.VALUED_LATER_LEFT_OUT
    if tally.pending and difference == tally.pending:
        yield Hint.PENDING_COUNTED


def money_of(balance: Balance) -> Decimal:
    """Return the money in `balance`, without the credit the bank grants."""
    return normal(subtract(balance.amount, balance.credit_line or ZERO))


def _role_of(balance: Balance) -> str:
    return "ITBD" if balance.sub_type == _INTERMEDIATE else balance.code or ""


def _moment_of(balance: Balance) -> tuple[date, time]:
    # Of balances of one kind the bank's order in time decides; sorting keeps its own order else.
    return balance.on or date.min, balance.at.time() if balance.at else time.min
