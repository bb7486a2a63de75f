"""A message of which a part was held, decided again: as if all had been decided at once."""

from decimal import Decimal

import pytest
from bank_messages import Bank, entry, notification, with_second

from recon_streams.kernel.disposition import Disposition


def test_a_replay_that_only_observes_is_applied_if_the_first_time_moved_money(bank: Bank) -> None:
    observed = entry("5.00", status="PDNG")
    message = with_second(notification(entry("30.00", ref="S-1")), observed, account="LATE")
    assert bank.says(message).disposition is Disposition.QUARANTINED
    bank.registers(bank_2="LATE")
    again = bank.decides(message)
    assert (again.disposition, again.events) == (Disposition.APPLIED, 1)
    assert bank.balance() == 1030


@pytest.mark.parametrize("status", ["BOOK", "PDNG"])
def test_a_message_is_never_a_duplicate_of_itself(bank: Bank, status: str) -> None:
    bank.registers(bank_2="LATE")
    bank.says(notification(entry("7.00", ref="S-2"), account="LATE", id_="M1"))
    bank.registers()
    first = notification(entry("30.00", ref="S-1", status=status), id_="M2")
    message = with_second(first, entry("7.00", ref="S-2"), account="LATE")
    bank.says(message)
    bank.registers(bank_2="LATE")
    again = bank.decides(message)
    expected = Disposition.APPLIED if status == "BOOK" else Disposition.OBSERVATION
    assert (again.disposition, again.duplicate_of, again.events) == (expected, None, 0)


def test_a_replay_of_what_was_known_from_elsewhere_names_the_original(bank: Bank) -> None:
    bank.says(notification(entry("30.00", ref="S-1"), id_="M1"))
    bank.registers(bank_2="LATE")
    bank.says(notification(entry("7.00", ref="S-2"), account="LATE", id_="M2"))
    bank.registers()
    first = notification(entry("30.00", ref="S-1"), id_="M3")
    message = with_second(first, entry("7.00", ref="S-2"), account="LATE")
    bank.says(message)
    bank.registers(bank_2="LATE")
    again = bank.decides(message)
    assert (again.disposition, again.duplicate_of) == (Disposition.DUPLICATE, "AE-1#2")


@pytest.mark.parametrize("order", [1, -1])
def test_a_payment_held_at_first_is_not_its_equal_in_the_same_message(
    bank: Bank, order: int
) -> None:
    one, precise = entry("30.00", ref="S-1"), entry("1.001", ref="S-9")
    first, second = [(one,), (one, precise)][::order]
    message = with_second(notification(*first), *second)
    assert bank.says(message).disposition is Disposition.QUARANTINED
    assert bank.balance() == 1030
    bank.registers(scale=3)
    assert bank.decides(message).disposition is Disposition.APPLIED
    assert bank.balance() == Decimal("1061.001")
