"""What the shape of a registry cannot say: sums of digits, orders, and nothing twice. Pure."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Final, NamedTuple
from zoneinfo import available_timezones

from iso4217 import Currency

from recon_streams.kernel.calendar import minutes_of
from recon_streams.kernel.calendars import Calendars, CalendarUnknown
from recon_streams.registry.blocks import (
    AccountBlock,
    BankBlock,
    InFlightBlock,
    LimitsBlock,
    StatementsBlock,
)
from recon_streams.registry.definition import AccountDefinition
from recon_streams.registry.iban import is_iban

Location = tuple[str | int, ...]

# Gold, test codes and the like have a code and no decimals of their own.
_ISO_SCALES: Final = {
    currency.code: currency.exponent for currency in Currency if currency.exponent is not None
}

_CRITICAL_PERCENT_MAX: Final = 10


class Wrong(NamedTuple):
    """What is wrong, at the first of `paths` that the account itself writes."""

    paths: tuple[Location, ...]
    message: str


def scale_of(account: AccountBlock) -> int:
    """Return how many decimals the account's amounts have."""
    return _ISO_SCALES.get(account.currency, 0) if account.scale is None else account.scale


def problems_of(account: AccountBlock, calendars: Calendars) -> Iterator[Wrong]:
    """Yield what is wrong with one account, by the path inside it."""
    if account.currency not in _ISO_SCALES and account.scale is None:
        message = "ISO 4217 gives this code no decimals; write its scale as well"
        yield Wrong((("currency",),), message)
    else:
        yield from _scale_problems(account)
    for number, bank in enumerate(account.bank_accounts):
        yield from _bank_problems(number, bank)
    yield from _iban_problems(account.bank_accounts)
    yield from _corridor_problems(account.corridors)
    yield from _limit_problems(account.limits)
    yield from _due_problems(account.in_flight)
    yield from _statement_problems(account.statements)
    if account.calendar is not None and not calendars.knows(account.calendar):
        yield Wrong((("calendar",),), str(CalendarUnknown(account.calendar)))
    if Decimal(account.clearing.clear_below_ratio) > 1:
        message = "not more than 1, or a suspension heals above the limit that made it"
        yield Wrong((("clearing", "clear_below_ratio"),), message)
    if 60 % account.sweep.every_minutes:
        message = "write 15, 20, 30 or 60: what divides the hour, so that windows are whole"
        yield Wrong((("sweep", "every_minutes"),), message)
    if account.time_zone not in _time_zones():
        message = "not a time zone of the IANA database, such as Asia/Dubai"
        yield Wrong((("time_zone",),), message)


def repetitions_of(found: Sequence[tuple[Location, AccountDefinition]]) -> Iterator[Wrong]:
    """Yield what stands twice in a registry, by the path in the file."""
    accounts: set[tuple[str, str]] = set()
    banks: dict[tuple[str, str], str] = {}
    for location, definition in found:
        name = (definition.account_id, definition.currency)
        if name in accounts:
            yield Wrong(((*location, "account_id"),), "this account and currency stand twice")
        accounts.add(name)
        for number, bank in enumerate(definition.bank_accounts):
            key = (bank.identification, definition.currency)
            if key in banks:
                where = (*location, "bank_accounts", number)
                yield Wrong((where,), f"this bank account already belongs to {banks[key]}")
            banks.setdefault(key, definition.account_id)


@cache
def _time_zones() -> frozenset[str]:
    # Asking walks a directory of hundreds of files, and there may be thousands of accounts.
    return frozenset({"UTC", *available_timezones()})


def _scale_problems(account: AccountBlock) -> Iterator[Wrong]:
    scale = scale_of(account)
    amounts: dict[Location, str | None] = {
        ("limits", name): getattr(account.limits, name)
        for name in LimitsBlock.model_fields
        if name.endswith("_amount")
    }
    if account.opening is not None:
        amounts["opening", "bank"] = account.opening.bank
        amounts["opening", "ledger"] = account.opening.ledger
    for path, amount in amounts.items():
        if amount is not None and len(amount.partition(".")[2].rstrip("0")) > scale:
            yield Wrong((path,), f"at most {scale} digits after the point in {account.currency}")


def _bank_problems(number: int, bank: BankBlock) -> Iterator[Wrong]:
    where: Location = ("bank_accounts", number)
    if (bank.iban is None) == (bank.other is None):
        yield Wrong((where,), "give iban or other, one of them")
    elif bank.iban is not None and not is_iban(bank.identification):
        message = "not an IBAN: its form or its check digits do not fit"
        yield Wrong(((*where, "iban"),), message)
    elif not bank.identification or not bank.identification.isprintable():
        # The reader of bank messages refuses such names, so nothing would ever match.
        yield Wrong(((*where, "other"),), "write visible characters only")


def _iban_problems(banks: Sequence[BankBlock]) -> Iterator[Wrong]:
    """Yield what makes two bank accounts of one: their statements would stand for each other."""
    ibans: set[str] = set()
    for number, bank in enumerate(banks):
        # Whoever writes an IBAN as `other` names an account no less.
        if (bank.iban is None) == (bank.other is None) or not is_iban(bank.identification):
            continue
        ibans.add(bank.identification)
        if len(ibans) > 1:
            key = "other" if bank.iban is None else "iban"
            message = "two IBANs are two bank accounts; register a ledger account for each"
            yield Wrong((("bank_accounts", number, key),), message)


def _corridor_problems(corridors: Sequence[str]) -> Iterator[Wrong]:
    for number, corridor in enumerate(corridors):
        if corridor in corridors[:number]:
            yield Wrong((("corridors", number),), f"{corridor} stands twice")


def _limit_problems(limits: LimitsBlock) -> Iterator[Wrong]:
    if Decimal(limits.critical_percent) > _CRITICAL_PERCENT_MAX:
        message = f"at most {_CRITICAL_PERCENT_MAX}, or no surplus would ever stop a payout"
        yield Wrong((("limits", "critical_percent"),), message)
    for kind in ("percent", "amount"):
        names = [f"{tier}_{kind}" for tier in ("minor", "significant", "critical")]
        given = [(name, text) for name in names if (text := getattr(limits, name)) is not None]
        for (lower, less), (upper, more) in pairwise(given):
            if Decimal(less) > Decimal(more):
                message = f"{lower} {less} is above {upper} {more}; limits ascend"
                yield Wrong((("limits", upper), ("limits", lower)), message)


def _statement_problems(statements: StatementsBlock) -> Iterator[Wrong]:
    expected, cut_off = statements.expected_by, statements.cut_off
    is_same_day = statements.expected_after_business_days == 0
    if is_same_day and minutes_of(expected) < minutes_of(cut_off):
        message = f"{expected} of the same day is before the day ends, at {cut_off}"
        paths = (("statements", "expected_by"), ("statements", "expected_after_business_days"))
        yield Wrong((*paths, ("statements", "cut_off")), message)


def _due_problems(in_flight: InFlightBlock) -> Iterator[Wrong]:
    longest = in_flight.due_seconds_max
    maximum = ("in_flight", "due_seconds_max")
    if in_flight.due_seconds_default > longest:
        message = f"due_seconds_default is above due_seconds_max, which is {longest}"
        yield Wrong((("in_flight", "due_seconds_default"), maximum), message)
    for rail, seconds in in_flight.rails.items():
        if seconds > longest:
            message = f"{seconds} seconds are above due_seconds_max, which is {longest}"
            yield Wrong((("in_flight", "rails", rail), maximum), message)
