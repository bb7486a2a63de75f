"""Storyboards of what people do: stop, let go, force for a while; and of a breaker that flaps."""

from collections.abc import Callable

from storyboard import Story

Storyboard = Callable[[str], Story]


def test_a_trip_by_hand_opens_at_once_and_says_so(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00
        proven                  => CLOSED, epoch 2
        people   trip           => OK, transition CLOSED to OPEN by MANUAL_TRIP, epoch 3, seq 3
        bank     observed       => OK, OPEN by MANUAL_TRIP
    """)


def test_a_trip_of_what_is_open_is_a_new_epoch(storyboard: Storyboard) -> None:
    # Whoever was about to let the shortage go did not know of the fraud.
    storyboard("""
        opening  bank 100.00 ledger 100.00
        ledger   issue 0.01     => OPEN by SHORTAGE, epoch 2
        people   trip           => transition OPEN to OPEN by MANUAL_TRIP, epoch 3
    """)


def test_a_trip_judges_nothing_that_waits_to_be_read(storyboard: Storyboard) -> None:
    # The payment is due, and the record that settles it may still be on its way.
    story = storyboard("""
        opening  bank 100.00 ledger 100.00
        proven
        09:20:00 ledger payout P-1 10.00 due 09:30:00
        09:20:01 bank -10.00 P-1                        => OK, CLOSED
        09:40:00 people trip                            => OK, OPEN by MANUAL_TRIP
    """)
    assert f"{story.state.evaluated_at:%H:%M:%S}" == "09:20:01"
    assert f"{story.state.breaker.since:%H:%M:%S}" == "09:40:00"


def test_two_people_let_go_what_is_sound_again(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00
        ledger   issue 0.01     => OPEN by SHORTAGE
        ledger   redeem 0.01    => OK, OPEN
        people   reset          => transition OPEN to CLOSED by RESET, epoch 3
    """)


def test_a_release_proves_nothing_and_the_next_shortage_trips_again(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00
        people   trip
        people   reset          => CLOSED by RESET, epoch 3
        ledger   issue 0.01     => transition CLOSED to OPEN by SHORTAGE, epoch 4
    """)


def test_what_is_critical_still_is_not_let_go(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00
        ledger   issue 0.01     => OPEN by SHORTAGE
        people   reset          => CRITICAL, OPEN by SHORTAGE, transition none
    """)


def test_what_has_fallen_silent_is_not_let_go(storyboard: Storyboard) -> None:
    storyboard("""
        rules    bank_silence_seconds_max=60
        opening  bank 100.00 ledger 100.00
        09:00:30 people trip    => OPEN by MANUAL_TRIP
        09:10:00 people reset   => UNKNOWN, OPEN, transition none
    """)


def test_a_suspension_can_be_let_go_before_its_dwell_ends(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00   => SUSPENDED by NO_EVIDENCE
        bank     observed                    => SUSPENDED, clean 1
        people   reset                       => transition SUSPENDED to CLOSED by RESET
    """)


def test_an_override_ends_by_itself_at_its_instant(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00
        09:10:00 ledger issue 0.01      => OPEN by SHORTAGE, epoch 2
        09:20:00 people override 600s   => transition OPEN to CLOSED by OVERRIDE, wakes 09:30:00
        09:25:00 ledger redeem 0.00     => CRITICAL by SHORTAGE, CLOSED by OVERRIDE
        09:30:00 time passes            => transition CLOSED to OPEN by OVERRIDE_ENDED, epoch 4
    """)


def test_a_shortage_that_grows_beyond_what_two_people_knew_ends_an_override(
    storyboard: Storyboard,
) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00
        09:10:00 ledger issue 5.00      => OPEN by SHORTAGE, epoch 2
        09:20:00 people override 600s   => CLOSED by OVERRIDE
        09:21:00 ledger redeem 2.00     => CRITICAL by SHORTAGE, CLOSED by OVERRIDE
        09:22:00 ledger issue 2.00      => CRITICAL by SHORTAGE, CLOSED by OVERRIDE
        09:23:00 ledger issue 0.01      => transition CLOSED to OPEN by SHORTAGE, epoch 4
    """)


def test_an_override_lasts_no_longer_than_thirty_minutes(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00
        09:10:00 ledger issue 0.01       => OPEN
        09:20:00 people override 7200s   => CLOSED, wakes 09:50:00
        09:50:00 time passes             => OPEN by OVERRIDE_ENDED
    """)


def test_a_suspension_that_was_forced_is_one_again(storyboard: Storyboard) -> None:
    storyboard("""
        rules    clean_evaluations_min=1 dwell_seconds_min=60
        opening  bank 100.00 ledger 100.00   => SUSPENDED by NO_EVIDENCE
        09:10:00 people override 60s         => CLOSED by OVERRIDE
        09:11:00 time passes     => transition CLOSED to SUSPENDED by OVERRIDE_ENDED, clean 0
        09:11:30 bank observed   => SUSPENDED, clean 1, wakes 09:12:00
        09:12:00 time passes     => CLOSED by EQUAL
    """)


