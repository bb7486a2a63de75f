"""What is known, and until when, told as storyboards: silence, missing figures, ledger anchors."""

from collections.abc import Callable
from typing import Any

Storyboard = Callable[[str], Any]


def test_an_account_without_figures_is_unknown_and_suspended(storyboard: Storyboard) -> None:
    storyboard("""
        opening                  => UNKNOWN by NO_BANK_FIGURE, bank unknown, ledger unknown, difference unknown
        bank     +100.00         => UNKNOWN by NO_BANK_FIGURE, SUSPENDED by NO_EVIDENCE, bank unknown
        ledger   issue 100.00    => UNKNOWN by NO_BANK_FIGURE, raw UNKNOWN by NO_BANK_FIGURE
    """)  # noqa: E501 - one row of a storyboard is one line


def test_one_figure_alone_is_unknown(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.50             => UNKNOWN by NO_LEDGER_FIGURE, bank 100.5, ledger unknown
        bank     +0.50                   => UNKNOWN by NO_LEDGER_FIGURE, bank 101, unexplained unknown
        ledger   balance 101.00 through 3  => OK by EQUAL, ledger 101
    """)  # noqa: E501 - one row of a storyboard is one line


def test_a_figure_below_zero_is_a_danger_though_the_other_is_unknown(
    storyboard: Storyboard,
) -> None:
    storyboard("""
        opening  bank 100.00
        bank     -100.01    => CRITICAL by BANK_OVERDRAWN, raw CRITICAL, OPEN by BANK_OVERDRAWN
    """)
    storyboard("""
        opening  ledger 100.00
        ledger   redeem 100.01  => INTEGRITY by LEDGER_NEGATIVE, OPEN by LEDGER_NEGATIVE
    """)


def test_a_silent_bank_makes_the_verdict_unknown_and_suspends(storyboard: Storyboard) -> None:
    storyboard("""
        rules    bank_silence_seconds_max=3600 ledger_silence_seconds_max=86400
        opening  bank 100.00 ledger 100.00
        proven                           => CLOSED
        09:30:00 bank observed           => OK, wakes 10:30:00
        10:29:59 ledger issue 0 #5       => OK, CLOSED
        10:30:00 time passes             => UNKNOWN by BANK_SILENT, raw OK, SUSPENDED by BANK_SILENT
        11:00:00 ledger issue 0 #6       => UNKNOWN by BANK_SILENT
        11:00:01 bank observed           => OK, SUSPENDED, clean 1
    """)


def test_a_silent_ledger_makes_the_verdict_unknown_and_suspends(storyboard: Storyboard) -> None:
    storyboard("""
        rules    bank_silence_seconds_max=86400 ledger_silence_seconds_max=3600
        opening  bank 100.00 ledger 100.00
        proven                           => wakes 10:00:00
        10:00:00 time passes             => UNKNOWN by LEDGER_SILENT, SUSPENDED by LEDGER_SILENT
        10:00:01 ledger balance 100.00 through 9   => OK, SUSPENDED
    """)


def test_when_both_sides_are_silent_the_bank_is_named(storyboard: Storyboard) -> None:
    storyboard("""
        rules    bank_silence_seconds_max=60 ledger_silence_seconds_max=60
        opening  bank 100.00 ledger 100.00
        09:05:00 time passes   => UNKNOWN by BANK_SILENT
    """)


def test_a_figure_that_was_old_when_it_was_stated_is_unknown_from_the_start(
    storyboard: Storyboard,
) -> None:
    storyboard("""
        rules    bank_silence_seconds_max=3600 ledger_silence_seconds_max=3600
        opening  bank 100.00 ledger 100.00 as_of 07:59:59  => UNKNOWN by BANK_SILENT, raw OK
        bank     observed      => UNKNOWN by LEDGER_SILENT
        ledger   issue 0 at 07:59:59   => UNKNOWN by LEDGER_SILENT
        ledger   issue 0       => OK
    """)


def test_a_shortage_is_critical_though_the_bank_is_silent(storyboard: Storyboard) -> None:
    storyboard("""
        rules    bank_silence_seconds_max=60
        opening  bank 100.00 ledger 100.00
        09:05:00 ledger issue 0.01  => CRITICAL by SHORTAGE, OPEN by SHORTAGE
        09:06:00 time   passes      => CRITICAL by SHORTAGE
    """)


def test_a_ledger_below_zero_is_an_integrity_error_though_the_bank_is_silent(
    storyboard: Storyboard,
) -> None:
    storyboard("""
        rules    bank_silence_seconds_max=60
        opening  bank 100.00 ledger 0
        09:05:00 ledger redeem 1   => INTEGRITY by LEDGER_NEGATIVE, OPEN
    """)


def test_a_serious_surplus_of_a_silent_side_is_unknown(storyboard: Storyboard) -> None:
    storyboard("""
        rules    bank_silence_seconds_max=60
        opening  bank 100000.00 ledger 99900.00    => SIGNIFICANT by ABOVE_SIGNIFICANT
        09:05:00 time passes                       => UNKNOWN by BANK_SILENT, raw SIGNIFICANT
    """)


def test_a_late_record_does_not_make_its_side_older(storyboard: Storyboard) -> None:
    storyboard("""
        rules    bank_silence_seconds_max=86400 ledger_silence_seconds_max=3600
        opening  bank 100.00 ledger 100.00
        09:30:00 ledger issue 0 at 09:29:00   => wakes 10:29:00
        09:31:00 ledger issue 0 at 09:10:00   => wakes 10:29:00
    """)


def test_everything_the_ledger_says_shows_that_it_lives(storyboard: Storyboard) -> None:
    storyboard("""
        rules    bank_silence_seconds_max=86400 ledger_silence_seconds_max=3600
        opening  bank 100.00 ledger 100.00 through 7   => wakes 10:00:00
        09:10:00 ledger issue 0 #7                     => wakes 10:10:00, ledger 100
        09:20:00 ledger balance 100.00 through 7       => wakes 10:20:00
        09:30:00 ledger hold H-1 5.00 due 12:00:00     => wakes 10:30:00
        09:40:00 ledger hold H-1 5.00 due 12:00:00 #6  => wakes 10:40:00
        09:50:00 ledger release H-1                    => wakes 10:50:00
        09:55:00 ledger release H-2                    => wakes 10:55:00
    """)


def test_figures_of_which_nobody_knows_how_old_they_are_are_unknown(
    storyboard: Storyboard,
) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00 as_of never => UNKNOWN by BANK_SILENT, wakes never
        bank     observed                              => UNKNOWN by LEDGER_SILENT
    """)


