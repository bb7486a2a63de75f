"""Reports, statements and notifications, which are one thing under three names."""

from typing import Final

import msgspec

from recon_streams.iso20022.accounts import account_of
from recon_streams.iso20022.balances import balance_of
from recon_streams.iso20022.leaves import (
    boolean_in,
    instant_in,
    number_in,
    reference_in,
    text_in,
)
from recon_streams.iso20022.plain import NotPlain, plain_in
from recon_streams.iso20022.plain_entries import entry_of
from recon_streams.iso20022.plain_heads import plain_head_of, plain_header_of
from recon_streams.iso20022.reading import Children, Reading
from recon_streams.iso20022.safe_xml import Element
from recon_streams.iso20022.shapes import GROUP_HEADER, PAGE, PERIOD, REPORT
from recon_streams.iso20022.values import PAGE_NUMBER_MAX, GroupHeader, Report
from recon_streams.kernel.refusal import RefusalCode, Refused

_PAGES: Final = ("NtfctnPgntn", "StmtPgntn", "RptPgntn")


def report_of(element: Element, path: str, reading: Reading) -> Report:
    """Return the report at `path`.

    Raises:
        Refused: What its account, entries and balances raise.
    """
    plain = plain_in(reading.message, reading.namespace)
    try:
        report, elements = plain_head_of(element, path, plain)
    except (NotPlain, Refused):
        return careful_report_of(element, path, reading)
    entries = [
        entry_of(child, f"{path}/Ntry[{number}]", reading, plain)
        for number, child in enumerate(elements, start=1)
    ]
    # The report is frozen, but nobody has seen it yet.
    msgspec.structs.force_setattr(report, "entries", tuple(entries))
    return report


def careful_report_of(element: Element, path: str, reading: Reading) -> Report:
    """Return the report at `path`, its head read with care.

    Raises:
        Refused: As `report_of`.
    """
    one, many = reading.split(element, REPORT, path)
    page_number, last_page = _page_of(one, path, reading)
    period: Children = {}
    if "FrToDt" in one:
        period = reading.children(one["FrToDt"], PERIOD, f"{path}/FrToDt")
    plain = plain_in(reading.message, reading.namespace)
    return Report(
        path=path,
        id=reference_in(one, "Id", path),
        electronic_sequence=number_in(one, "ElctrncSeqNb", path, reading),
        legal_sequence=number_in(one, "LglSeqNb", path, reading),
        account=account_of(one.get("Acct"), f"{path}/Acct", reading),
        created_at=instant_in(one, "CreDtTm", path, reading),
        from_at=instant_in(period, "FrDtTm", f"{path}/FrToDt", reading),
        until_at=instant_in(period, "ToDtTm", f"{path}/FrToDt", reading),
        page_number=page_number,
        last_page=last_page,
        copy_duplicate=text_in(one, "CpyDplctInd", path),
        balances=tuple(
            balance_of(child, f"{path}/Bal[{number}]", reading)
            for number, child in enumerate(many.get("Bal", ()), start=1)
        ),
        entries=tuple(
            entry_of(child, f"{path}/Ntry[{number}]", reading, plain)
            for number, child in enumerate(many.get("Ntry", ()), start=1)
        ),
    )


def group_header_of(element: Element | None, reading: Reading) -> GroupHeader:
    """Return the header of the message; an empty one where a bank left it out."""
    if element is None:
        return GroupHeader()
    try:
        return plain_header_of(element, plain_in(reading.message, reading.namespace))
    except NotPlain:
        return careful_header_of(element, reading)


def careful_header_of(element: Element, reading: Reading) -> GroupHeader:
    """Return the header of the message, read with care."""
    path = "GrpHdr"
    one = reading.children(element, GROUP_HEADER, path)
    page_number, last_page = None, None
    if "MsgPgntn" in one:
        page_number, last_page = _pagination_of(one["MsgPgntn"], f"{path}/MsgPgntn", reading)
    return GroupHeader(
        message_id=reference_in(one, "MsgId", path),
        created_at=instant_in(one, "CreDtTm", path, reading),
        page_number=page_number,
        last_page=last_page,
        additional_information=text_in(one, "AddtlInf", path),
    )


def _page_of(one: Children, path: str, reading: Reading) -> tuple[int | None, bool | None]:
    for name in _PAGES:
        if name in one:
            return _pagination_of(one[name], f"{path}/{name}", reading)
    return None, None


def _pagination_of(element: Element, path: str, reading: Reading) -> tuple[int | None, bool | None]:
    inner = reading.children(element, PAGE, path)
    number = number_in(inner, "PgNb", path, reading)
    if number is not None and number > PAGE_NUMBER_MAX:
        rule = "the number of a page has at most five digits"
        raise Refused(RefusalCode.OUT_OF_RANGE, f"{path}/PgNb", rule)
    return number, boolean_in(inner, "LastPgInd", path)
