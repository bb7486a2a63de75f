"""What stands around entries, the plain way: the header of a message, the head of a report."""

from datetime import datetime
from functools import lru_cache

from recon_streams.iso20022.accounts import IBAN, account_of
from recon_streams.iso20022.amounts import MINOR_UNITS
from recon_streams.iso20022.balances import balance_of
from recon_streams.iso20022.leaves import NUMBER_DIGITS_MAX
from recon_streams.iso20022.plain import (
    NotPlain,
    Plain,
    children_in,
    only_child,
    reference_of,
    sure_moment,
    text_of,
    truth_of,
    two_children,
)
from recon_streams.iso20022.safe_xml import Element
from recon_streams.iso20022.values import PAGE_NUMBER_MAX, Account, GroupHeader, Report


def plain_header_of(element: Element, plain: Plain) -> GroupHeader:
    """Return the header of a message.

    Raises:
        NotPlain: If it is to be read with care.
    """
    message_id, created, page, information, _ = children_in(element, plain.group_header)
    page_number, last_page = (None, None) if page is None else _page_of(page, plain)
    return GroupHeader(
        message_id=reference_of(message_id),
        created_at=_instant_of(created),
        page_number=page_number,
        last_page=last_page,
        additional_information=None if information is None else text_of(information) or None,
    )


def plain_head_of(element: Element, path: str, plain: Plain) -> tuple[Report, list[Element]]:
    """Return the report at `path` without its entries, and the elements of these.

    Raises:
        NotPlain: If it is to be read with care.
        Refused: Likewise; a careful function that was asked for help gave up.
    """
    # fmt: off
    (
        number, of_report, of_statement, of_notification, electronic, legal, created, period, copy,
        account, balances, entries, _,
    ) = children_in(element, plain.report)
    # fmt: on
    from_at, until_at = (None, None) if period is None else _period_of(period, plain)
    page_number, last_page = None, None
    for page in (of_notification, of_statement, of_report):
        if page is not None:
            page_number, last_page = _page_of(page, plain)
            break
    report = Report(
        path=path,
        account=_account_of(account, plain),
        id=reference_of(number),
        electronic_sequence=_number_of(electronic),
        legal_sequence=_number_of(legal),
        created_at=_instant_of(created),
        from_at=from_at,
        until_at=until_at,
        page_number=page_number,
        last_page=last_page,
        copy_duplicate=None if copy is None else text_of(copy) or None,
        balances=tuple([balance_of(balance, "", plain) for balance in balances]),
    )
    return report, entries


def _number_of(element: Element | None) -> int | None:
    if element is None:
        return None
    text = text_of(element)
    if not text.isascii() or not text.isdigit() or len(text) > NUMBER_DIGITS_MAX:
        raise NotPlain
    return int(text)


def _instant_of(element: Element | None) -> datetime | None:
    if element is None:
        return None
    moment = sure_moment(element.text)
    if moment is None or moment.at is None or len(element):
        raise NotPlain
    return moment.at


def _page_of(element: Element, plain: Plain) -> tuple[int | None, bool]:
    number, is_last = two_children(element, plain.page_number, plain.last_page)
    page = _number_of(number)
    if page is not None and page > PAGE_NUMBER_MAX:
        raise NotPlain
    return page, truth_of(is_last)


def _period_of(element: Element, plain: Plain) -> tuple[datetime | None, datetime | None]:
    start, end = two_children(element, plain.period_start, plain.period_end)
    return _instant_of(start), _instant_of(end)


def _account_of(element: Element | None, plain: Plain) -> Account:
    if element is None:
        raise NotPlain
    identification, currency, _, servicer, _ = children_in(element, plain.account)
    iban = bic = None
    if identification is not None:
        iban = only_child(identification, plain.iban)
    if servicer is not None:
        institution = only_child(servicer, plain.institution)
        bic = None if institution is None else only_child(institution, plain.bic)
    if iban is None or len(iban) or (bic is None and servicer is not None):
        return account_of(element, "", plain)
    known = _known_account(
        iban.text or "",
        None if currency is None else text_of(currency) or None,
        None if bic is None else text_of(bic) or None,
    )
    return account_of(element, "", plain) if known is None else known


# All messages of a bank are about a few accounts.
@lru_cache(maxsize=1024)
def _known_account(iban: str, currency: str | None, bic: str | None) -> Account | None:
    is_known = currency is None or currency in MINOR_UNITS
    if not is_known or currency == "XXX" or not IBAN.fullmatch(iban):
        return None
    return Account(identification=iban, scheme="IBAN", currency=currency, servicer_bic=bic)
