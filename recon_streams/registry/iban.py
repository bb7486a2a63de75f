"""ISO 13616: whether a text is an IBAN, by its form and its check digits."""

import re
from typing import Final

_FORM: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}\Z")


def is_iban(text: str) -> bool:
    """Return whether `text`, with or without spaces, has the form and the check digits of an IBAN.

    The check digits are right when the account, moved behind the country and with letters as
    numbers from 10, leaves 1 when divided by 97.
    """
    compact = text.replace(" ", "")
    if not _FORM.match(compact):
        return False
    moved = compact[4:] + compact[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1
