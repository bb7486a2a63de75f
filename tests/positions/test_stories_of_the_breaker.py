"""When an account may pay, told as storyboards: quick to trip, slow to clear, never by itself."""

from collections.abc import Callable
from typing import Any

import pytest

Storyboard = Callable[[str], Any]


def test_an_account_is_born_suspended_without_evidence(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00   => OK, SUSPENDED by NO_EVIDENCE, epoch 1, seq 1, clean 0, transition nothing to SUSPENDED by NO_EVIDENCE
    """)  # noqa: E501 - one row of a storyboard is one line


def test_a_new_account_closes_after_clean_evidence_and_time(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00  => wakes 09:00:00 tomorrow
        bank     observed      => SUSPENDED, clean 1
        bank     observed      => SUSPENDED, clean 2
        bank     observed      => SUSPENDED, clean 3, wakes 09:10:00
        09:09:59 time passes   => SUSPENDED, clean 3, transition none
        09:10:00 time passes   => transition SUSPENDED to CLOSED by EQUAL, epoch 2, seq 2, clean 0
    """)


def test_evidence_after_the_dwell_clears_by_itself(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00
        09:20:00 bank observed     => SUSPENDED
        09:20:01 bank observed     => SUSPENDED
        09:20:02 ledger issue 0    => CLOSED by EQUAL
    """)


def test_time_alone_proves_nothing(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00
        09:10:00 time passes       => SUSPENDED, clean 0
        09:20:00 time passes       => SUSPENDED, clean 0
        09:30:00 time passes       => SUSPENDED, clean 0
        09:40:00 time passes       => SUSPENDED, clean 0
    """)


def test_a_change_of_our_own_rules_proves_nothing(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00
        09:10:00 rules minor_amount=5   => SUSPENDED, clean 0
        09:20:00 rules minor_amount=6   => SUSPENDED, clean 0
        09:30:00 rules minor_amount=7   => SUSPENDED, clean 0
    """)


def test_stricter_rules_judge_from_the_moment_they_apply(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000000.00 ledger 999990.00
        proven                                   => OK, CLOSED
        rules    critical_amount=9.99            => CRITICAL by ABOVE_CRITICAL, OPEN
    """)


@pytest.mark.parametrize(
    ("surplus", "state"),
    [("50.00", "CLOSED"), ("50.01", "SUSPENDED"), ("500.00", "SUSPENDED"), ("500.01", "OPEN")],
)
def test_one_evaluation_is_enough_to_trip(storyboard: Storyboard, surplus: str, state: str) -> None:
    storyboard(f"""
        opening  bank 100000.00 ledger 100000.00
        proven                        => CLOSED
        ledger   redeem {surplus}     => {state}
    """)


def test_a_suspension_clears_only_after_several_clean_evaluations(storyboard: Storyboard) -> None:
    storyboard("""
        rules    clean_evaluations_min=3 dwell_seconds_min=60
        opening  bank 100000.00 ledger 100000.00
        proven
        09:30:00 ledger redeem 60.00  => transition CLOSED to SUSPENDED by ABOVE_SIGNIFICANT
        09:30:01 ledger issue 60.00   => OK, SUSPENDED by ABOVE_SIGNIFICANT, clean 1
        09:40:00 bank observed        => SUSPENDED, clean 2
        09:50:00 bank observed        => transition SUSPENDED to CLOSED by EQUAL
    """)


def test_a_suspension_clears_only_after_the_dwell(storyboard: Storyboard) -> None:
    storyboard("""
        rules    clean_evaluations_min=2 dwell_seconds_min=600
        opening  bank 100000.00 ledger 100000.00
        proven
        09:30:00 ledger redeem 60.00  => SUSPENDED
        09:30:01 ledger issue 60.00
        09:30:02 bank observed        => SUSPENDED, clean 2, wakes 09:40:00
        09:39:59 bank observed        => SUSPENDED, clean 3
        09:40:00 time passes          => CLOSED, epoch 4, seq 4
    """)


def test_a_suspension_clears_only_below_a_lower_bound(storyboard: Storyboard) -> None:
    # Suspended above 50 (0.05 % of 100 000); clears at 25 and below.
    storyboard("""
        rules    clean_evaluations_min=1 dwell_seconds_min=0
        opening  bank 100000.00 ledger 100000.00
        proven
        ledger   redeem 50.01   => SIGNIFICANT, SUSPENDED
        ledger   issue 0.01     => MINOR, SUSPENDED, clean 0, unexplained 50
        ledger   issue 24.99    => MINOR, SUSPENDED, clean 0, unexplained 25.01
        ledger   issue 0.01     => MINOR, transition SUSPENDED to CLOSED by ABOVE_MINOR
    """)


