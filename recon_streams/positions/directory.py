"""Which account a message is about: bank account and currency, or ledger account and currency."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import msgspec

from recon_streams.breaker.names import account_scope, parents_of_account
from recon_streams.positions.rules import Rules


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One (account id, currency) with the rules in force.

    Attributes:
        number: Its short key in the book; it never leaves it.
        bank_opened_at: The instant of the attested bank figure it began with, in the offset in
            which it was attested; None if there was no such figure.
        registered_at: When it was registered, or of its opening if that is earlier; None if that
            is not known.
        corridors: The roads of payments it stands on; each can be stopped for all its accounts.
        feed: The bank that serves it, if the same one serves other accounts too.
    """

    number: int
    account_id: str
    currency: str
    rules: Rules
    bank_opened_at: datetime | None = None
    registered_at: datetime | None = None
    corridors: tuple[str, ...] = ()
    feed: str | None = None

    @property
    def scope(self) -> str:
        """Return the breaker's name for the account."""
        return account_scope(self.account_id, self.currency)

    @property
    def parents(self) -> tuple[str, ...]:
        """Return the scopes that must be CLOSED too before it may pay."""
        return parents_of_account(self.corridors)


class Directory:
    """Every registered account of one version of the registry."""

    def __init__(
        self, accounts: Iterable[tuple[Account, tuple[str, ...]]], *, version: int
    ) -> None:
        """Index `accounts`, each with the bank identifications it is known by there."""
        self.version = version
        self._by_ledger: dict[tuple[str, str], Account] = {}
        self._by_bank: dict[tuple[str, str], Account] = {}
        self._by_number: dict[int, Account] = {}
        self._bank_identifications: set[str] = set()
        self._ledger_ids: set[str] = set()
        for account, identifications in accounts:
            self._by_number[account.number] = account
            self._by_ledger[account.account_id, account.currency] = account
            self._ledger_ids.add(account.account_id)
            for identification in identifications:
                self._by_bank[identification, account.currency] = account
                self._bank_identifications.add(identification)

    @property
    def registered_since(self) -> datetime | None:
        """Return when the first account was registered; None if that is not known."""
        known = (account.registered_at for account in self._by_number.values())
        return min((at for at in known if at is not None), default=None)

    @property
    def feeds(self) -> dict[str, int]:
        """Return how many accounts each bank serves, of those that serve several."""
        return dict(
            Counter(each.feed for each in self._by_number.values() if each.feed is not None)
        )

    def by_number(self, number: int) -> Account:
        """Return the account with this key."""
        return self._by_number[number]

    def by_ledger(self, account_id: str, currency: str) -> Account | None:
        """Return the account the ledger calls `account_id`, in `currency`."""
        return self._by_ledger.get((account_id, currency))

    def by_bank(self, identification: str, currency: str) -> Account | None:
        """Return the account the bank calls `identification`, in `currency`."""
        return self._by_bank.get((identification, currency))

    def knows_bank(self, identification: str) -> bool:
        """Return whether the bank account is registered in any currency."""
        return identification in self._bank_identifications

    def knows_ledger(self, account_id: str) -> bool:
        """Return whether the ledger account is registered in any currency."""
        return account_id in self._ledger_ids

    def __len__(self) -> int:
        return len(self._by_number)
