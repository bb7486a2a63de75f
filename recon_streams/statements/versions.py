"""What one statement says, as a digest that a new envelope does not change; and what changed.

Banks send a statement again under other message ids, in other files and places, and correct one
under the same id. Only what it says about money decides which of the two it is.
"""

from collections import Counter
from decimal import Decimal
from hashlib import blake2b
from typing import Final

import msgspec

from recon_streams.iso20022.values import Balance, Detail, Entry, Report
from recon_streams.kernel.money import amount_text, normal

_ENCODER: Final = msgspec.json.Encoder()


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What a corrected statement says that the one before it did not, and the other way round.

    Attributes:
        added: Entries that are new, in their order.
        removed: Entries that are gone.
        balances: By type and day, the amount before and after; None where there is none.
    """

    added: tuple[Entry, ...]
    removed: tuple[Entry, ...]
    balances: dict[str, tuple[str | None, str | None]]


def signature_of(report: Report) -> bytes:
    """Return 16 bytes that stand for account, balances and entries in their order."""
    said = blake2b(digest_size=16)
    account = report.account
    head = (account.identification, account.currency, report.page_number)
    said.update(_ENCODER.encode((head, [_balance_parts(each) for each in report.balances])))
    for entry in report.entries:
        said.update(entry_bytes(entry))
    return said.digest()


def entry_bytes(entry: Entry) -> bytes:
    """Return what `entry` says about money; not where it stands."""
    parts = (
        _amount(entry.amount),
        entry.currency,
        entry.direction,
        entry.status,
        entry.reversal,
        entry.booked_on,
        entry.value_on,
        entry.servicer_reference,
        entry.bank_transaction_code,
        entry.bank_transaction_proprietary,
        entry.batch_count,
        [_detail_parts(each) for each in entry.details],
    )
    return _ENCODER.encode(parts)


def difference_of(old: Report, new: Report) -> Difference:
    """Return what `new` changed of `old`; of equal entries each counts for itself."""
    return Difference(
        added=_beyond(new.entries, old.entries),
        removed=_beyond(old.entries, new.entries),
        balances=_changed(old.balances, new.balances),
    )


def _beyond(entries: tuple[Entry, ...], others: tuple[Entry, ...]) -> tuple[Entry, ...]:
    left = Counter(entry_bytes(each) for each in others)
    found = []
    for entry in entries:
        said = entry_bytes(entry)
        if left[said]:
            left[said] -= 1
        else:
            found.append(entry)
    return tuple(found)


def _changed(
    old: tuple[Balance, ...], new: tuple[Balance, ...]
) -> dict[str, tuple[str | None, str | None]]:
    before = {_name(each): amount_text(each.amount) for each in old}
    after = {_name(each): amount_text(each.amount) for each in new}
    return {
        name: (before.get(name), after.get(name))
        for name in (*before, *(after.keys() - before.keys()))
        if before.get(name) != after.get(name)
    }


def _name(balance: Balance) -> str:
    return f"{balance.code or balance.proprietary} {balance.currency} {balance.on}"


def _balance_parts(balance: Balance) -> tuple[object, ...]:
    return (
        balance.code,
        balance.proprietary,
        balance.sub_type,
        _amount(balance.amount),
        balance.currency,
        balance.on,
        balance.at,
    )


def _detail_parts(detail: Detail) -> tuple[object, ...]:
    return (
        None if detail.amount is None else _amount(detail.amount),
        detail.direction,
        detail.servicer_reference,
        detail.end_to_end_id,
        detail.transaction_id,
        detail.uetr,
        detail.clearing_reference,
        detail.counterparty_account,
        detail.remittance,
        detail.creditor_references,
    )


def _amount(amount: Decimal) -> str:
    return amount_text(normal(amount))
