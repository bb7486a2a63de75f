"""What a report during the day says of sums, against what is known. Pure; it moves nothing."""

from datetime import date
from decimal import Decimal

from recon_streams.kernel.money import subtract
from recon_streams.positions import bank_findings as say
from recon_streams.positions.bank_message import PreparedReport
from recon_streams.positions.bank_record import DayTotal, StatementRow
from recon_streams.positions.bank_statements import PreparedTotal, link_of
from recon_streams.positions.entry_intake import told_of
from recon_streams.positions.identity import digest_of
from recon_streams.positions.message_intake import MessageIntake
from recon_streams.positions.state import AccountState
from recon_streams.statements.chain import Link
from recon_streams.statements.equation import Equation


def keep_report(intake: MessageIntake, report: PreparedReport) -> None:
    """Keep a report as it was understood, if it says which day it is about."""
    statement = report.statement
    if statement is None:
        return
    equation = statement.equation
    is_record = statement.is_record and report.message == "camt.053"
    if statement.closing_on is None:
        if is_record and report.pages is None:
            made = (statement.created_at or intake.at).date()
            intake.say(say.unproven(report.account.number, made, equation, intake.origin))
        return
    link = link_of(
        statement, equation, message=report.message, origin=intake.origin, path=report.path
    )
    _keep(intake, report, link, equation)
    if is_record and report.total is None:
        intake.say(say.unproven(report.account.number, link.closing_on, equation, intake.origin))


def compare_balance(
    intake: MessageIntake, report: PreparedReport, equation: Equation, *, before: AccountState
) -> None:
    """Compare the balance that a report gives with what is booked, and its entries with both.

    Only where both are of the same moment: nothing came in after the instant it speaks of, nothing
    is known to be booked on later days, its day is not closed by a statement already, and nothing
    waits for pages of one. A balance without an instant is of the moment its report came.

    Args:
        intake: The message.
        report: Any page of it, if it comes in pages.
        equation: All of it as a sum.
        before: The account before the report.
    """
    statement = report.statement
    assert statement is not None, "it names balances"
    number, day = report.account.number, equation.closing_on or statement.closing_on
    state = intake.working.states[number]
    if equation.closing is None or day is None or _is_closed(state, day):
        return
    agrees = _compare(intake, report, (day, equation.closing), before)
    told = told_of(report, intake)
    if equation.difference and not agrees:
        # Where the balance is right, the report lists only what is new since the one before.
        intake.say(say.unbalanced_report(number, day, equation, told))
    elif equation.difference is not None:
        intake.say(say.balanced_report(number, day, intake.origin))


def _is_closed(state: AccountState, day: date) -> bool:
    return state.stated_on is not None and day <= state.stated_on


def _compare(
    intake: MessageIntake,
    report: PreparedReport,
    balance: tuple[date, Decimal],
    before: AccountState,
) -> bool | None:
    """Say whether the figure is the balance at a day that the report gives; None if unknown."""
    assert report.statement is not None, "it names balances"
    number, (day, said) = report.account.number, balance
    state, spoken_at = intake.working.states[number], report.statement.spoken_at
    figure, heard = state.bank.figure, before.bank.as_of
    if figure is None or state.held or intake.known.bank.moved_after(number, day):
        return None
    if spoken_at is not None and heard is not None and heard > spoken_at:
        return None
    if said == figure:
        intake.say(say.agreement(number, day, intake.origin))
    else:
        told = told_of(report, intake)
        intake.say(say.disagreement(number, day, said=said, known=figure, told=told))
    return said == figure


def compare_total(intake: MessageIntake, report: PreparedReport, total: PreparedTotal) -> None:
    """Compare what report and notification of one day say it moved in all."""
    bank, number = intake.known.bank, report.account.number
    net = subtract(total.credits, total.debits)
    own = DayTotal(day=total.day, net=net, message=report.message, origin=intake.origin)
    others = bank.totals.setdefault((number, total.day), [])
    others.append(own)
    equation = Equation(
        currency=report.account.currency,
        opening=total.opening,
        opening_code=None if total.opening is None else "OPAV",
        closing=total.closing,
        closing_code="INFO",
        closing_on=total.day,
        booked_credits=total.credits,
        booked_debits=total.debits,
    )
    link = Link(
        closing_on=total.day,
        opening=total.opening,
        closing=total.closing,
        key=digest_of("total", report.message, report.key.hex()),
        content=report.content,
        origin=intake.origin,
        path=f"{report.path}/total",
        message=report.message,
        closing_code="INFO",
    )
    _keep(intake, report, link, equation)
    reports = [each for each in others if each.message == "camt.052"]
    notifications = [each for each in others if each.message == "camt.054"]
    if reports and notifications:
        intake.say(say.totals(number, reports[-1], notifications[-1]))


def _keep(intake: MessageIntake, report: PreparedReport, link: Link, equation: Equation) -> None:
    row = StatementRow(
        account=report.account.number,
        link=link,
        equation=equation,
        status="OBSERVED",
        arrived_at=intake.at,
    )
    intake.known.bank.note_statement(row)
