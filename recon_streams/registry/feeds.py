"""Which accounts fall silent together: those that one bank serves. Pure."""

from collections import Counter
from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from recon_streams.registry.definition import AccountDefinition

# How many characters after the check digits name the bank, by ISO 13616; four elsewhere. Some
# countries go on with the branch, and a feed is the bank's.
_BANK_CHARACTERS: Final = MappingProxyType(
    {"AE": 3, "AT": 5, "BE": 3, "CH": 5, "DE": 8, "FR": 5, "IT": 6, "SA": 2, "TR": 5}
)
_BANK_CHARACTERS_DEFAULT: Final = 4
_BEFORE_BANK: Final = 4  # country and check digits
# A BIC of eight characters and the same with the head office's branch are one bank.
_BANK_OF_BIC: Final = 8


def feed_of(definition: AccountDefinition) -> str | None:
    """Return the name of the bank that serves the account; None if nothing says which it is."""
    for bank in definition.bank_accounts:
        if bank.servicer_bic is not None:
            return bank.servicer_bic[:_BANK_OF_BIC]
    for bank in definition.bank_accounts:
        if bank.scheme == "IBAN":
            text = bank.identification.replace(" ", "")
            length = _BANK_CHARACTERS.get(text[:2], _BANK_CHARACTERS_DEFAULT)
            return text[:2] + text[_BEFORE_BANK : _BEFORE_BANK + length]
    return None


def shared_feeds(feeds: Iterable[str | None]) -> dict[str, int]:
    """Return the feeds of at least two accounts, with how many they serve."""
    counts = Counter(feed for feed in feeds if feed is not None)
    return {feed: count for feed, count in counts.items() if count > 1}
