"""Payments between their two legs, told as storyboards: what may cover a shortage, and how long."""

from collections.abc import Callable
from typing import Any

Storyboard = Callable[[str], Any]


def test_an_announced_payout_covers_its_debit_until_the_ledger_redeems(
    storyboard: Storyboard,
) -> None:
    storyboard("""
        opening  bank 5000000.00 ledger 5000000.00
        proven                                     => CLOSED
        ledger   payout P-1 1000.00 due +900s      => OK, reserved 1000
        bank     -1000.00 P-1  => OK by EQUAL, raw CRITICAL by SHORTAGE, difference -1000, explained -1000, unexplained 0, transition none
        ledger   redeem 1000.00 P-1  => OK, raw OK, explained 0, reserved 0, CLOSED
    """)  # noqa: E501 - one row of a storyboard is one line


def test_a_hold_covers_its_debit_too(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        ledger   hold H-1 250.00
        bank     -250.00 H-1  => OK by EQUAL, raw CRITICAL, explained -250
    """)


def test_a_hold_that_matches_no_debit_covers_nothing(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        proven
        ledger   hold H-1 250.00
        bank     -250.00        => CRITICAL by SHORTAGE, explained 0, OPEN
    """)


def test_a_debit_under_another_reference_is_not_covered(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        ledger   payout P-1 250.00
        bank     -250.00 P-2    => CRITICAL by SHORTAGE, explained 0
    """)


def test_a_payout_covers_no_more_than_was_announced(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        ledger   payout P-1 250.00
        bank     -250.01 P-1    => CRITICAL by SHORTAGE, explained -250, unexplained -0.01
    """)


def test_each_payment_covers_only_itself(storyboard: Storyboard) -> None:
    # Together the two announcements are large enough; one by one they are not.
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        ledger   payout P-1 100.00
        ledger   payout P-2 900.00
        bank     -300.00 P-1    => CRITICAL by SHORTAGE, explained -100, unexplained -200
    """)


def test_several_payments_in_flight_are_covered_item_by_item(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        ledger   payout P-1 100.00
        ledger   payout P-2 200.00
        bank     -100.00 P-1    => OK, explained -100
        bank     -200.00 P-2    => OK, explained -300, raw CRITICAL
        ledger   redeem 200.00 P-2  => OK, explained -100
        ledger   redeem 100.00 P-1  => OK, explained 0, raw OK
    """)


def test_a_payout_may_be_debited_in_parts(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        ledger   payout P-1 100.00
        bank     -40.00 P-1         => OK, explained -40
        bank     -60.00 P-1         => OK, explained -100
        ledger   redeem 70.00 P-1   => OK, explained -30, reserved 30
    """)


def test_a_payment_covers_until_it_is_due_and_not_at_that_instant(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        proven
        09:20:00 ledger payout P-1 100.00 due 09:35:00  => wakes 09:35:00
        09:20:01 bank   -100.00 P-1  => OK, CLOSED, wakes 09:35:00
        09:34:59 bank   observed     => OK, explained -100, CLOSED
        09:35:00 time   passes       => CRITICAL by SHORTAGE, explained 0, OPEN, payments P-1
    """)


def test_a_debit_that_arrives_when_its_payout_is_due_is_not_covered(
    storyboard: Storyboard,
) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        09:00:01 ledger payout P-1 100.00 due 09:00:10
        09:00:10 bank   -100.00 P-1  => CRITICAL by SHORTAGE
    """)


def test_a_due_time_of_zero_is_the_literal_rule(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        09:00:01 ledger payout P-1 100.00 due 09:00:01
        09:00:01 bank   -100.00 P-1  => CRITICAL by SHORTAGE
    """)


def test_a_redeem_before_its_debit_is_explained_too(storyboard: Storyboard) -> None:
    # Otherwise every payout that the ledger books first would count as a surplus.
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        ledger   payout P-1 100.00
        ledger   redeem 100.00 P-1  => OK by EQUAL, raw CRITICAL by ABOVE_CRITICAL, explained 100
        bank     -100.00 P-1        => OK by EQUAL, raw OK, explained 0
    """)


def test_money_that_left_without_its_debit_is_missing(storyboard: Storyboard) -> None:
    # The ledger has redeemed a payout the bank still holds: that money must be there, as surplus.
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        ledger   payout P-1 100.00
        ledger   redeem 100.00 P-1  => OK
        bank     -100.00            => CRITICAL by SHORTAGE, difference 0, unexplained -100, raw OK
    """)


def test_what_is_left_of_a_difference_with_nothing_at_the_bank_is_critical(
    storyboard: Storyboard,
) -> None:
    # Money left for a payout of more than the ledger holds: the rest has no balance to be part of.
    storyboard("""
        opening  bank 150.00 ledger 100.00
        ledger   payout P-1 150.00
        bank     -150.00 P-1   => CRITICAL by SURPLUS_WITHOUT_BALANCE, unexplained 50, bank 0
    """)


