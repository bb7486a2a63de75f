"""Laws of identity: whichever observations came first, the rule decides what is one payment."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from recon_streams.positions.identity import NEAR, Mark, Rung
from recon_streams.positions.known import Claims, Known

DAY = date(2026, 11, 20)
RUNGS = (Rung.UETR, Rung.TRANSACTION_SERVICER_REFERENCE, Rung.END_TO_END_ID)


@dataclass(frozen=True)
class Observation:
    """What one message says of a payment: at most one value on each rung, and the booking day."""

    values: dict[Rung, str]
    day: date

    @property
    def marks(self) -> tuple[Mark, ...]:
        return tuple(Mark(rung, f"{rung}{self.values[rung]}".encode()) for rung in self.values)


@dataclass
class Payment:
    """One payment of the auditor: all that was ever said of it."""

    said: list[Observation] = field(default_factory=list)

    def is_meant_by(self, new: Observation) -> bool:
        """Return whether the rule takes `new` for this payment, in the words of the rule."""
        for rung in (rung for rung in RUNGS if rung in new.values):
            same = [old for old in self.said if old.values.get(rung) == new.values[rung]]
            # A mark keeps the day on which it was first seen.
            if same and abs(same[0].day - new.day) <= NEAR:
                return True
            if not same and any(rung in old.values for old in self.said):
                return False
        return False


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    values = {rung: draw(st.sampled_from(("", "A", "B"))) for rung in RUNGS}
    return Observation(
        values={rung: value for rung, value in values.items() if value},
        day=DAY + timedelta(days=draw(st.sampled_from((0, 9, 11)))),
    )


@given(st.lists(observations(), max_size=12))
def test_what_is_found_is_what_the_rule_says_of_everything_ever_said(
    told: list[Observation],
) -> None:
    known, payments = Known(), dict[int, Payment]()
    for sequence, new in enumerate(told, start=1):
        seen = known.find(1, new.marks, booked_on=new.day, claimed=Claims())
        meant = {number for number, payment in payments.items() if payment.is_meant_by(new)}
        assert (seen is None) == (not meant)
        assert seen is None or seen.sequence in meant
        payment = seen.sequence if seen else sequence
        known.learn(1, new.marks, payment=(payment, 0), booked_on=new.day)
        payments.setdefault(payment, Payment()).said.append(new)


@given(st.lists(observations(), min_size=1, max_size=6))
def test_payments_that_another_entry_has_taken_are_not_available(told: list[Observation]) -> None:
    known = Known()
    for sequence, new in enumerate(told, start=1):
        known.learn(1, new.marks, payment=(sequence, 0), booked_on=new.day)
    claimed = Claims()
    for sequence in range(1, len(told) + 1):
        claimed.add((sequence, 0))
    for new in told:
        assert known.find(1, new.marks, booked_on=new.day, claimed=claimed) is None
