"""What the shape of a registry cannot say: sums of digits, orders, and nothing twice. Pure."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final
from zoneinfo import available_timezones

from iso4217 import Currency

from recon_streams.registry.blocks import AccountBlock, BankBlock, LimitsBlock
from recon_streams.registry.definition import AccountDefinition
from recon_streams.registry.iban import is_iban

Location = tuple[str | int, ...]
Wrong = tuple[Location, str]

_ISO_SCALES: Final = {currency.code: currency.exponent or 0 for currency in Currency}


def scale_of(account: AccountBlock) -> int:
    """Return how many decimals the account's amounts have."""
    return _ISO_SCALES.get(account.currency, 0) if account.scale is None else account.scale


def problems_of(account: AccountBlock) -> Iterator[Wrong]:
    """Yield what is wrong with one account, by the path inside it."""
    if account.currency not in _ISO_SCALES and account.scale is None:
        yield ("currency",), "not an ISO 4217 code; a token needs its scale as well"
    for number, bank in enumerate(account.bank_accounts):
        yield from _bank_problems(number, bank)
    yield from _limit_problems(account.limits)
    if account.time_zone not in available_timezones():
        yield ("time_zone",), "not a time zone of the IANA database, such as Asia/Dubai"
    if account.opening is not None:
        scale = scale_of(account)
        for side, amount in (("bank", account.opening.bank), ("ledger", account.opening.ledger)):
            if amount is not None and len(amount.partition(".")[2].rstrip("0")) > scale:
                yield ("opening", side), f"at most {scale} digits after the point"


def repetitions_of(found: Sequence[tuple[Location, AccountDefinition]]) -> Iterator[Wrong]:
    """Yield what stands twice in a registry, by the path in the file."""
    accounts: set[tuple[str, str]] = set()
    banks: dict[tuple[str, str], str] = {}
    for location, definition in found:
        name = (definition.account_id, definition.currency)
        if name in accounts:
            yield (*location, "account_id"), "this account and currency stand twice"
        accounts.add(name)
        for number, bank in enumerate(definition.bank_accounts):
            key = (bank.identification, definition.currency)
            if key in banks:
                where = (*location, "bank_accounts", number)
                yield where, f"this bank account already belongs to {banks[key]}"
            banks[key] = definition.account_id


def _bank_problems(number: int, bank: BankBlock) -> Iterator[Wrong]:
    if (bank.iban is None) == (bank.other is None):
        yield ("bank_accounts", number), "give iban or other, one of them"
    elif bank.iban is not None and not is_iban(bank.iban):
        yield ("bank_accounts", number, "iban"), "not an IBAN: its check digits do not fit"


def _limit_problems(limits: LimitsBlock) -> Iterator[Wrong]:
    for kind in ("percent", "amount"):
        names = [f"{tier}_{kind}" for tier in ("minor", "significant", "critical")]
        given = [(name, getattr(limits, name)) for name in names if getattr(limits, name)]
        for (lower, less), (upper, more) in pairwise(given):
            if Decimal(less) > Decimal(more):
                yield ("limits", upper), f"not below {lower}, which is {less}"
