"""The table of the breaker: every pair of state and signal, and what no signal can do."""

from itertools import product

import pytest

from recon_streams.breaker.machine import TRANSITIONS, Signal, next_state
from topics.breaker import BreakerState

# Written out as the rule says it, not computed: from, signal, to.
RULES = """
    CLOSED     CALM     CLOSED
    CLOSED     CLEARED  CLOSED
    CLOSED     DOUBT    SUSPENDED
    CLOSED     DANGER   OPEN
    SUSPENDED  CALM     SUSPENDED
    SUSPENDED  CLEARED  CLOSED
    SUSPENDED  DOUBT    SUSPENDED
    SUSPENDED  DANGER   OPEN
    OPEN       CALM     OPEN
    OPEN       CLEARED  OPEN
    OPEN       DOUBT    OPEN
    OPEN       DANGER   OPEN
"""


@pytest.mark.parametrize(
    "rule", [line.split() for line in RULES.strip().splitlines()], ids=" ".join
)
def test_each_signal_leads_where_the_rule_says(rule: list[str]) -> None:
    state, signal, after = rule
    assert next_state(BreakerState(state), Signal(signal)) is BreakerState(after)


def test_every_pair_of_state_and_signal_is_in_the_table() -> None:
    assert set(TRANSITIONS) == set(product(BreakerState, Signal))


def test_no_signal_leads_out_of_open() -> None:
    assert {next_state(BreakerState.OPEN, signal) for signal in Signal} == {BreakerState.OPEN}


def test_danger_opens_from_every_state() -> None:
    assert {next_state(state, Signal.DANGER) for state in BreakerState} == {BreakerState.OPEN}


def test_only_a_proof_of_healing_closes() -> None:
    closing = {
        signal
        for (state, signal), after in TRANSITIONS.items()
        if after is BreakerState.CLOSED and state is not BreakerState.CLOSED
    }
    assert closing == {Signal.CLEARED}


def test_the_table_cannot_be_changed_while_it_runs() -> None:
    with pytest.raises(TypeError):
        TRANSITIONS[BreakerState.OPEN, Signal.CALM] = BreakerState.CLOSED  # type: ignore[index]  # the point
