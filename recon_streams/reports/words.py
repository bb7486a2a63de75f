"""What the codes in a dataset are called in a report that people read."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from recon_streams.reports.account_day import Continuity, ItemKind
from recon_streams.reports.account_window import BankAnswer, BankBalance
from recon_streams.reports.figures import printed
from topics.positions import Tier

KINDS: Final[Mapping[ItemKind, str]] = MappingProxyType(
    {
        ItemKind.OPENING_DIFFERENCE: "difference when the account was registered",
        ItemKind.BANK_NOT_IN_LEDGER: "booked by the bank, not in the ledger",
        ItemKind.LEDGER_NOT_AT_BANK: "booked in the ledger, not at the bank",
        ItemKind.ANNOUNCED_NOT_STATED: "announced by the bank, not in its statement",
        ItemKind.TOLERATED_DIFFERENCE: "matched, amounts differ within the tolerance",
        ItemKind.HAND_DIFFERENCE: "matched by hand, difference",
        ItemKind.MATCHED_LATER: "matched with an entry of a later day",
    }
)
CONTINUITIES: Final[Mapping[Continuity, str]] = MappingProxyType(
    {
        Continuity.JOINED: "opens where the statement before it closed",
        Continuity.FIRST: "is the first statement of the account",
        Continuity.BROKEN: "does not open where the statement before it closed",
        Continuity.GAP: "follows on a gap in the numbers of the statements",
        Continuity.MISSING: "no statement of this day has come",
    }
)
ANSWERS: Final[Mapping[BankAnswer, str]] = MappingProxyType(
    {
        BankAnswer.ANSWERED: "answered",
        BankAnswer.STALE: "answered with a figure too old to prove anything",
        BankAnswer.UNREACHABLE: "did not answer in time",
        BankAnswer.REFUSED: "answered what could not be used",
        BankAnswer.NOT_ASKED: "was not asked: the account has no connector",
    }
)
TIERS: Final[Mapping[Tier, str]] = MappingProxyType(
    {
        Tier.OK: "backed",
        Tier.MINOR: "small surplus",
        Tier.UNALLOCATED: "money without tokens",
        Tier.SIGNIFICANT: "surplus to look into",
        Tier.UNKNOWN: "not proven",
        Tier.CRITICAL: "not backed",
        Tier.INTEGRITY: "the ledger is below zero",
    }
)


def answer_text(said: BankBalance, currency: str) -> str:
    """Return what came of asking the bank, with every figure there is, as the end of a sentence."""
    text = f"the bank {ANSWERS[said.answer]}"
    if said.balance is not None:
        text += f": {printed(said.balance, currency)}"
        text += f" as of {said.as_of:%Y-%m-%d %H:%M:%S} UTC" if said.as_of else ""
    if said.ours is not None:
        text += f"; its messages come to {printed(said.ours, currency)}"
    if said.disagreement is not None:
        is_equal = said.disagreement == "0"
        text += (
            ", which agrees" if is_equal else f", apart by {printed(said.disagreement, currency)}"
        )
    return text + (f" ({said.detail})" if said.detail else "")
