"""One economic event moves a balance once, however often and in whatever pieces it is reported."""

import pytest
from bank_messages import U1, U2, Bank, detail, entry, notification, with_second

from recon_streams.kernel.disposition import Disposition
from recon_streams.kernel.refusal import RefusalCode


def test_a_credit_raises_and_a_debit_lowers_the_booked_balance(bank: Bank) -> None:
    outcome = bank.says(notification(entry("30.00"), entry("10.00", "DBIT")))
    assert outcome.disposition is Disposition.APPLIED
    assert bank.balance() == 1020


def test_the_same_message_again_changes_nothing_and_names_the_first(bank: Bank) -> None:
    bank.says(notification(entry("30.00")))
    again = bank.says(notification(entry("30.00")))
    assert again.disposition is Disposition.DUPLICATE
    assert again.duplicate_of == "bank.notifications/0/1"
    assert bank.balance() == 1030


def test_the_same_movement_under_another_message_id_is_one_payment(bank: Bank) -> None:
    bank.says(notification(entry("30.00", ref="S-1"), id_="M1"))
    again = bank.says(notification(entry("30.00", ref="S-1", day="2026-11-21"), id_="M2"))
    assert again.disposition is Disposition.DUPLICATE
    assert bank.balance() == 1030


def test_two_equal_payments_in_one_message_are_two_payments(bank: Bank) -> None:
    twice = (entry("30.00", ref="S-1"), entry("30.00", ref="S-1"))
    bank.says(notification(*twice, id_="M1"))
    assert bank.balance() == 1060
    bank.says(notification(*twice, id_="M2"))
    assert bank.balance() == 1060, "the k-th of one message pairs with the k-th of the other"


def test_two_equal_payments_in_two_notifications_of_one_message_are_two(bank: Bank) -> None:
    one = entry("30.00", ref="S-1")
    bank.says(with_second(notification(one, id_="M1"), one))
    assert bank.balance() == 1060
    bank.says(notification(one, one, id_="M2"))
    assert bank.balance() == 1060, "the k-th of one message pairs with the k-th of the other"


def test_a_payment_beside_a_batch_that_is_known_is_not_a_part_of_it(bank: Bank) -> None:
    bank.says(notification(BATCH, id_="M1"))
    bank.says(notification(BATCH, entry("30.00", details=detail(uetr=U1)), id_="M2"))
    assert bank.balance() == 1130
    assert bank.says(PARTS[0]).disposition is Disposition.DUPLICATE


def test_equal_payments_without_any_reference_are_never_collapsed(bank: Bank) -> None:
    bank.says(notification(entry("5.00", "DBIT"), id_="M1"))
    bank.says(notification(entry("5.00", "DBIT"), id_="M2"))
    assert bank.balance() == 990


def test_a_reused_reference_with_another_uetr_is_another_payment(bank: Bank) -> None:
    bank.says(notification(entry("30.00", ref="S-1", details=detail(uetr=U1)), id_="M1"))
    bank.says(notification(entry("30.00", ref="S-1", details=detail(uetr=U2)), id_="M2"))
    assert bank.balance() == 1060


def test_a_reference_reused_in_another_month_is_another_payment(bank: Bank) -> None:
    bank.says(notification(entry("30.00", ref="S-1"), id_="M1"))
    bank.says(notification(entry("30.00", ref="S-1", day="2026-10-20"), id_="M2"))
    assert bank.balance() == 1060


def test_a_payment_is_recognised_by_a_reference_learned_from_a_second_message(bank: Bank) -> None:
    bank.says(notification(entry("30.00", ref="S-1"), id_="M1"))
    bank.says(notification(entry("30.00", ref="S-1", details=detail(uetr=U1)), id_="M2"))
    bank.says(notification(entry("30.00", details=detail(uetr=U1)), id_="M3"))
    assert bank.balance() == 1030


