"""Who makes a registry the newest, and whether they may do it alone. Pure."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from recon_streams.registry.definition import AccountDefinition
from recon_streams.registry.loosening import loosened


class TakesTwo(Exception):
    """A registry loosens rules of registered accounts, and nobody else has agreed to it."""

    def __init__(self, accounts: Iterable[str]) -> None:
        self.accounts = tuple(accounts)
        super().__init__(
            f"the rules of {', '.join(self.accounts)} are loosened, which takes two people: ask "
            "with recon-streams accounts apply --reason --key"
        )


class Authorship(msgspec.Struct, frozen=True, kw_only=True):
    """Who makes a registry the newest, from what, and who agreed to it.

    Attributes:
        source: The name of the file it comes from.
        approval_id: The request that two people signed, where it loosens anything,
        approved_by: and the second of them.
        may_loosen: Whether they may loosen rules of registered accounts without a request.
    """

    source: str
    actor: str
    at: datetime
    approval_id: int | None = None
    approved_by: str | None = None
    may_loosen: bool = True

    def check(self, changed: Iterable[tuple[AccountDefinition, AccountDefinition]]) -> None:
        """Refuse what they may not do; each of `changed` is a definition before and after.

        Raises:
            TakesTwo: Some of them loosen a rule, and they may not.
        """
        if self.may_loosen or self.approval_id is not None:
            return
        looser = [after for before, after in changed if loosened(before, after)]
        if looser:
            raise TakesTwo(f"{each.account_id}:{each.currency}" for each in looser)
