"""What a correction changed, as people read it: figures by name, amounts as amounts. Pure."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from recon_streams.reports.account_day import ItemKind
from recon_streams.reports.figures import printed
from recon_streams.reports.parts import Change
from recon_streams.reports.words import KINDS

FIGURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "account": "the account",
        "bank": "balance per bank",
        "ledger": "balance per ledger",
        "difference": "bank less ledger",
        "explained_total": "explained",
        "unexplained": "explained by nothing",
        "uncovered": "not covered",
        "shortage": "missing whatever else is open",
        "tier": "verdict",
        "statement": "statement of the bank",
        "continuity": "continuity",
        "bank_balance": "the bank's own answer",
    }
)
_AMOUNT: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_GROUP: Final = re.compile(r"([0-9]+) of (-?[0-9]+(?:\.[0-9]+)?)")
_NONE: Final = "none"


def figure_name(what: str) -> str:
    """Return what a figure is called that the dataset names by a code."""
    try:
        return KINDS[ItemKind(what)]
    except ValueError:
        return FIGURES.get(what, what)


def before_and_now(change: Change) -> tuple[str, str]:
    """Return both values for people: `1,250.00`, `2 items, 70.00`, or the words as they are."""
    return _said(change.before, change.currency), _said(change.after, change.currency)


def _said(value: str | None, currency: str) -> str:
    if value is None:
        return _NONE
    if _AMOUNT.fullmatch(value):
        return printed(value, currency)
    if group := _GROUP.fullmatch(value):
        noun = "item" if group[1] == "1" else "items"
        return f"{group[1]} {noun}, {printed(group[2], currency)}"
    return value
