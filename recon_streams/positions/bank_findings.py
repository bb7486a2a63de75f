"""What is wrong with what the bank says, in the words of a person who has to look at it. Pure."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from recon_streams.discrepancies.finding import Cause, Cleared, Finding, Kind, Source
from recon_streams.kernel.money import amount_text, normal, subtract
from recon_streams.positions.bank_entries import Told
from recon_streams.positions.bank_record import DayTotal, Payment, PaymentKey
from recon_streams.statements.chain import Link
from recon_streams.statements.equation import Equation
from recon_streams.statements.pages import in_ranges


def late_announcement(
    payment: PaymentKey, net: Decimal, day: date, told: Told, stated_on: date | None
) -> Finding:
    """Return that a payment was announced after the statement of its day, which has not got it."""
    return Finding(
        cause=_of_payment(payment),
        source=Source.STATEMENT,
        amount=net,
        on=day,
        facts={
            "what": "announced after the statement of its day, which does not hold it",
            "message": told.message,
            "origin": told.origin,
            "stated_through": f"{stated_on}",
        },
    )


def before_opening(payment: PaymentKey, net: Decimal, day: date, told: Told) -> Finding:
    """Return that a payment is told long after the opening figure that must have contained it."""
    return Finding(
        cause=_of_payment(payment),
        source=Source.STATEMENT,
        amount=net,
        on=day,
        facts={
            "what": "dated before the opening figure, and told long after it: is its date right?",
            "message": told.message,
            "origin": told.origin,
        },
    )


def unconfirmed(payment: PaymentKey, known: Payment, link: Link) -> Finding:
    """Return that a statement does not hold a payment that was announced for its days."""
    return Finding(
        cause=_of_payment(payment),
        source=Source.STATEMENT,
        amount=known.net,
        on=known.day,
        facts={
            "what": "announced, and not in the statement of its day",
            "announced_by": known.message,
            "origin": known.origin,
            "path": known.path,
            "statement": link.name,
        },
    )


def now_confirmed(payment: PaymentKey, told: Told) -> Cleared:
    """Return that a statement holds the payment after all."""
    proof = {"what": "a statement holds it", "origin": told.origin}
    return Cleared(cause=_of_payment(payment), source=Source.STATEMENT, proof=proof)


def unbalanced(account: int, on: date, equation: Equation, told: Told) -> Finding:
    """Return that a statement does not add up: its closing less what opening and entries make."""
    assert equation.difference is not None, "it has both ends"
    facts = sums_of(equation)
    if equation.hints:
        facts["would_balance_if"] = ", ".join(hint.value for hint in equation.hints)
    return Finding(
        cause=Cause(kind=Kind.STATEMENT_UNBALANCED, account=account, subject=f"{on}"),
        source=Source.STATEMENT,
        amount=equation.difference,
        on=on,
        facts={"what": "opening and booked entries are not the closing", **facts}
        | {"origin": told.origin},
    )


def unbalanced_report(account: int, on: date, equation: Equation, told: Told) -> Finding:
    """Return that the entries of a report do not lead from its opening to its closing."""
    return Finding(
        cause=Cause(kind=Kind.STATEMENT_UNBALANCED, account=account, subject=f"report {on}"),
        source=Source.STATEMENT,
        amount=equation.difference,
        on=on,
        facts={
            "what": "opening and booked entries of a report during the day are not its balance",
            **sums_of(equation),
            "message": told.message,
            "origin": told.origin,
        },
    )


def balanced_report(account: int, on: date, origin: str) -> Cleared:
    """Return that a later report of the day adds up, or that what it ends with is what is known."""
    cause = Cause(kind=Kind.STATEMENT_UNBALANCED, account=account, subject=f"report {on}")
    proof = {"what": "a later message of the day adds up", "origin": origin}
    return Cleared(cause=cause, source=Source.STATEMENT, proof=proof)


def unbalanced_file(account: int, on: date, told: Told) -> Finding:
    """Return that a file did not add up before it was cut into pages."""
    return Finding(
        cause=Cause(kind=Kind.STATEMENT_UNBALANCED, account=account, subject=f"{on}"),
        source=Source.STATEMENT,
        on=on,
        facts={
            "what": "the statement in a file does not add up; `recon-streams inspect` has the sums",
            "origin": told.origin,
        },
    )


def balanced(account: int, link: Link) -> Cleared:
    """Return that a statement of the day was accepted that adds up."""
    cause = Cause(kind=Kind.STATEMENT_UNBALANCED, account=account, subject=f"{link.closing_on}")
    proof = {"what": "a statement of the day adds up", "origin": link.origin}
    return Cleared(cause=cause, source=Source.STATEMENT, proof=proof)


def late_notification(account: int, link: Link, booked: tuple[int, Decimal]) -> Finding:
    """Return that a statement holds entries that nothing announced: how many, and their sum."""
    count, net = booked
    return Finding(
        cause=Cause(kind=Kind.LATE_NOTIFICATION, account=account, subject=link.name),
        source=Source.STATEMENT,
        amount=normal(net),
        on=link.closing_on,
        facts={
            "what": "the statement holds entries that no notification announced",
            "entries": f"{count}",
            "sum": amount_text(net),
            "origin": link.origin,
        },
    )


def corrected(
    account: int, old: Link, new: Link, *, added: tuple[int, Decimal], gone: tuple[int, Decimal]
) -> Finding:
    """Return that another version of a statement counts now, and what it changed.

    Args:
        account: Its number.
        old: The version that counted.
        new: The one that counts now.
        added: How many entries are new, and their sum.
        gone: How many are gone, and their sum.
    """
    change = None
    if old.closing is not None and new.closing is not None:
        change = normal(subtract(new.closing, old.closing))
    return Finding(
        cause=Cause(kind=Kind.STATEMENT_CORRECTED, account=account, subject=new.name),
        source=Source.STATEMENT,
        amount=change,
        on=new.closing_on,
        facts={
            "what": "the bank sent another version of a statement that counted",
            "version": f"{new.version}",
            "closing_before": text_of(old.closing),
            "closing_now": text_of(new.closing),
            "entries_added": f"{added[0]}",
            "entries_added_sum": amount_text(added[1]),
            "entries_gone": f"{gone[0]}",
            "entries_gone_sum": amount_text(gone[1]),
            "origin_before": old.origin,
            "origin_now": new.origin,
        },
    )


def incomplete(account: int, name: str, missing: Iterable[int], told: Told) -> Finding:
    """Return that pages of a statement are missing."""
    return Finding(
        cause=Cause(kind=Kind.STATEMENT_INCOMPLETE, account=account, subject=name),
        source=Source.STATEMENT,
        facts={
            "what": "pages of it are missing",
            "pages_missing": in_ranges(missing),
            "origin": told.origin,
        },
    )


def complete(account: int, name: str, told: Told) -> Cleared:
    """Return that all pages of a statement are there."""
    cause = Cause(kind=Kind.STATEMENT_INCOMPLETE, account=account, subject=name)
    proof = {"what": "all pages are there", "origin": told.origin}
    return Cleared(cause=cause, source=Source.STATEMENT, proof=proof)


def unproven(account: int, on: date, equation: Equation, origin: str) -> Finding:
    """Return that a statement cannot be proven: it has no opening or no closing."""
    return Finding(
        cause=Cause(kind=Kind.STATEMENT_INCOMPLETE, account=account, subject=f"{on}"),
        source=Source.STATEMENT,
        on=on,
        facts={
            "what": "the statement has no opening or no closing that can be used",
            **sums_of(equation),
            "origin": origin,
        },
    )


def disagreement(account: int, on: date, *, said: Decimal, known: Decimal, told: Told) -> Finding:
    """Return that a report during the day gives another balance than what was booked."""
    return Finding(
        cause=_of_report(account, on),
        source=Source.STATEMENT,
        amount=normal(subtract(said, known)),
        on=on,
        facts={
            "what": "the balance of a report is not what notifications and statements add up to",
            "said": amount_text(said),
            "booked": amount_text(known),
            "message": told.message,
            "origin": told.origin,
        },
    )


def agreement(account: int, on: date, origin: str) -> Cleared:
    """Return that the bank's figure of the day and what was booked are the same."""
    proof = {"what": "the figures agree", "origin": origin}
    return Cleared(cause=_of_report(account, on), source=Source.STATEMENT, proof=proof)


