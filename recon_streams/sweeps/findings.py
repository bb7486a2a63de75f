"""What sweeps report as wrong, and what they prove to be right again. Pure.

Each cause has one subject for ever: an account drifts, is not answered for, disagrees with its
bank, or with our own memory. A sweep that could not look says nothing of it.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from recon_streams.discrepancies.finding import Cause, Cleared, Finding, Kind, Source
from recon_streams.kernel.money import amount_text
from recon_streams.log.record import Record
from recon_streams.sweeps.answer import Judged
from recon_streams.sweeps.answer import facts_of as facts_of_answer
from recon_streams.sweeps.store import NewSweep
from recon_streams.sweeps.sweep import BankState, TableState
from recon_streams.sweeps.warning import Course
from recon_streams.sweeps.warning import facts_of as facts_of_drift

DRIFT: Final = "trend"
TABLE: Final = "rolling-table"
BALANCE: Final = "bank-balance"

_NO_ANSWER: Final = frozenset({BankState.UNREACHABLE, BankState.REFUSED, BankState.STALE})


class Findings:
    """What was found, the last word for each cause."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._last: dict[Cause, Finding | Cleared] = {}

    def is_there(
        self, kind: Kind, account: int, subject: str, *, facts: dict[str, str],
        amount: Decimal | None = None,
    ) -> None:  # fmt: skip
        """Say that a cause is there."""
        cause = Cause(kind=kind, account=account, subject=subject)
        self._last[cause] = Finding(cause=cause, source=Source.SWEEP, amount=amount, facts=facts)

    def is_gone(self, kind: Kind, account: int, subject: str, *, proof: dict[str, str]) -> None:
        """Say that a cause is proven gone."""
        cause = Cause(kind=kind, account=account, subject=subject)
        self._last[cause] = Cleared(cause=cause, source=Source.SWEEP, proof=proof)

    @property
    def found(self) -> list[Finding]:
        """What is there."""
        return [each for each in self._last.values() if isinstance(each, Finding)]

    @property
    def cleared(self) -> list[Cleared]:
        """What is proven gone."""
        return [each for each in self._last.values() if isinstance(each, Cleared)]


def findings_of_look(sweep: NewSweep, found: Findings) -> None:
    """Add what one look at an account found."""
    number, look = sweep.account.number, sweep.look
    version = str(look.state.version)
    if look.table is TableState.DISAGREES:
        facts = {"version": version, "origin": sweep.origin}
        found.is_there(Kind.TABLE_DISAGREEMENT, number, TABLE, facts=facts)
    elif look.table is TableState.EQUAL:
        found.is_gone(Kind.TABLE_DISAGREEMENT, number, TABLE, proof={"equal_at_version": version})
    if look.trend is None:
        return
    numbers = facts_of_drift(look.trend, look.warning)
    if look.warning.course is Course.WARNED:
        amount = look.verdict.unexplained
        found.is_there(Kind.DRIFT, number, DRIFT, facts=numbers, amount=amount)
    elif look.warning.course is Course.QUIET:
        found.is_gone(Kind.DRIFT, number, DRIFT, proof=numbers)


def findings_of_answer(
    number: int, judged: Judged, connector: str, found: Findings, *, is_final: bool
) -> None:
    """Add what a bank's answer proves; a difference only once it `is_final`."""
    facts = facts_of_answer(judged, connector)
    if judged.state in _NO_ANSWER:
        facts["reason"] = judged.state.value
        found.is_there(Kind.BANK_UNREACHABLE, number, BALANCE, facts=facts)
        return
    found.is_gone(Kind.BANK_UNREACHABLE, number, BALANCE, proof=facts)
    if judged.state is BankState.AGREES:
        found.is_gone(Kind.SOURCE_DISAGREEMENT, number, BALANCE, proof=facts)
    elif judged.state is BankState.DIFFERS and is_final:
        amount = judged.disagreement
        assert amount is not None, "what differs differs by an amount"
        facts["difference"] = amount_text(amount)
        found.is_there(Kind.SOURCE_DISAGREEMENT, number, BALANCE, facts=facts, amount=amount)


def evidence_of(records: Sequence[Record]) -> str:
    """Return what names `records`, which stand in one partition in order."""
    first, last = records[0], records[-1]
    where = f"{first.topic}/{first.partition}/{first.offset}"
    return where if first.offset == last.offset else f"{where}-{last.offset}"
