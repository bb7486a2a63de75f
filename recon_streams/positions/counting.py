"""What a report changes of payments that are known: which count now, which wait, and on which day.

Its new entries move the balance by events of their own; this is what is left over, told at the end.
"""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from recon_streams.kernel.money import ZERO, add, normal, subtract
from recon_streams.positions.bank_record import Payment
from recon_streams.positions.event import BankMoved, BankObserved, Evidence, HeldBack, Wait
from recon_streams.positions.holding import waits_in
from recon_streams.positions.state import AccountState


class Counting:
    """What one report changes, beside its new entries.

    Attributes:
        waits: Set if the report is a page whose entries are held back.
    """

    def __init__(self, state: AccountState, waits: Wait | None) -> None:
        """Begin with the account in `state`."""
        self.waits = waits
        self._state_held, self._stated_on = state.held, state.stated_on
        self._held: dict[tuple[str, date], Decimal] = {}
        self._moved: Decimal | None = None

    def hold(self, day: date, net: Decimal) -> None:
        """Let a new entry of the page wait."""
        assert self.waits is not None, "it is a page that waits"
        self._add(self.waits.hold, day, net)

    def announced(self, known: Payment) -> None:
        """Let a payment count at once that waited, because another message tells of it."""
        hold = self._hold_of(known)
        if hold is not None and self._is_open(known.day):
            self._add(hold, known.day, subtract(ZERO, known.net))
            self._move(known.net)

    def restated(self, known: Payment, day: date, *, recounted: bool) -> None:
        """Let a payment count on the day that the record of the day gives it.

        `recounted` says that the balance is stated anew, with the days as they are then.
        """
        if day == known.day:
            return
        hold = self._hold_of(known)
        if hold is not None:
            self._add(hold, known.day, subtract(ZERO, known.net))
            self._add(hold, day, known.net)
        elif not recounted and self._is_open(known.day) and not self._is_open(day):
            self._move(subtract(ZERO, known.net))
        elif not recounted and self._is_open(day) and not self._is_open(known.day):
            if self.waits is None:
                self._move(known.net)
            else:
                self._add(self.waits.hold, day, known.net)

    def events(
        self, *, at: datetime, evidence: Evidence, message: str
    ) -> Iterator[BankMoved | BankObserved]:
        """Yield what must be recorded of it."""
        held = tuple(
            HeldBack(hold, day.isoformat(), normal(net))
            for (hold, day), net in sorted(self._held.items())
        )
        if self._moved is not None:
            amount = normal(self._moved)
            # What a page holds is told by an event of its own, which says until when.
            own = () if self.waits else held
            yield BankMoved(
                at=at,
                evidence=evidence,
                amount=amount,
                entry_amount=amount,
                message=message,
                held=own,
            )
        if held and (self.waits or self._moved is None):
            yield BankObserved(
                at=at, evidence=evidence, message=message, held=held, waits=self.waits
            )

    def _hold_of(self, known: Payment) -> str | None:
        return None if known.announced else waits_in(self._state_held, known.origin, known.path)

    def _is_open(self, day: date) -> bool:
        return self._stated_on is None or day > self._stated_on

    def _add(self, hold: str, day: date, net: Decimal) -> None:
        self._held[hold, day] = add(self._held.get((hold, day), ZERO), net)

    def _move(self, net: Decimal) -> None:
        self._moved = add(self._moved or ZERO, net)
