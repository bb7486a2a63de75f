"""How serious a difference is, told as storyboards: the bounds, the zeros, the asymmetric rule."""

from collections.abc import Callable
from typing import Any

import pytest

Storyboard = Callable[[str], Any]


def test_equal_figures_are_ok(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 5000000.00 ledger 5000000.00  => OK by EQUAL, difference 0, raw OK by EQUAL
        bank     +1500.00           => MINOR by ABOVE_MINOR, difference 1500, unexplained 1500
        ledger   issue 1500.00      => OK by EQUAL, difference 0, bank 5001500, ledger 5001500
    """)


@pytest.mark.parametrize(
    ("surplus", "verdict"),
    [
        ("99.99", "OK by WITHIN_MINOR"),
        ("100.00", "OK by WITHIN_MINOR"),
        ("100.01", "MINOR by ABOVE_MINOR"),
        ("499.99", "MINOR by ABOVE_MINOR"),
        ("500.00", "MINOR by ABOVE_MINOR"),
        ("500.01", "SIGNIFICANT by ABOVE_SIGNIFICANT"),
        ("4999.99", "SIGNIFICANT by ABOVE_SIGNIFICANT"),
        ("5000.00", "SIGNIFICANT by ABOVE_SIGNIFICANT"),
        ("5000.01", "CRITICAL by ABOVE_CRITICAL"),
    ],
)
def test_a_bound_belongs_to_the_lower_tier(
    storyboard: Storyboard, surplus: str, verdict: str
) -> None:
    # 0.01 %, 0.05 % and 0.5 % of a bank balance of one million, and a fils to either side.
    storyboard(f"""
        opening  bank 1000000.00 ledger 1000000.00
        ledger   redeem {surplus}   => {verdict}, raw {verdict}
    """)


def test_the_percentage_is_of_the_bank_balance(storyboard: Storyboard) -> None:
    # 100 is exactly 0.01 % of the bank's 1 000 000, and more than 0.01 % of the ledger's 999 900.
    storyboard("""
        opening  bank 1000000.00 ledger 999900.00  => OK by WITHIN_MINOR
    """)


def test_eight_decimals_are_compared_to_the_last_one(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1.00000000 ledger 0.99990000  => OK by WITHIN_MINOR, difference 0.0001
        ledger   redeem 0.00000001  => MINOR by ABOVE_MINOR, difference 0.00010001
        ledger   issue 0.00010001   => OK by EQUAL
        ledger   issue 0.00000001   => CRITICAL by SHORTAGE, difference -0.00000001
    """)


def test_yen_have_no_decimals_and_the_same_bounds(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000000 ledger 999900  => OK by WITHIN_MINOR, difference 100
        ledger   redeem 1                    => MINOR by ABOVE_MINOR, difference 101
    """)


def test_dinars_have_three_decimals_and_the_same_bounds(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.000 ledger 999.900  => OK by WITHIN_MINOR, difference 0.1
        ledger   redeem 0.001                  => MINOR by ABOVE_MINOR, difference 0.101
    """)


def test_a_balance_of_eighteen_digits_is_judged_exactly(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 999999999999999999.99999999 ledger 999999999999999999.99999999  => OK by EQUAL
        ledger   issue 0.00000001   => CRITICAL by SHORTAGE, ledger 1000000000000000000
    """)


def test_both_figures_zero_are_ok(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 0 ledger 0.00  => OK by EQUAL, bank 0, ledger 0, difference 0
    """)


def test_tokens_without_money_are_critical(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 0.00 ledger 0.00
        proven                         => CLOSED
        ledger   issue 0.01            => CRITICAL by SHORTAGE, OPEN by SHORTAGE
    """)


def test_first_funding_is_unallocated_and_trips_nothing(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 0.00 ledger 0.00
        proven                         => CLOSED
        bank     +2500000.00           => UNALLOCATED by FIRST_FUNDING, CLOSED, transition none
        ledger   issue 2500000.00      => OK by EQUAL, CLOSED
    """)


def test_first_funding_above_its_limit_is_named_and_trips_nothing(storyboard: Storyboard) -> None:
    storyboard("""
        rules    unallocated_amount=1000.00
        opening  bank 0.00 ledger 0.00
        proven
        bank     +1000.00  => UNALLOCATED by FIRST_FUNDING
        bank     +0.01     => UNALLOCATED by FUNDING_ABOVE_LIMIT, CLOSED, transition none
    """)


def test_first_funding_is_not_judged_by_the_limits_of_a_running_account(
    storyboard: Storyboard,
) -> None:
    storyboard("""
        rules    significant_amount=100 critical_amount=500
        opening  bank 2500000.00 ledger 0.00  => UNALLOCATED by FIRST_FUNDING, SUSPENDED
        proven                                => UNALLOCATED by FIRST_FUNDING, CLOSED
    """)


