"""What the ledger says counts once, by its own sequence, whatever order it arrives in."""

import itertools
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from recon_streams.kernel.disposition import Disposition, Outcome
from recon_streams.kernel.refusal import RefusalCode, Refused
from recon_streams.positions import ledger_intake
from recon_streams.positions.directory import Account, Directory
from recon_streams.positions.event import Evidence, Registered
from recon_streams.positions.known import Known
from recon_streams.positions.rules import Rules
from recon_streams.positions.step import register
from recon_streams.positions.working_set import WorkingSet

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
ACCOUNT = Account(number=1, account_id="AE-1", currency="AED", rules=Rules())


class Ledger:
    """A book in memory that takes in one ledger record after the other."""

    def __init__(self) -> None:
        opening = Registered(at=AT, bank=Decimal(1000), ledger=Decimal(1000), as_of=AT)
        state = register("AE-1", "AED", opening, ACCOUNT.rules).state
        self.directory = Directory([(ACCOUNT, ("BANK-1",))], version=1)
        self.working = WorkingSet(self.directory, {1: state}, Known())
        self.offset = 0

    def says(self, **fields: Any) -> Outcome:
        record = {
            "movement_id": f"mv-{fields.get('ledger_sequence')}",
            "account_id": "AE-1",
            "currency": "AED",
            "occurred_at": "2026-11-20T08:59:00Z",
            **fields,
        }
        prepared = ledger_intake.prepare_movement(
            json.dumps(record).encode(), self.directory, at=AT
        )
        self.offset += 1
        evidence = Evidence(topic="ledger.movements", partition=0, offset=self.offset)
        return ledger_intake.take(prepared, self.working, at=AT, evidence=evidence)

    @property
    def balance(self) -> Decimal | None:
        return self.working.states[1].ledger.figure

    @property
    def open_payments(self) -> set[str]:
        return set(self.working.states[1].items)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def test_each_kind_of_movement_has_its_sign(ledger: Ledger) -> None:
    ledger.says(kind="issue", amount="10", ledger_sequence=1)
    ledger.says(kind="redeem", amount="3", ledger_sequence=2)
    ledger.says(kind="fee", amount="1", ledger_sequence=3)
    ledger.says(kind="transfer", direction="out", amount="2", ledger_sequence=4)
    ledger.says(kind="adjustment", direction="in", amount="5", reason="found", ledger_sequence=5)
    assert ledger.balance == 1009


def test_a_record_sent_again_changes_nothing(ledger: Ledger) -> None:
    ledger.says(kind="issue", amount="10", ledger_sequence=1)
    again = ledger.says(kind="issue", amount="10", ledger_sequence=1)
    assert again.disposition is Disposition.DUPLICATE
    assert again.duplicate_of == "AE-1#2"
    assert ledger.balance == 1010


def test_one_id_with_two_contents_is_a_conflict(ledger: Ledger) -> None:
    ledger.says(kind="issue", amount="10", ledger_sequence=1)
    other = ledger.says(kind="issue", amount="11", ledger_sequence=1)
    assert (other.held[0].code, other.held[0].field) == (RefusalCode.ID_CONFLICT, "/movement_id")


def test_a_retry_under_a_new_id_meets_its_sequence(ledger: Ledger) -> None:
    ledger.says(kind="issue", amount="10", ledger_sequence=1)
    other = ledger.says(kind="issue", amount="10", ledger_sequence=1, movement_id="new")
    assert other.held[0].field == "/ledger_sequence"
    assert ledger.balance == 1010


def test_of_announcements_and_releases_the_last_by_sequence_counts() -> None:
    records: list[dict[str, Any]] = [
        {"kind": "hold", "reference": "P", "amount": "10", "ledger_sequence": 1},
        {"kind": "payout", "reference": "P", "amount": "20", "ledger_sequence": 2},
        {"kind": "release", "reference": "P", "ledger_sequence": 3},
    ]
    for order in itertools.permutations(records):
        ledger = Ledger()
        for record in order:
            ledger.says(**record)
        assert ledger.open_payments == set()
    for order in itertools.permutations(records[:2]):
        ledger = Ledger()
        for record in order:
            ledger.says(**record)
        assert ledger.working.states[1].items["P"].amount == 20


def test_a_late_older_announcement_does_not_bring_a_payment_back(ledger: Ledger) -> None:
    ledger.says(kind="payout", reference="P", amount="20", ledger_sequence=5)
    # The newer one was settled, fell due and was forgotten by the state, but not by the book.
    ledger.working.states[1] = replace(ledger.working.states[1], items={})
    ledger.says(kind="hold", reference="P", amount="20", ledger_sequence=4)
    assert ledger.open_payments == set()


def test_a_payment_cannot_explain_a_shortage_for_ever(ledger: Ledger) -> None:
    with pytest.raises(Refused) as caught:
        ledger.says(
            kind="payout",
            reference="P",
            amount="1",
            ledger_sequence=1,
            due_at="2026-12-31T00:00:00Z",
        )
    assert (caught.value.code, caught.value.field) == (RefusalCode.OUT_OF_RANGE, "/due_at")


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"account_id": "XX"}, RefusalCode.UNKNOWN_ACCOUNT, "/account_id"),
        ({"currency": "USD"}, RefusalCode.CURRENCY_MISMATCH, "/currency"),
        ({"amount": "1.001"}, RefusalCode.AMOUNT_TOO_PRECISE, "/amount"),
        ({"occurred_at": "2026-11-20T10:00:00Z"}, RefusalCode.FUTURE_INSTANT, "/occurred_at"),
    ],
)
def test_what_cannot_be_booked_names_its_field(
    ledger: Ledger, fields: dict[str, Any], code: RefusalCode, field: str
) -> None:
    with pytest.raises(Refused) as caught:
        ledger.says(**{"kind": "issue", "amount": "1", "ledger_sequence": 1, **fields})
    assert (caught.value.code, caught.value.field) == (code, field)


def test_open_payments_are_bounded() -> None:
    ledger = Ledger()
    tight = Account(number=1, account_id="AE-1", currency="AED", rules=Rules(open_items_max=1))
    ledger.directory = Directory([(tight, ())], version=1)
    ledger.says(kind="hold", reference="A", amount="1", ledger_sequence=1)
    refused = ledger.says(kind="hold", reference="B", amount="1", ledger_sequence=2)
    assert refused.held[0].code is RefusalCode.LIMIT_REACHED