def test_a_record_from_the_past_does_not_turn_the_clock_back(storyboard: Storyboard) -> None:
    story = storyboard("""
        opening  bank 1000.00 ledger 1000.00
        09:01:00 ledger payout P-1 100.00 due 09:16:00
        09:02:00 bank -100.00 P-1      => OK
        09:16:00 time passes           => CRITICAL by SHORTAGE
        09:15:59 bank observed         => CRITICAL by SHORTAGE, explained 0
    """)
    assert f"{story.state.evaluated_at:%H:%M:%S}" == "09:16:00"


def test_a_balance_replaces_the_movements_it_contains(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 130.00 ledger 100.00
        ledger   issue 10.00 #1
        ledger   issue 20.00 #2             => OK, ledger 130
        ledger   balance 130.00 through 2   => OK by EQUAL, ledger 130
    """)


def test_a_balance_keeps_the_movements_after_it(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 130.00 ledger 100.00
        ledger   issue 10.00 #1
        ledger   issue 20.00 #2
        ledger   balance 110.00 through 1   => OK by EQUAL, ledger 130
    """)


def test_a_movement_that_the_balance_contains_changes_nothing_when_it_comes_late(
    storyboard: Storyboard,
) -> None:
    story = storyboard("""
        opening  bank 130.00 ledger 100.00
        ledger   balance 130.00 through 2   => ledger 130
        ledger   issue 10.00 #1             => OK by EQUAL, ledger 130
        ledger   issue 20.00 #2             => OK by EQUAL, ledger 130
    """)
    assert story.state.ledger.evidence.offset == 1, "the balance moved the figure last"
    story.play("ledger issue 5.00 #3 => CRITICAL by SHORTAGE, ledger 135")


def test_a_movement_that_the_balance_contains_still_brings_its_leg(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 1000.00 ledger 1000.00
        ledger   payout P-1 100.00 #1
        ledger   balance 900.00 through 2  => CRITICAL by ABOVE_CRITICAL, ledger 900
        ledger   redeem 100.00 P-1 #2      => OK by EQUAL, explained 100, ledger 900
    """)


def test_a_balance_that_was_overtaken_by_a_later_one_changes_nothing(
    storyboard: Storyboard,
) -> None:
    storyboard("""
        opening  bank 130.00 ledger 100.00
        ledger   balance 130.00 through 9   => OK, ledger 130
        ledger   balance 100.00 through 5   => OK, ledger 130
        ledger   balance 999.00 through 9   => OK, ledger 130
    """)


def test_the_opening_figure_contains_its_movements_too(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00 through 7
        ledger   issue 5.00 #7   => OK by EQUAL, ledger 100
        ledger   issue 5.00 #8   => CRITICAL by SHORTAGE, ledger 105
    """)


def test_a_first_balance_sets_the_figure_whatever_was_said_before(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 130.00
        ledger   issue 10.00 #1             => UNKNOWN, ledger unknown
        ledger   issue 20.00 #2             => UNKNOWN, ledger unknown
        ledger   balance 110.00 through 1   => OK by EQUAL, ledger 130
    """)
