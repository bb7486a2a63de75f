"""How matches, suggestions and open items look to people."""

from agents.cli.layout import Rows
from agents.cli.output import out, plain
from recon_streams.matching import reading


def print_match(found: reading.MatchShown) -> None:
    """Print one match: its items, every predicate, and what people did with it."""
    state = "holds" if found.holds else "was taken apart"
    name = f"{found.account_id}:{found.currency}"
    out.print(f"match {found.match_id} of {name}, {found.rule}, score {found.score}, {state}")
    for leg in (*found.bank, *found.ledger):
        reference = f"  {leg.reference}" if leg.reference else ""
        out.print(f"  {leg.name}  {leg.on}  {leg.amount}{reference}", markup=False)
    for each in found.because:
        out.print(f"  {each}", markup=False)
    if found.difference != "0":
        out.print(f"  difference {found.difference}, by {found.explained_by}", markup=False)
    for action in found.actions:
        said = f"{action.kind} by {action.actor} at {action.at:%F %T}Z: {action.reason}"
        out.print(f"  {said}", markup=False)


def match_rows(found: list[reading.MatchShown]) -> Rows:
    """Return one row for each match."""
    rows = Rows(
        "match", "account", "rule", "score", "day", "bank", "ledger", "difference", "by hand"
    )
    for each in found:
        rows.add_row(
            str(each.match_id), plain(f"{each.account_id}:{each.currency}"), each.rule,
            str(each.score), str(each.on), plain(", ".join(leg.name for leg in each.bank)),
            plain(", ".join(leg.name for leg in each.ledger)), each.difference,
            plain("; ".join(f"{did.kind} by {did.actor}: {did.reason}" for did in each.actions)),
        )  # fmt: skip
    return rows


def suggestion_rows(found: list[reading.SuggestionShown]) -> Rows:
    """Return one row for each suggestion."""
    rows = Rows("suggestion", "account", "rule", "score", "bank", "ledger", "because")
    for each in found:
        rows.add_row(
            each.suggestion, plain(f"{each.account_id}:{each.currency}"), each.rule,
            str(each.score), plain(", ".join(each.bank)), plain(", ".join(each.ledger)),
            plain("; ".join(each.because)),
        )  # fmt: skip
    return rows


def open_rows(found: list[reading.OpenShown]) -> Rows:
    """Return one row for each open item."""
    rows = Rows("account", "item", "day", "amount", "reference", "why", "reason")
    for each in found:
        rows.add_row(
            plain(f"{each.account_id}:{each.currency}"), plain(each.name), str(each.on),
            each.amount, plain(each.reference), each.why, plain(each.reason),
        )  # fmt: skip
    return rows