def totals(account: int, report: DayTotal, notification: DayTotal) -> Finding | Cleared:
    """Return whether report and notification say that a day moved the same in all."""
    cause = Cause(kind=Kind.SOURCE_DISAGREEMENT, account=account, subject=f"total {report.day}")
    difference = normal(subtract(report.net, notification.net))
    facts = {
        "report": amount_text(report.net),
        "notification": amount_text(notification.net),
        "report_origin": report.origin,
        "notification_origin": notification.origin,
    }
    if not difference:
        proof = {"what": "report and notification of the day agree", **facts}
        return Cleared(cause=cause, source=Source.STATEMENT, proof=proof)
    what = "report and notification of the day differ; a long notification may have been cut"
    return Finding(
        cause=cause,
        source=Source.STATEMENT,
        amount=difference,
        on=report.day,
        facts={"what": what, **facts},
    )


def sums_of(equation: Equation) -> dict[str, str]:
    """Return the numbers of an equation as facts."""
    return {
        "opening": f"{text_of(equation.opening)} {equation.opening_code or ''}".strip(),
        "credits": amount_text(equation.booked_credits),
        "debits": amount_text(equation.booked_debits),
        "closing": f"{text_of(equation.closing)} {equation.closing_code or ''}".strip(),
        "difference": text_of(equation.difference),
    }


def _of_payment(payment: PaymentKey) -> Cause:
    account, sequence, part = payment
    subject = f"payment {sequence}.{part}"
    return Cause(kind=Kind.NOTIFICATION_UNCONFIRMED, account=account, subject=subject)


def _of_report(account: int, on: date) -> Cause:
    return Cause(kind=Kind.SOURCE_DISAGREEMENT, account=account, subject=f"balance {on}")


def text_of(amount: Decimal | None) -> str:
    """Return an amount as a fact."""
    return "none" if amount is None else amount_text(amount)
