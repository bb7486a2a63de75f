"""Every column of a sweep has a cell, and a word for who reads it for the first time."""

from datetime import UTC, datetime

import pytest

from agents.cli.sweep import COLUMNS, print_sweeps
from recon_streams.sweeps.status import SweepStatus


def _swept() -> SweepStatus:
    return SweepStatus(
        account_id="AE-FEES",
        currency="AED",
        due_at=datetime(2026, 11, 20, 8, 30, tzinfo=UTC),
        state="DECIDED",
        verdict="OK",
        tier="OK",
        rule="EQUAL",
        ledger="10",
        bank="10",
        difference="0",
        unexplained="0",
        breaker="CLOSED",
        velocity=None,
        deviation=None,
        score=None,
        warned=False,
        reaches_limit_at=None,
        table="AGREES",
        bank_state="AGREES",
        bank_balance="10",
        bank_as_of=None,
        ours="10",
        detail="",
    )


def test_every_column_has_a_cell(capsys: pytest.CaptureFixture[str]) -> None:
    print_sweeps([_swept()])
    heading, row = capsys.readouterr().out.splitlines()
    assert [name for name, _ in COLUMNS if name not in heading] == []
    assert row.startswith("AE-FEES AED")


def test_every_column_that_its_name_does_not_explain_has_words() -> None:
    silent = {name for name, meaning in COLUMNS if not meaning}
    assert silent == {"account", "verdict", "ledger", "bank"}
