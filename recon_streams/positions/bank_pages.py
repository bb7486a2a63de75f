"""Which page of what a message is: cut by the bank or by us, or whole whatever its number. Pure."""

import msgspec

from recon_streams.iso20022.values import FilePage, Message, Report
from recon_streams.kernel.refusal import RefusalCode, Refused
from recon_streams.positions.identity import digest_of
from recon_streams.statements.equation import Equation
from recon_streams.statements.pages import is_whole_alone


class PreparedPages(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of what a report is; `key` is equal for all pages of one statement.

    `balanced` is what is known of the whole: None if nobody added it up before it was cut.
    """

    key: bytes
    number: int
    is_last: bool
    balanced: bool | None = None


def pages_in(
    message: Message, report: Report, equation: Equation | None = None
) -> PreparedPages | None:
    """Return which page of what `report` is; None if it is whole. Only a statement has a sum.

    Raises:
        Refused: OUT_OF_RANGE for a page 0 that is not a whole statement by itself.
    """
    if message.page is not None:
        return _pages_of_file(message.page, report.account.identification)
    header = message.group_header
    number, is_last = report.page_number, report.last_page
    if number is None and len(message.reports) == 1:
        number, is_last = header.page_number, header.last_page
    if number is None or (number == 1 and is_last is not False):
        return None
    if _is_whole(message, equation, number=number, is_last=bool(is_last)):
        return None
    if number < 1:
        rule = "the pages of a statement are numbered from 1"
        raise Refused(RefusalCode.OUT_OF_RANGE, f"{report.path}/PgNb", rule, str(number))
    name = report.id or header.message_id or ""
    sequence = str(report.electronic_sequence or report.legal_sequence or "")
    made = report.created_at or header.created_at
    day = made.date().isoformat() if made else str((equation and equation.closing_on) or "")
    account = report.account.identification
    key = digest_of("pages", message.message, account, name, sequence, day)
    return PreparedPages(key=key, number=number, is_last=bool(is_last))


def _pages_of_file(cut: FilePage, account: str) -> PreparedPages | None:
    """Return which page of a file that we cut it is; None if that has one page."""
    if cut.of == 1:
        return None
    # Pages that disagree about how many there are never become one statement.
    extent = (str(cut.statement), str(cut.of), str(cut.entries))
    key = digest_of("file", cut.sha256, *extent, account)
    is_last = cut.number == cut.of
    return PreparedPages(key=key, number=cut.number, is_last=is_last, balanced=cut.balanced)


def _is_whole(message: Message, equation: Equation | None, *, number: int, is_last: bool) -> bool:
    """Return whether what is numbered as a page is whole all the same."""
    is_alone = number < 1 if equation is None else is_whole_alone(equation, is_last=is_last)
    header = message.group_header
    # If the message is all there is, the number in it counts something else.
    is_only = header.page_number == 1 and bool(header.last_page)
    return is_alone or (message.message != "camt.053" and is_only)