def test_the_lower_bound_is_of_the_absolute_limit_too(storyboard: Storyboard) -> None:
    storyboard("""
        rules    clean_evaluations_min=1 dwell_seconds_min=0 significant_amount=10
        opening  bank 100000.00 ledger 100000.00
        proven
        ledger   redeem 10.01   => SIGNIFICANT, SUSPENDED
        ledger   issue 5.00     => OK, SUSPENDED, clean 0, unexplained 5.01
        ledger   issue 0.01     => OK, CLOSED, unexplained 5
    """)


def test_a_new_doubt_starts_the_count_and_the_dwell_again(storyboard: Storyboard) -> None:
    storyboard("""
        rules    clean_evaluations_min=2 dwell_seconds_min=600
        opening  bank 100000.00 ledger 100000.00
        proven
        09:30:00 ledger redeem 60.00  => SUSPENDED
        09:30:01 ledger issue 60.00   => clean 1
        09:30:02 bank observed        => clean 2, wakes 09:40:00
        09:35:00 ledger redeem 60.00  => SUSPENDED, clean 0, transition none
        09:35:01 ledger issue 60.00   => clean 1
        09:40:00 time passes          => SUSPENDED, clean 1
        09:41:00 bank observed        => SUSPENDED, clean 2, wakes 09:45:00
        09:45:00 time passes          => CLOSED
    """)


def test_a_difference_between_the_bounds_starts_the_count_again(storyboard: Storyboard) -> None:
    storyboard("""
        rules    clean_evaluations_min=2 dwell_seconds_min=60
        opening  bank 100000.00 ledger 100000.00
        proven
        09:30:00 ledger redeem 60.00  => SUSPENDED
        09:30:01 ledger issue 60.00   => clean 1
        09:35:00 ledger redeem 40.00  => MINOR, SUSPENDED, clean 0
        09:35:01 ledger issue 40.00   => SUSPENDED, clean 1
        09:35:02 bank observed        => SUSPENDED, clean 2, wakes 09:36:00
    """)


def test_a_suspended_account_opens_at_once(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00  => SUSPENDED
        ledger   issue 0.01   => transition SUSPENDED to OPEN by SHORTAGE, epoch 2, seq 2
    """)


def test_an_open_breaker_never_closes_alone(storyboard: Storyboard) -> None:
    storyboard("""
        rules    clean_evaluations_min=1 dwell_seconds_min=0
        opening  bank 100.00 ledger 100.00
        proven
        09:30:00 ledger issue 0.01    => OPEN by SHORTAGE
        09:30:01 ledger redeem 0.01   => OK, OPEN, transition none
        10:30:00 bank observed        => OK, OPEN
        11:30:00 bank observed        => OK, OPEN, clean 3, transition none
        12:30:00 time passes          => OK, OPEN by SHORTAGE, epoch 3, seq 3
    """)


def test_a_tripped_account_is_still_evaluated(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00
        ledger   issue 1.00   => CRITICAL, OPEN
        bank     +1.00        => OK by EQUAL, OPEN
        bank     -2.00        => CRITICAL by SHORTAGE, OPEN, transition none
    """)


def test_epoch_and_seq_rise_with_every_transition(storyboard: Storyboard) -> None:
    storyboard("""
        rules    clean_evaluations_min=1 dwell_seconds_min=0
        opening  bank 100000.00 ledger 100000.00  => epoch 1, seq 1
        bank     observed        => CLOSED, epoch 2, seq 2
        bank     observed        => CLOSED, epoch 2, seq 2
        ledger   redeem 60.00    => SUSPENDED, epoch 3, seq 3
        ledger   issue 60.00     => CLOSED, epoch 4, seq 4
        ledger   issue 60.00     => OPEN, epoch 5, seq 5
    """)


def test_an_account_opened_in_danger_is_denied_and_opens_with_the_first_event(
    storyboard: Storyboard,
) -> None:
    storyboard("""
        opening  bank 99.00 ledger 100.00  => CRITICAL by SHORTAGE, SUSPENDED by NO_EVIDENCE
        time     passes                    => OPEN by SHORTAGE
    """)


def test_the_account_wakes_for_whatever_comes_first(storyboard: Storyboard) -> None:
    storyboard("""
        rules    bank_silence_seconds_max=7200 ledger_silence_seconds_max=5400
        opening  bank 1000.00 ledger 1000.00             => wakes 10:30:00
        proven                                           => CLOSED, wakes 10:30:00
        09:20:00 ledger payout P-1 10.00 due 09:50:00    => wakes 09:50:00
        09:21:00 ledger payout P-2 10.00 due 09:40:00    => wakes 09:40:00
        09:40:00 time passes                             => wakes 09:50:00
        09:50:00 time passes                             => wakes 10:51:00
        10:51:00 time passes                             => UNKNOWN, wakes 11:00:01
        11:00:01 time passes                             => UNKNOWN, wakes never
    """)
