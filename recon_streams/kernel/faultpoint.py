"""Named places where a test may kill the process; compiled into the product, armed by nobody else.

`RECON_FAULTPOINT=before_commit:7` leaves the process, without cleaning up, the seventh time that
place is passed. What is killed in the middle must be as safe as what was stopped.
"""

import os
from typing import Final

EXIT_CODE: Final = 137

_name, _, _count = os.environ.get("RECON_FAULTPOINT", "").partition(":")
_passes_left = int(_count or "1")


def hit(name: str) -> None:
    """Pass the place called `name`."""
    global _passes_left  # noqa: PLW0603 - the one counter of this process
    if name != _name:
        return
    _passes_left -= 1
    if _passes_left <= 0:
        os._exit(EXIT_CODE)
