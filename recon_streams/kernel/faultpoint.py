"""Named places where a test may kill or freeze the process; part of the product, armed by tests.

`RECON_FAULTPOINT=before_commit:7` leaves the process, without cleaning up, the seventh time that
place is passed; `RECON_FAULTPOINT=before_commit:7:stop` freezes it there, as a long pause of the
machine would. What is hit in the middle must be as safe as what was stopped in order.
"""

import os
import signal
from typing import Final

EXIT_CODE: Final = 137

_name, _count, _action = (*os.environ.get("RECON_FAULTPOINT", "").split(":"), "", "")[:3]
_passes_left = int(_count or "1")


def hit(name: str) -> None:
    """Pass the place called `name`."""
    global _passes_left  # noqa: PLW0603 - the one counter of this process
    if name != _name:
        return
    _passes_left -= 1
    if _passes_left == 0 and _action == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif _passes_left <= 0 and _action != "stop":
        os._exit(EXIT_CODE)
