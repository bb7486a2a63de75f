"""Entries the plain way; what is not plain goes to the careful reader of entries."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from recon_streams.iso20022 import entries
from recon_streams.iso20022.amounts import XML_SPACE
from recon_streams.iso20022.charges import charges_of
from recon_streams.iso20022.plain import (
    NotPlain,
    Plain,
    children_in,
    direction_of,
    moment_in,
    money_of,
    only_child,
    reference_of,
    truth_of,
    two_children,
)
from recon_streams.iso20022.plain_details import plain_detail_of
from recon_streams.iso20022.reading import Reading
from recon_streams.iso20022.safe_xml import Element
from recon_streams.iso20022.values import Detail, Direction, Entry, EntryStatus
from recon_streams.kernel.refusal import Refused

_NO_MOMENT: Final = (None, None, False)


def entry_of(element: Element, path: str, reading: Reading, plain: Plain) -> Entry:
    """Return the entry at `path`; `plain` is of the namespace of `reading`.

    Raises:
        Refused: For anything that leaves amount, currency, direction, status or day in doubt.
    """
    try:
        return plain_entry_of(element, path, plain)
    except (NotPlain, Refused):
        return entries.entry_of(element, path, reading)


def plain_entry_of(element: Element, path: str, plain: Plain) -> Entry:
    """Return the entry at `path` if it is plain.

    Raises:
        NotPlain: If it is to be read with care.
        Refused: Likewise; a careful function that was asked for help gave up.
    """
    # fmt: off
    (
        number, money, sign, reversal, status, booked, valued, reference, code, batch,
        charged, groups, transactions, _,
    ) = children_in(element, plain.entry)
    # fmt: on
    # Version 01 has batches and transactions here.
    if money is None or sign is None or status is None or batch is not None or transactions:
        raise NotPlain
    amount, currency = money_of(money)
    direction = direction_of(sign)
    booked_on, booked_at, _ = _NO_MOMENT if booked is None else moment_in(booked, plain)
    batches, details = _contents_of(groups, path, direction, plain)
    iso_code, own_code = ("", None) if code is None else _bank_code_of(code, plain)
    # Python has a slow way to call with more than fifteen names, so what is rare is added after.
    entry = Entry(
        path=path,
        amount=amount,
        currency=currency,
        direction=direction,
        status=_status_of(status, plain),
        reversal=reversal is not None and truth_of(reversal),
        booked_on=booked_on,
        booked_at=booked_at,
        value_on=None if valued is None else moment_in(valued, plain).on,
        reference=reference_of(number),
        servicer_reference=reference_of(reference),
        bank_transaction_code=iso_code,
        bank_transaction_proprietary=own_code,
        details=details,
    )
    return _with_rare(entry, batches, charged, plain) if batches or charged else entry


def _contents_of(
    groups: Sequence[Element], path: str, direction: Direction, plain: Plain
) -> tuple[list[Element], tuple[Detail, ...]]:
    """Return the batches and the transactions in `groups`, the `NtryDtls` of an entry."""
    batches: list[Element] = []
    details: list[Detail] = []
    for group, element in enumerate(groups, start=1):
        only = only_child(element, plain.transaction)
        if only is not None:
            detail_path = f"{path}/NtryDtls[{group}]/TxDtls[1]"
            details.append(plain_detail_of(only, detail_path, direction, plain))
            continue
        batch, transactions, _ = children_in(element, plain.entry_details)
        if batch is not None:
            batches.append(batch)
        for number, transaction in enumerate(transactions, start=1):
            detail_path = f"{path}/NtryDtls[{group}]/TxDtls[{number}]"
            details.append(plain_detail_of(transaction, detail_path, direction, plain))
    return batches, tuple(details)


def _with_rare(
    entry: Entry, batches: list[Element], charged: Sequence[Element], plain: Plain
) -> Entry:
    charges, charges_total = charges_of(charged, "", plain)
    batch = entries.Batches(batches, "", plain)
    return msgspec.structs.replace(
        entry,
        batch_count=batch.count,
        batch_total=batch.total,
        batch_message_id=batch.message_id,
        batch_payment_information_id=batch.payment_information_id,
        charges=charges,
        charges_total=charges_total,
    )


def _status_of(element: Element, plain: Plain) -> EntryStatus:
    """Return the status: text up to version 06, a code from 07."""
    source = element
    if len(element):
        child = only_child(element, plain.code)
        if child is None or element.text:
            raise NotPlain
        source = child
    status = entries.STATUSES.get(source.text or "")
    if status is None or len(source):
        raise NotPlain
    return status


def _bank_code_of(element: Element, plain: Plain) -> tuple[str, str | None]:
    """Return the ISO code and the bank's own code of what kind of transaction it was."""
    own_code: str | None = None
    domain = only_child(element, plain.domain)
    if domain is None:
        domain, own, _ = children_in(element, plain.bank_code)
        if own is not None:
            code, _ = children_in(own, plain.one_code)
            own_code = reference_of(code)
        if domain is None:
            return "", own_code
    code, family = two_children(domain, plain.code, plain.family)
    main, sub = two_children(family, plain.code, plain.sub_family)
    if len(code) or len(main) or len(sub):
        raise NotPlain
    return _known_code(code.text, main.text, sub.text), own_code


# There are some hundred codes, and a bank uses a few of them.
@lru_cache(maxsize=1024)
def _known_code(*parts: str | None) -> str:
    return "/".join([(part or "").strip(XML_SPACE) for part in parts])
