"""What an opening figure contains is not added to it again; what came after it is."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from bank_messages import U1, U2, Bank, detail, entry, notification

from recon_streams.kernel.disposition import Disposition
from recon_streams.positions.event import BankObserved
from recon_streams.positions.opening import contains

AS_OF = datetime.fromisoformat("2026-11-20T09:00:00+04:00")


@pytest.fixture
def opened(bank: Bank) -> Bank:
    """A bank whose figure was attested at nine in the morning of the twentieth, in Dubai."""
    bank.registers(opened_at=AS_OF)
    return bank


@pytest.mark.parametrize(
    ("day", "instant", "contained"),
    [
        ("2026-11-19", None, True),
        ("2026-11-20", None, False),
        ("2026-11-21", None, False),
        ("0001-01-01", "0001-01-01T00:00:00+00:00", True),
        ("9999-12-31", "9999-12-31T23:59:59+00:00", False),
        ("2026-11-20", "2026-11-20T08:59:59+04:00", True),
        ("2026-11-20", "2026-11-20T09:00:00+04:00", True),
        ("2026-11-20", "2026-11-20T09:00:01+04:00", False),
        # Another zone prints another day of the same instant.
        ("2026-11-19", "2026-11-19T23:30:00-06:00", False),
        ("2026-11-21", "2026-11-21T01:00:00+14:00", False),
        # A bank that has only the day prints midnight.
        ("2026-11-20", "2026-11-20T00:00:00+04:00", False),
        ("2026-11-20", "2026-11-20T00:00:00+00:00", False),
        ("2026-11-19", "2026-11-19T00:00:00+04:00", True),
    ],
)
def test_an_entry_is_contained_if_it_was_booked_before(
    day: str, instant: str | None, *, contained: bool
) -> None:
    booked_at = datetime.fromisoformat(instant) if instant else None
    found = contains(AS_OF, booked_on=date.fromisoformat(day), booked_at=booked_at)
    assert found is contained


def test_an_entry_without_a_day_is_not_contained() -> None:
    assert not contains(AS_OF, booked_on=None, booked_at=None)


def test_an_entry_booked_before_the_opening_moves_nothing(opened: Bank) -> None:
    outcome = opened.says(notification(entry("30.00", ref="S-1", day="2026-11-19"), id_="M1"))
    assert (outcome.disposition, outcome.events) == (Disposition.OBSERVATION, 1)
    assert opened.balance() == 1000
    event = opened.working.steps[-1].event
    assert isinstance(event, BankObserved)
    assert event.evidence is not None
    assert event.evidence.path == "Ntfctn[1]/Ntry[1]"


def test_an_entry_of_the_day_of_the_opening_moves(opened: Bank) -> None:
    assert opened.says(notification(entry("30.00"))).disposition is Disposition.APPLIED
    assert opened.balance() == 1030


def test_what_the_opening_contains_is_recognised_when_it_comes_again(opened: Bank) -> None:
    opened.says(notification(entry("30.00", ref="S-1", day="2026-11-19"), id_="M1"))
    again = opened.says(notification(entry("30.00", ref="S-1"), id_="M2"))
    assert again.disposition is Disposition.DUPLICATE
    assert opened.balance() == 1000, "another booking day of the same payment is no new money"


def test_the_parts_of_a_contained_batch_move_nothing_either(opened: Bank) -> None:
    parts = detail(uetr=U1, amount="30.00") + detail(uetr=U2, amount="70.00")
    opened.says(notification(entry("100.00", ref="B", details=parts, day="2026-11-19"), id_="M1"))
    opened.says(notification(entry("30.00", details=detail(uetr=U1)), id_="M2"))
    assert opened.balance() == 1000


def test_a_contained_entry_beside_a_new_one_leaves_the_new_one_its_effect(opened: Bank) -> None:
    old, new = entry("30.00", ref="S-1", day="2026-11-19"), entry("7.00", ref="S-2")
    outcome = opened.says(notification(old, new))
    assert (outcome.disposition, outcome.events) == (Disposition.APPLIED, 2)
    assert opened.balance() == 1007


def test_a_contained_debit_is_still_the_bank_leg_of_its_payment(opened: Bank) -> None:
    paid = entry("30.00", "DBIT", details=detail(e2e="PAY-1"), day="2026-11-19")
    opened.says(notification(paid))
    assert opened.working.known.bank_legs == {(1, "PAY-1"): Decimal(-30)}
    event = opened.working.steps[-1].event
    assert isinstance(event, BankObserved)
    assert [(leg.reference, leg.amount) for leg in event.legs] == [("PAY-1", -30)]


@pytest.mark.parametrize(
    ("instant", "balance"),
    [
        ("2026-11-20T08:30:00+04:00", 1000),
        ("2026-11-20T09:30:00+04:00", 1030),
        ("2026-11-20T03:00:00", 1030),  # of which zone nobody knows
    ],
)
def test_the_instant_of_a_booking_counts_if_its_zone_is_known(
    opened: Bank, instant: str, balance: int
) -> None:
    message = notification(entry("30.00", ref="S-1"))
    opened.says(message.replace("<Dt>2026-11-20</Dt>", f"<DtTm>{instant}</DtTm>"))
    assert opened.balance() == balance


def test_without_an_attested_bank_figure_every_entry_moves(bank: Bank) -> None:
    bank.says(notification(entry("30.00", day="2026-11-01")))
    assert bank.balance() == 1030
