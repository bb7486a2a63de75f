"""The bank of the scripted day: real messages, with the day on which the demo is played."""

import re
from datetime import date, datetime
from importlib.resources import files
from typing import Final

from recon_streams.demo.ledger import Send

_BOOKED: Final = re.compile(rb"(<BookgDt>\s*<Dt>)\d{4}-\d\d-\d\d(</Dt>)")


class Bank:
    """Sends the samples as if their entries were booked today.

    They are years old, and what was booked before an account's opening figure is contained in it.
    """

    def __init__(self, now: datetime) -> None:
        self._today = now.date()

    def says(self, name: str, account_id: str, caption: str) -> Send:
        """Return the sample called `name`."""
        return Send(
            topic="bank.notifications",
            key=account_id.encode(),
            value=sample(name, booked_on=self._today),
            caption=caption,
        )


def sample(name: str, *, booked_on: date) -> bytes:
    """Return the sample called `name` with this booking day, otherwise byte for byte."""
    original = files("recon_streams.demo").joinpath("samples", name).read_bytes()
    return _BOOKED.sub(rb"\g<1>" + booked_on.isoformat().encode() + rb"\g<2>", original)
