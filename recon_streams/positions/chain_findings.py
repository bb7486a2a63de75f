"""What is wrong, or right again, between statements that follow each other. Pure."""

from collections.abc import Iterable

from recon_streams.discrepancies.finding import Cause, Cleared, Finding, Kind, Source
from recon_streams.positions.bank_findings import text_of
from recon_streams.statements.chain import Continuity, Link


def chain(
    account: int, before: Link, after: Link, found: Continuity
) -> Iterable[Finding | Cleared]:
    """Yield what is wrong, or right again, between two statements that follow each other."""
    cause = Cause(kind=Kind.CONTINUITY_BROKEN, account=account, subject=after.name)
    facts = {
        "closing_before": text_of(before.closing),
        "opening": text_of(after.opening),
        "statement_before": before.name,
        "relation": found.relation.value,
        "origin": after.origin,
    }
    if found.connects:
        proof = {"what": "it opens with the closing before it", **facts}
        yield Cleared(cause=cause, source=Source.STATEMENT, proof=proof)
        return
    if found.difference is None:
        return
    what = "a statement does not open with the closing before it"
    yield Finding(
        cause=cause,
        source=Source.STATEMENT,
        amount=found.difference,
        on=after.closing_on,
        facts={"what": what, **facts},
    )
    for number in found.missing:
        yield Finding(
            cause=_of_number(account, after.closing_on.year, number),
            source=Source.STATEMENT,
            on=after.closing_on,
            facts={
                "what": f"statement number {number} never came",
                "between": f"{before.name} and {after.name}",
            },
        )


def number_arrived(account: int, link: Link) -> Cleared | None:
    """Return that the statement with this number is there; None if it has none."""
    number = link.electronic_sequence or link.legal_sequence
    if number is None:
        return None
    cause = _of_number(account, link.closing_on.year, number)
    proof = {"what": "it arrived", "origin": link.origin}
    return Cleared(cause=cause, source=Source.STATEMENT, proof=proof)


def _of_number(account: int, year: int, number: int) -> Cause:
    return Cause(kind=Kind.STATEMENT_MISSING, account=account, subject=f"number {year}/{number}")