def test_another_danger_than_the_one_they_knew_ends_an_override(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00
        09:10:00 ledger issue 0.01       => OPEN by SHORTAGE
        09:20:00 people override 600s    => CLOSED by OVERRIDE
        09:21:00 bank -200.00            => transition CLOSED to OPEN by BANK_OVERDRAWN
    """)


def test_a_doubt_they_did_not_know_of_gives_back_what_was_forced(storyboard: Storyboard) -> None:
    storyboard("""
        rules    bank_silence_seconds_max=900
        opening  bank 100.00 ledger 100.00
        09:05:00 people trip             => OPEN by MANUAL_TRIP
        09:10:00 people override 1200s   => CLOSED by OVERRIDE, wakes 09:15:00
        09:15:00 time passes             => transition CLOSED to OPEN by BANK_SILENT
    """)


def test_a_silence_that_two_people_knew_of_is_forced(storyboard: Storyboard) -> None:
    storyboard("""
        rules    bank_silence_seconds_max=900
        opening  bank 100.00 ledger 100.00
        09:15:00 time passes             => SUSPENDED by NO_EVIDENCE, UNKNOWN by BANK_SILENT
        09:16:00 people override 600s    => CLOSED by OVERRIDE
        09:17:00 ledger redeem 0.01      => UNKNOWN, CLOSED by OVERRIDE
        09:18:00 ledger issue 20.00      => CRITICAL, transition CLOSED to OPEN by SHORTAGE
    """)


def test_a_trip_by_hand_ends_an_override(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00
        ledger   issue 0.01       => OPEN by SHORTAGE
        people   override 600s    => CLOSED
        people   trip             => transition CLOSED to OPEN by MANUAL_TRIP
        09:30:00 time passes      => OPEN by MANUAL_TRIP, transition none
    """)


def test_what_is_forced_can_be_let_go_for_good(storyboard: Storyboard) -> None:
    storyboard("""
        opening  bank 100.00 ledger 100.00
        ledger   issue 0.01       => OPEN by SHORTAGE
        people   override 600s    => CLOSED by OVERRIDE
        ledger   redeem 0.01      => OK, CLOSED by OVERRIDE
        people   reset            => transition CLOSED to CLOSED by RESET
        09:30:00 time passes      => CLOSED by RESET
    """)


def test_an_account_that_changes_too_often_is_held(storyboard: Storyboard) -> None:
    storyboard("""
        rules    clean_evaluations_min=1 dwell_seconds_min=60
        opening  bank 100000.00 ledger 100000.00
        09:05:00 bank observed          => CLOSED
        09:10:00 ledger redeem 60.00    => SUSPENDED by ABOVE_SIGNIFICANT
        09:11:00 ledger issue 60.00     => CLOSED by EQUAL, epoch 4
        09:20:00 ledger redeem 60.00    => transition CLOSED to SUSPENDED by FLAPPING, epoch 5
        09:21:00 ledger issue 60.00     => SUSPENDED, transition none, wakes 10:20:00
        09:50:00 bank observed          => SUSPENDED, transition none
        10:19:59 bank observed          => SUSPENDED, transition none
        10:20:00 time passes            => CLOSED by EQUAL, epoch 6
    """)


def test_an_account_about_to_close_too_often_is_held_and_told_once(storyboard: Storyboard) -> None:
    storyboard("""
        rules    clean_evaluations_min=1 dwell_seconds_min=60
        opening  bank 100000.00 ledger 100000.00
        09:01:00 bank observed          => CLOSED
        10:30:00 ledger redeem 60.00    => SUSPENDED by ABOVE_SIGNIFICANT, epoch 3
        10:31:30 ledger issue 60.00     => CLOSED, epoch 4
        10:40:00 ledger redeem 60.00    => SUSPENDED by ABOVE_SIGNIFICANT, epoch 5
        10:41:30 ledger issue 60.00     => transition SUSPENDED to SUSPENDED by FLAPPING, epoch 6
        10:45:00 bank observed          => SUSPENDED by FLAPPING, transition none, wakes 11:40:00
        11:00:00 ledger redeem 40.00    => MINOR, SUSPENDED, transition none
        11:01:00 ledger issue 40.00     => transition none, wakes 12:00:00
        12:00:00 time passes            => CLOSED by EQUAL
    """)


def test_a_flapping_account_opens_as_fast_as_any(storyboard: Storyboard) -> None:
    storyboard("""
        rules    clean_evaluations_min=1 dwell_seconds_min=60
        opening  bank 100000.00 ledger 100000.00
        09:05:00 bank observed          => CLOSED
        09:10:00 ledger redeem 60.00    => SUSPENDED
        09:11:00 ledger issue 60.00     => CLOSED
        09:20:00 ledger redeem 60.00    => SUSPENDED by FLAPPING
        09:21:00 ledger issue 160.00    => OPEN by SHORTAGE
    """)