def test_an_overdrawn_bank_account_is_critical(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 0.00
        proven                            => CLOSED
        bank     -100.01                  => CRITICAL by BANK_OVERDRAWN, OPEN by BANK_OVERDRAWN
    """)


def test_an_overdrawn_bank_account_is_critical_though_a_payout_explains_it(
    storyboard: Storyboard,
) -> None:
    storyboard("""
        opening  bank 100.00 ledger 200.00
        ledger   payout P-1 200.00
        bank     -200.00 P-1   => CRITICAL by BANK_OVERDRAWN, raw CRITICAL, explained -200
    """)


def test_a_ledger_below_zero_is_an_integrity_error(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00
        proven                       => CLOSED
        ledger   redeem 100.01       => INTEGRITY by LEDGER_NEGATIVE, ledger -0.01
        ledger   issue 0.01          => UNALLOCATED by FIRST_FUNDING, OPEN by LEDGER_NEGATIVE
    """)


def test_a_redeem_that_overtakes_its_issue_opens_the_breaker_though_the_figures_come_right(
    storyboard: Storyboard,
) -> None:
    # Why a ledger must publish the records of an account in order, under one key.
    storyboard("""
        opening  bank 100.00 ledger 100.00
        proven                          => CLOSED
        ledger   redeem 150.00 #2       => INTEGRITY by LEDGER_NEGATIVE, OPEN, ledger -50
        ledger   issue 50.00 #1         => ledger 0, OPEN by LEDGER_NEGATIVE
        bank     -100.00                => OK by EQUAL, OPEN by LEDGER_NEGATIVE
    """)


def test_a_ledger_below_zero_comes_before_an_overdrawn_bank(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 0 ledger 0
        bank     -1.00    => CRITICAL by BANK_OVERDRAWN
        ledger   redeem 1 => INTEGRITY by LEDGER_NEGATIVE
    """)


@pytest.mark.parametrize("shortage", ["0.01", "1.00", "50.00", "400000.00"])
def test_any_shortage_is_critical_whatever_its_size(storyboard: Storyboard, shortage: str) -> None:
    storyboard(f"""
        opening  bank 1000000.00 ledger 1000000.00
        proven                       => CLOSED
        ledger   issue {shortage}    => CRITICAL by SHORTAGE, OPEN by SHORTAGE, raw CRITICAL
    """)


def test_no_limit_softens_a_shortage(storyboard: Storyboard) -> None:
    storyboard("""
        rules    minor_percent=50 significant_percent=60 critical_percent=70 critical_amount=1000000
        opening  bank 1000.00 ledger 1000.00
        bank     -0.01  => CRITICAL by SHORTAGE
    """)


def test_an_absolute_limit_makes_a_small_percentage_serious(storyboard: Storyboard) -> None:
    # 4 999 of fifty million is 0.01 %: OK by percentage, and five thousand dirhams all the same.
    storyboard("""
        rules    minor_amount=1000 significant_amount=4000 critical_amount=10000
        opening  bank 50000000.00 ledger 49999000.00  => OK by WITHIN_MINOR, difference 1000
        ledger   redeem 0.01     => MINOR by ABOVE_MINOR
        ledger   redeem 2999.99  => MINOR by ABOVE_MINOR, difference 4000
        ledger   redeem 0.01     => SIGNIFICANT by ABOVE_SIGNIFICANT
        ledger   redeem 5999.99  => SIGNIFICANT by ABOVE_SIGNIFICANT, difference 10000
        ledger   redeem 0.01     => CRITICAL by ABOVE_CRITICAL
    """)


def test_an_absolute_limit_never_makes_a_large_percentage_harmless(storyboard: Storyboard) -> None:
    storyboard("""
        rules    minor_amount=900 significant_amount=900 critical_amount=900
        opening  bank 1000.00 ledger 990.00  => CRITICAL by ABOVE_CRITICAL, difference 10
    """)


def test_the_worse_of_percentage_and_amount_counts(storyboard: Storyboard) -> None:
    storyboard("""
        rules    minor_amount=1
        opening  bank 1000000.00 ledger 999400.00  => SIGNIFICANT by ABOVE_SIGNIFICANT
    """)


def test_tokens_locked_by_a_hold_still_need_their_money(storyboard: Storyboard) -> None:
    # Reserved tokens were issued; they lessen what may be paid out, not what must be at the bank.
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        ledger   hold H-1 400.00   => OK by EQUAL, reserved 400, difference 0, ledger 1000
        bank     -400.00           => CRITICAL by SHORTAGE, reserved 400, explained 0
    """)
