"""Transactions the plain way."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from recon_streams.iso20022.accounts import IBAN, identification_in
from recon_streams.iso20022.charges import charges_of
from recon_streams.iso20022.details import (
    NIL,
    UUID,
    amount_of,
    creditor_references_of,
    return_reason_of,
)
from recon_streams.iso20022.plain import (
    NotPlain,
    Plain,
    children_in,
    direction_of,
    money_of,
    only_child,
    references_in,
    text_of,
)
from recon_streams.iso20022.safe_xml import Element
from recon_streams.iso20022.shapes import REFERENCES
from recon_streams.iso20022.values import Detail, Direction

_NO_REFERENCES: Final[list[str | None]] = [None] * (len(REFERENCES.one) + 1)


def plain_detail_of(
    element: Element, path: str, entry_direction: Direction, plain: Plain
) -> Detail:
    """Return the transaction at `path` of an entry that moves in `entry_direction`.

    Raises:
        NotPlain: If it is to be read with care.
        Refused: Likewise; a careful function that was asked for help gave up.
    """
    referred, money, sign, amounts, parties, remitted, returned, charged, _ = children_in(
        element, plain.detail
    )
    amount: Decimal | None
    currency: str | None
    if money is not None:
        amount, currency = money_of(money)
    else:
        amount, currency = amount_of({} if amounts is None else {"AmtDtls": amounts}, "", plain)
    direction = None if sign is None else direction_of(sign)
    # fmt: off
    (
        message_id, servicer_reference, payment_id, instruction_id, end_to_end_id, uetr,
        transaction_id, mandate_id, clearing_reference, _,
    ) = _NO_REFERENCES if referred is None else references_in(referred, plain.references)
    # fmt: on
    lines, structured, _ = (
        ((), (), ()) if remitted is None else children_in(remitted, plain.remittance)
    )
    account = None
    if parties is not None:
        account = _counterparty_of(parties, direction or entry_direction, plain)
    # Python has a slow way to call with more than fifteen names, so what is rare is added after.
    detail = Detail(
        path=path,
        amount=amount,
        currency=currency,
        direction=direction,
        message_id=message_id or None,
        servicer_reference=servicer_reference or None,
        payment_information_id=payment_id or None,
        instruction_id=instruction_id or None,
        end_to_end_id=end_to_end_id or None,
        transaction_id=transaction_id or None,
        uetr=_uetr_of(uetr) if uetr else None,
        clearing_reference=clearing_reference or None,
        mandate_id=mandate_id or None,
        counterparty_account=account,
        remittance=tuple([line for line in map(text_of, lines) if line]),
    )
    if returned is not None or charged or structured:
        return _with_rare(detail, returned, charged, structured, plain)
    return detail


def _with_rare(
    detail: Detail,
    returned: Element | None,
    charged: Sequence[Element],
    structured: Sequence[Element],
    plain: Plain,
) -> Detail:
    charges, charges_total = charges_of(charged, "", plain)
    return msgspec.structs.replace(
        detail,
        return_reason=None
        if returned is None
        else return_reason_of({"RtrInf": returned}, "", plain),
        creditor_references=creditor_references_of(structured, "", plain),
        charges=charges,
        charges_total=charges_total,
    )


def _counterparty_of(element: Element, direction: Direction, plain: Plain) -> str | None:
    debtor, creditor, _ = children_in(element, plain.parties)
    account = debtor if direction is Direction.CREDIT else creditor
    if account is None:
        return None
    identification = only_child(account, plain.identification)
    if identification is not None:
        iban = only_child(identification, plain.iban)
        if iban is not None and not len(iban):
            text = iban.text
            if text and IBAN.fullmatch(text):
                return text
    return identification_in(account, "", plain)[0] or None


def _uetr_of(text: str) -> str:
    uetr = text.lower()
    if uetr == NIL or not UUID.fullmatch(uetr):
        raise NotPlain
    return uetr
