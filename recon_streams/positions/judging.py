"""What an accepted statement proves: of the chain it stands in, and of what was announced. Pure."""

from recon_streams.discrepancies.finding import Cleared, Finding
from recon_streams.positions import bank_findings as say
from recon_streams.positions import chain_findings
from recon_streams.positions.bank_message import PreparedReport
from recon_streams.positions.entry_intake import ReportEntries, told_of
from recon_streams.positions.lumps import decided
from recon_streams.positions.message_intake import MessageIntake
from recon_streams.statements.chain import Link, continuity, neighbours


def judge_chain(intake: MessageIntake, number: int, link: Link) -> None:
    """Say how `link` follows, and is followed by, the statements of the account that count."""
    before, after = neighbours(intake.known.bank.links.get(number, []), link)
    words: list[Finding | Cleared | None] = []
    if before is not None:
        words += chain_findings.chain(number, before, link, continuity(before, link))
    if after is not None:
        words += chain_findings.chain(number, link, after, continuity(link, after))
        words.append(chain_findings.number_arrived(number, link))
    for word in words:
        if word is not None:
            intake.say(word)


def judge_entries(
    intake: MessageIntake, report: PreparedReport, link: Link, entries: ReportEntries
) -> None:
    """Say what was announced and is not in it, and what is in it and was not announced."""
    assert report.statement is not None, "it is a statement"
    number, statement = report.account.number, report.statement
    bank, state = intake.known.bank, intake.working.states[number]
    first_on, last_on = statement.first_on, link.closing_on
    for key, payment in bank.unconfirmed.get(number, {}).items():
        is_within = (first_on is None or payment.day >= first_on) and payment.day <= last_on
        if is_within and key not in entries.payments and payment.net:
            intake.say(say.unconfirmed(key, payment, link))
    if entries.booked and state.notified and statement.pages is None:
        intake.say(say.late_notification(number, link, entries.total))
    day = [other for other in bank.links.get(number, []) if other.closing_on == last_on]
    if any(other.status == "UNBALANCED" for other in day):
        intake.say(say.balanced(number, link))
    intake.say(say.agreement(number, last_on, link.origin))
    intake.say(say.balanced_report(number, last_on, link.origin))
    intake.say(say.complete(number, f"{last_on}", told_of(report, intake)))
    for word in decided(number, first_on, last_on, link.origin):
        intake.say(word)
