"""What a day's figures say is wrong, or proven right again. Pure."""

from decimal import Decimal

from recon_streams.discrepancies.finding import Cause, Cleared, Finding, Kind, Source
from recon_streams.reports.account_day import AccountDay


def news_of(number: int, day: AccountDay) -> tuple[list[Finding], list[Cleared]]:
    """Return what the proof of `day` says: a finding if it is not zero, its end if it is.

    Without a statement there is no proof, and nothing is said: neither that something is wrong nor
    that it is right. What is explained and still wrong, an item that is missing on one side, is
    told of by itself.
    """
    if day.proof is None:
        return [], []
    cause = Cause(
        kind=Kind.BALANCE_MISMATCH, account=number, subject=f"proof of {day.on.isoformat()}"
    )
    facts = {
        "bank_closing": day.bank_closing or "",
        "ledger_at_cut_off": day.ledger_at_cut_off or "",
        "difference": day.difference or "",
        "explained": day.explained_total,
        "proof": day.proof,
        "uncovered": day.uncovered or "",
        **{f"explained by {group.kind}": group.explains for group in day.groups},
    }
    if day.proof == "0":
        return [], [Cleared(cause=cause, source=Source.CLOSING, proof=facts)]
    found = Finding(
        cause=cause,
        source=Source.CLOSING,
        amount=Decimal(day.proof),
        facts={**facts, "tier": day.tier.value, "rule": day.rule},
        on=day.on,
    )
    return [found], []
