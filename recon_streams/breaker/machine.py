"""The breaker as a table: everything that may happen to a scope, and nothing else.

Trips are immediate: one critical evaluation opens, one significant or unknown one suspends. Healing
is slow: a suspension clears only after several clean evaluations of fresh evidence, below a lower
bound, after a minimum time. OPEN has no way out in this table on purpose: it takes two people.

    CLOSED ──doubt──▶ SUSPENDED ──danger──▶ OPEN
       ▲                 │  ▲                (stays)
       └────cleared──────┘  └ doubt, calm: stays
"""

from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final

from topics.breaker import BreakerState


@unique
class Signal(StrEnum):
    """What one evaluation means for the breaker."""

    CALM = "CALM"  # nothing wrong in it, or not yet enough of it
    CLEARED = "CLEARED"  # proven healed: enough clean evaluations, low enough, long enough
    DOUBT = "DOUBT"  # significant, or not known
    DANGER = "DANGER"  # critical, or the books contradict themselves


_CLOSED, _SUSPENDED, _OPEN = BreakerState.CLOSED, BreakerState.SUSPENDED, BreakerState.OPEN

TRANSITIONS: Final = MappingProxyType(
    {
        (_CLOSED, Signal.CALM): _CLOSED,
        (_CLOSED, Signal.CLEARED): _CLOSED,
        (_CLOSED, Signal.DOUBT): _SUSPENDED,
        (_CLOSED, Signal.DANGER): _OPEN,
        (_SUSPENDED, Signal.CALM): _SUSPENDED,
        (_SUSPENDED, Signal.CLEARED): _CLOSED,
        (_SUSPENDED, Signal.DOUBT): _SUSPENDED,
        (_SUSPENDED, Signal.DANGER): _OPEN,
        (_OPEN, Signal.CALM): _OPEN,
        (_OPEN, Signal.CLEARED): _OPEN,
        (_OPEN, Signal.DOUBT): _OPEN,
        (_OPEN, Signal.DANGER): _OPEN,
    }
)


def next_state(state: BreakerState, signal: Signal) -> BreakerState:
    """Return where `signal` leads from `state`; what is not in the table cannot happen."""
    return TRANSITIONS[state, signal]