def test_of_two_payments_with_one_end_to_end_id_each_stronger_reference_tells_them_apart(
    bank: Bank,
) -> None:
    same = {"e2e": "RENT", "payer": "PAYER-1"}
    first = detail(uetr=U1, ref="T-1", **same)
    bank.says(notification(entry("30.00", details=first), id_="M1"))
    second = bank.says(notification(entry("30.00", details=detail(ref="T-2", **same)), id_="M2"))
    assert second.disposition is Disposition.APPLIED
    assert bank.balance() == 1060


def test_a_reference_learned_from_a_second_message_tells_payments_apart_too(bank: Bank) -> None:
    same = {"e2e": "RENT", "payer": "PAYER-1"}
    bank.says(notification(entry("30.00", details=detail(**same)), id_="M1"))
    bank.says(notification(entry("30.00", details=detail(ref="T-1", **same)), id_="M2"))
    assert bank.balance() == 1030
    bank.says(notification(entry("30.00", details=detail(ref="T-2", **same)), id_="M3"))
    assert bank.balance() == 1060


def test_a_stronger_reference_in_common_outweighs_a_weaker_one_that_differs(bank: Bank) -> None:
    bank.says(notification(entry("30.00", ref="S-1", details=detail(uetr=U1)), id_="M1"))
    bank.says(notification(entry("30.00", ref="S-2", details=detail(uetr=U1)), id_="M2"))
    assert bank.balance() == 1030


def test_a_part_is_recognised_by_a_reference_that_only_the_batch_gave(bank: Bank) -> None:
    bank.says(notification(entry("30.00", details=detail(uetr=U1)), id_="M1"))
    parts = detail(uetr=U1, ref="T-1", amount="30.00") + detail(uetr=U2, amount="70.00")
    bank.says(notification(entry("100.00", ref="B-1", details=parts), id_="M2"))
    assert bank.balance() == 1100
    bank.says(notification(entry("30.00", details=detail(ref="T-1")), id_="M3"))
    assert bank.balance() == 1100


BATCH = entry(
    "100.00",
    ref="B-1",
    details=detail(uetr=U1, amount="30.00") + detail(uetr=U2, amount="70.00"),
)
PARTS = (
    notification(entry("30.00", ref="P-1", details=detail(uetr=U1)), id_="P1"),
    notification(entry("70.00", ref="P-2", details=detail(uetr=U2)), id_="P2"),
)


def test_a_batch_notified_first_does_not_book_its_parts_again(bank: Bank) -> None:
    bank.says(notification(BATCH, id_="B"))
    assert [bank.says(part).disposition for part in PARTS] == [Disposition.DUPLICATE] * 2
    assert bank.balance() == 1100


def test_a_batch_notified_after_its_parts_books_only_what_is_left(bank: Bank) -> None:
    bank.says(PARTS[0])
    bank.says(notification(BATCH, id_="B"))
    assert bank.balance() == 1100, "never 30 + 100"
    assert bank.last_event().amount == 70
    bank.says(PARTS[1])
    assert bank.balance() == 1100


def test_a_batch_books_the_entry_and_keeps_the_remainder_explicit(bank: Bank) -> None:
    charged = entry(
        "1526.00", details=detail(uetr=U1, amount="700") + detail(uetr=U2, amount="800")
    )
    bank.says(notification(charged, id_="M1"))
    assert bank.balance() == 2526
    assert bank.last_event().remainder == 26
    bank.says(notification(charged, id_="M2"))
    assert bank.balance() == 2526, "its parts name a batch that has no reference of its own"


def test_parts_of_both_directions_are_summed_signed(bank: Bank) -> None:
    mixed = detail(uetr=U1, amount="80.00") + detail(uetr=U2, amount="30.00", direction="DBIT")
    bank.says(notification(entry("50.00", details=mixed)))
    assert bank.last_event().remainder == 0
    assert bank.balance() == 1050