def test_a_payout_of_everything_is_covered_like_any_other(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00
        proven
        ledger   payout P-1 100.00
        bank     -100.00 P-1        => OK by EQUAL, raw CRITICAL by SHORTAGE, bank 0, CLOSED
        ledger   redeem 100.00 P-1  => OK by EQUAL, raw OK by EQUAL, ledger 0
    """)


def test_an_announced_deposit_explains_money_before_its_tokens(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        ledger   deposit D-1 100.00  => OK, reserved 0
        bank     +100.00 D-1         => OK by EQUAL, raw CRITICAL by ABOVE_CRITICAL, explained 100
        ledger   issue 100.00 D-1    => OK by EQUAL, raw OK, explained 0
    """)


def test_a_deposit_never_excuses_tokens_before_their_money(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        ledger   deposit D-1 100.00
        ledger   issue 100.00 D-1   => CRITICAL by SHORTAGE, explained 0, difference -100
    """)


def test_a_deposit_never_excuses_the_shortage_of_somebody_else(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        ledger   deposit D-1 100.00
        bank     +100.00 D-1
        bank     -100.00       => CRITICAL by SHORTAGE, difference 0, unexplained -100
    """)


def test_an_announcement_after_its_debit_covers_it_from_then_on(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        bank     -100.00 P-1         => CRITICAL by SHORTAGE
        ledger   payout P-1 100.00   => OK by EQUAL, explained -100
    """)


def test_an_announcement_after_both_legs_explains_nothing(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        bank     -100.00 P-1
        ledger   redeem 100.00 P-1   => OK by EQUAL
        ledger   payout P-1 100.00   => OK by EQUAL, explained 0, reserved 0
    """)


def test_a_release_ends_the_cover(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        ledger   hold H-1 100.00
        bank     -100.00 H-1   => OK
        ledger   release H-1   => CRITICAL by SHORTAGE, explained 0, reserved 0, payments none
    """)


def test_a_release_of_an_unknown_payment_changes_nothing(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        ledger   release H-1   => OK by EQUAL, payments none, reserved 0
    """)


def test_a_release_that_overtook_its_hold_still_ends_it(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        ledger   release H-1 #8
        ledger   hold H-1 100.00 #7  => reserved 0, payments none
        bank     -100.00 H-1         => CRITICAL by SHORTAGE
    """)


def test_a_release_does_not_end_a_later_announcement(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        ledger   payout H-1 100.00 #9
        ledger   release H-1 #8      => reserved 100, payments H-1
        bank     -100.00 H-1         => OK
    """)


def test_the_later_of_two_announcements_counts(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        ledger   hold P-1 300.00 #1    => reserved 300
        ledger   payout P-1 100.00 #2  => reserved 100
        bank     -300.00 P-1           => CRITICAL by SHORTAGE, explained -100
    """)


def test_the_later_of_two_announcements_counts_also_when_it_arrives_first(
    storyboard: Storyboard,
) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        ledger   payout P-1 100.00 #2
        ledger   hold P-1 300.00 #1    => reserved 100
        bank     -300.00 P-1           => CRITICAL by SHORTAGE, explained -100
    """)


def test_a_later_announcement_keeps_the_legs_that_have_arrived(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        ledger   hold P-1 300.00
        bank     -100.00 P-1         => explained -100
        ledger   payout P-1 300.00   => OK, explained -100, reserved 300
        ledger   redeem 100.00 P-1   => OK, explained 0, reserved 200
    """)


def test_a_returned_payment_is_open_again_until_it_is_due(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        09:01:00 ledger payout P-1 100.00 due 09:16:00
        bank     -100.00 P-1
        ledger   redeem 100.00 P-1   => OK, raw OK, payments P-1
        bank     +100.00 P-1         => OK, raw CRITICAL by ABOVE_CRITICAL, explained 100
        09:16:00 time passes         => CRITICAL by ABOVE_CRITICAL, explained 0, payments P-1
    """)


def test_a_settled_payment_is_forgotten_when_it_is_due(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        09:01:00 ledger payout P-1 100.00 due 09:16:00
        bank     -100.00 P-1
        ledger   redeem 100.00 P-1   => payments P-1
        09:16:00 time passes         => OK, payments none
        bank     +100.00 P-1         => CRITICAL by ABOVE_CRITICAL, explained 0
    """)


def test_a_payment_that_is_due_and_unsettled_stays_in_sight(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        09:01:00 ledger payout P-1 100.00 due 09:16:00
        09:16:00 time passes        => OK, payments P-1, reserved 100
        bank     -100.00 P-1        => CRITICAL by SHORTAGE
        ledger   redeem 100.00 P-1  => OK, payments none, reserved 0
    """)
