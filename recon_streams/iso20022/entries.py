"""Entries: what is booked, expected or told, with the batch and the charges around it."""

from decimal import Decimal
from typing import Final

from recon_streams.iso20022.charges import charges_of
from recon_streams.iso20022.details import detail_of
from recon_streams.iso20022.leaves import (
    boolean_in,
    direction_in,
    moment_in,
    money_of,
    number_in,
    reference_in,
    text_in,
    text_of,
)
from recon_streams.iso20022.reading import Children, Reading, Repeated, required
from recon_streams.iso20022.safe_xml import Element
from recon_streams.iso20022.shapes import (
    BANK_CODE,
    BATCH,
    CODE,
    DOMAIN,
    ENTRY,
    ENTRY_DETAILS,
    FAMILY,
    ONE_CODE,
)
from recon_streams.iso20022.values import (
    Detail,
    Direction,
    Entry,
    EntryStatus,
    FindingCode,
)
from recon_streams.kernel.money import add
from recon_streams.kernel.refusal import RefusalCode, Refused, excerpt

STATUSES: Final = {status.value: status for status in EntryStatus}


def entry_of(element: Element, path: str, reading: Reading) -> Entry:
    """Return the entry at `path`.

    Raises:
        Refused: For anything that leaves amount, currency, direction, status or day in doubt.
    """
    one, many = reading.split(element, ENTRY, path)
    amount, currency = money_of(required(one, "Amt", path), path, reading)
    required(one, "CdtDbtInd", path)
    direction = direction_in(one, path)
    assert direction is not None, "the element is there"
    booked = moment_in(one, "BookgDt", path, reading)
    value = moment_in(one, "ValDt", path, reading)
    iso_code, own_code = _bank_code_of(one, path, reading)
    batches, details = _contents_of(one, many, path, direction, reading)
    charges, charges_total = charges_of(many.get("Chrgs", ()), path, reading)
    batch = Batches(batches, path, reading)
    return Entry(
        path=path,
        amount=amount,
        currency=currency,
        direction=direction,
        status=_status_of(one, path, reading),
        reversal=boolean_in(one, "RvslInd", path) or False,
        booked_on=booked.on if booked else None,
        booked_at=booked.at if booked else None,
        value_on=value.on if value else None,
        reference=reference_in(one, "NtryRef", path),
        servicer_reference=reference_in(one, "AcctSvcrRef", path),
        bank_transaction_code=iso_code,
        bank_transaction_proprietary=own_code,
        batch_count=batch.count,
        batch_total=batch.total,
        batch_message_id=batch.message_id,
        batch_payment_information_id=batch.payment_information_id,
        charges=charges,
        charges_total=charges_total,
        details=details,
    )


def _contents_of(
    one: Children, many: Repeated, path: str, direction: Direction, reading: Reading
) -> tuple[list[Element], tuple[Detail, ...]]:
    """Return the batches and the transactions of an entry; version 01 has no level between."""
    batches = [one["Btch"]] if "Btch" in one else []
    details = [
        detail_of(element, f"{path}/TxDtls[{number}]", direction, reading)
        for number, element in enumerate(many.get("TxDtls", ()), start=1)
    ]
    for group, element in enumerate(many.get("NtryDtls", ()), start=1):
        group_path = f"{path}/NtryDtls[{group}]"
        inner, inner_many = reading.split(element, ENTRY_DETAILS, group_path)
        if "Btch" in inner:
            batches.append(inner["Btch"])
        details.extend(
            detail_of(transaction, f"{group_path}/TxDtls[{number}]", direction, reading)
            for number, transaction in enumerate(inner_many.get("TxDtls", ()), start=1)
        )
    return batches, tuple(details)


class Batches:
    """What the groups of an entry say about themselves, taken together."""

    __slots__ = ("count", "message_id", "payment_information_id", "total")

    def __init__(self, elements: list[Element], path: str, reading: Reading) -> None:
        self.count: int | None = None
        self.total: Decimal | None = None
        self.message_id: str | None = None
        self.payment_information_id: str | None = None
        kinds: set[tuple[str, Direction | None]] = set()
        for element in elements:
            where = f"{path}/Btch"
            one = reading.children(element, BATCH, where)
            count = number_in(one, "NbOfTxs", where, reading)
            if count is not None:
                self.count = (self.count or 0) + count
            if "TtlAmt" in one:
                amount, currency = money_of(one["TtlAmt"], where, reading)
                kinds.add((currency, direction_in(one, where)))
                self.total = amount if self.total is None else add(self.total, amount)
            self.message_id = self.message_id or reference_in(one, "MsgId", where)
            payment = reference_in(one, "PmtInfId", where)
            self.payment_information_id = self.payment_information_id or payment
        if len(kinds) > 1:
            self.total = None


def _status_of(one: Children, path: str, reading: Reading) -> EntryStatus:
    """Return the status: text up to version 06, a code or a word of the bank's own from 07.

    A statement holds what is booked, so there a missing status (seen at a central bank) means
    booked. Elsewhere it might as well mean expected, and nothing is guessed.
    """
    element = one.get("Sts")
    if element is None:
        if reading.message != "camt.053":
            required(one, "Sts", path)
        text = "an entry of a statement without a status is taken as booked"
        reading.note(FindingCode.STATUS_MISSING, f"{path}/Sts", text)
        return EntryStatus.BOOKED
    where = f"{path}/Sts"
    inner = reading.children(element, CODE, where) if len(element) else {}
    if inner:
        if len(inner) > 1 or (element.text or "").strip():
            rule = "one status, as a text or as a code"
            raise Refused(RefusalCode.DUPLICATE_FIELD, where, rule)
        (source,) = inner.values()
        text = text_of(source, where)
    else:
        text = text_of(element, path)
    status = STATUSES.get(text)
    if status is None:
        rule = "BOOK, PDNG, INFO or FUTR"
        raise Refused(RefusalCode.INVALID_STATUS, where, rule, excerpt(text))
    return status


def _bank_code_of(one: Children, path: str, reading: Reading) -> tuple[str, str | None]:
    """Return the ISO code and the bank's own code of what kind of transaction it was."""
    element = one.get("BkTxCd")
    if element is None:
        return "", None
    where = f"{path}/BkTxCd"
    inner = reading.children(element, BANK_CODE, where)
    own: str | None = None
    if "Prtry" in inner:
        code = reading.children(inner["Prtry"], ONE_CODE, f"{where}/Prtry")
        own = reference_in(code, "Cd", f"{where}/Prtry")
    if "Domn" not in inner:
        return "", own
    domain = reading.children(inner["Domn"], DOMAIN, f"{where}/Domn")
    parts = [text_in(domain, "Cd", f"{where}/Domn") or ""]
    if "Fmly" in domain:
        family = reading.children(domain["Fmly"], FAMILY, f"{where}/Domn/Fmly")
        parts += [text_in(family, name, f"{where}/Domn/Fmly") or "" for name in ("Cd", "SubFmlyCd")]
    return "/".join(parts), own
