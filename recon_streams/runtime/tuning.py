"""What a long-running process asks of the interpreter: fewer searches for cycles.

Values here are frozen and refer to nothing that refers back, so the cycle collector finds nothing
and only costs: a fifth of the time of a batch with its default thresholds.
"""

import gc
from typing import Final

_THRESHOLDS: Final = (100_000, 50, 100)


def tune_collector() -> None:
    """Leave what was loaded at start out of every later search, and search less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