@pytest.mark.parametrize("status", ["PDNG", "INFO", "FUTR"])
def test_what_is_not_booked_never_moves_the_booked_balance(bank: Bank, status: str) -> None:
    outcome = bank.says(notification(entry("30.00", status=status, ref="S-1"), id_="M1"))
    assert outcome.disposition is Disposition.OBSERVATION
    assert bank.balance() == 1000
    bank.says(notification(entry("30.00", ref="S-1"), id_="M2"))
    assert bank.balance() == 1030, "booked later, it counts once"


def test_a_reversal_keeps_the_sign_of_its_own_indicator(bank: Bank) -> None:
    bank.says(notification(entry("30.00", "DBIT", ref="S-1"), id_="M1"))
    bank.says(
        notification(entry("30.00", "CRDT", ref="S-1", more="<RvslInd>1</RvslInd>"), id_="M2")
    )
    assert bank.balance() == 1000


def test_the_reference_of_a_debit_becomes_the_leg_of_a_payment(bank: Bank) -> None:
    bank.says(notification(entry("30.00", "DBIT", details=detail(e2e="PAY-1"))))
    assert [(leg.reference, leg.amount) for leg in bank.last_event().legs] == [("PAY-1", -30)]


def test_the_same_id_with_another_content_is_a_conflict_for_a_person(bank: Bank) -> None:
    bank.says(notification(entry("30.00")))
    other = bank.says(notification(entry("31.00")))
    assert other.disposition is Disposition.QUARANTINED
    assert other.held[0].code is RefusalCode.ID_CONFLICT
    assert bank.balance() == 1030


def test_an_unknown_account_is_held_and_its_neighbours_go_on(bank: Bank) -> None:
    two = notification(entry("30.00")).replace(
        "</BkToCstmrDbtCdtNtfctn>",
        "<Ntfctn><Id>N2</Id><Acct><Id><Othr><Id>NOBODY</Id></Othr></Id></Acct>"
        + entry("1.00")
        + "</Ntfctn></BkToCstmrDbtCdtNtfctn>",
    )
    outcome = bank.says(two)
    assert outcome.disposition is Disposition.QUARANTINED
    assert [held.code for held in outcome.held] == [RefusalCode.UNKNOWN_ACCOUNT]
    assert outcome.held[0].field == "Ntfctn[2]/Acct/Id"
    assert bank.balance() == 1030


def test_another_currency_is_never_added_to_the_account(bank: Bank) -> None:
    outcome = bank.says(notification(entry("30.00"), entry("30.00", currency="USD")))
    assert outcome.held[0].code is RefusalCode.CURRENCY_MISMATCH
    assert bank.balance() == 1000


def test_more_decimals_than_the_account_has_are_refused(bank: Bank) -> None:
    outcome = bank.says(notification(entry("30.001")))
    assert outcome.held[0].code is RefusalCode.AMOUNT_TOO_PRECISE
    assert outcome.held[0].field == "Ntfctn[1]/Ntry[1]/Amt"


def test_a_test_message_is_not_booked_unless_the_installation_is_a_test(bank: Bank) -> None:
    message = notification(entry("30.00"), info="SPS/2.1/TEST")
    assert bank.says(message).held[0].code is RefusalCode.TEST_MESSAGE
    assert bank.balance() == 1000
    assert bank.says(message, accept_test=True).disposition is Disposition.APPLIED


def test_a_message_from_the_future_is_held(bank: Bank) -> None:
    message = notification(entry("30.00")).replace("2026-11-20T08", "2026-11-22T08")
    assert bank.says(message).held[0].code is RefusalCode.FUTURE_INSTANT


def test_a_notification_without_entries_shows_that_the_feed_lives(bank: Bank) -> None:
    message = notification().replace("</Acct>", "<Ccy>AED</Ccy></Acct>")
    assert bank.says(message).disposition is Disposition.OBSERVATION
