"""How long a sink that does not answer is left alone. Pure."""

from typing import Final

FIRST_SECONDS: Final = 1.0
LONGEST_SECONDS: Final = 30.0
_DOUBLINGS_MAX: Final = 10


def wait_seconds(failures: int, chance: float) -> float:
    """Return how long to wait after so many `failures` in a row.

    Between half of a time that doubles and the whole of it, so that those who failed together do
    not come back together.

    Args:
        failures: At least one.
        chance: Between 0 and 1, rolled by the caller.
    """
    doubled = FIRST_SECONDS * float(1 << min(failures - 1, _DOUBLINGS_MAX))
    longest = min(LONGEST_SECONDS, doubled)
    return longest * (0.5 + chance / 2)
