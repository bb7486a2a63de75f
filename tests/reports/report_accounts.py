"""The accounts of the examples: four of a Friday, and one at the end of a window."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from recon_streams.reports.account_day import (
    AccountDay,
    Chain,
    Continuity,
    Item,
    ItemGroup,
    ItemKind,
    MatchedTotal,
    StatementUsed,
)
from recon_streams.reports.account_window import (
    AccountWindow,
    BankAnswer,
    BankBalance,
    Drift,
    Movement,
    Waiting,
)
from recon_streams.reports.parts import Covered, Leg, OpenDiscrepancies
from topics.positions import Tier

FRIDAY = date(2026, 11, 20)
CUT_OFF = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
_COUNTED_AT = CUT_OFF + timedelta(minutes=15)
_VERSIONS: dict[str, Any] = {
    "rules_version": "14",
    "matching_rules_version": "house-3",
    "calendar_version": "2026.4",
}
_COVERAGE = (
    Covered(topic="bank.notifications", partition=3, next_offset=48_231, through_at=CUT_OFF),
    Covered(topic="bank.statements", partition=3, next_offset=611, through_at=CUT_OFF),
    Covered(topic="ledger.movements", partition=3, next_offset=90_017, through_at=CUT_OFF),
)


def _statement(opening: str, credits_: str, debits: str, closing: str) -> StatementUsed:
    return StatementUsed(
        message="camt.053",
        origin="bank.statements/3/610 Document/BkToCstmrStmt/Stmt[1]",
        statement_id="STMT-2026-11-20",
        electronic_sequence=231,
        legal_sequence=None,
        version=1,
        opening_on=FRIDAY,
        closing_on=FRIDAY,
        opening=opening,
        credits=credits_,
        debits=debits,
        entries=31,
        closing=closing,
        arrived_at=datetime(2026, 11, 20, 20, 12, 30, tzinfo=UTC),
    )


def _item(kind: ItemKind, leg: Leg, reference: str, amount: str, age: int, **more: Any) -> Item:
    days = {0: FRIDAY, 1: date(2026, 11, 19), 2: date(2026, 11, 18), 14: date(2026, 11, 2)}
    bucket = {0: "0-1", 1: "0-1", 2: "2-5", 14: "11-30"}[age]
    return Item(
        kind=kind,
        leg=leg,
        reference=reference,
        amount=amount,
        on=days[age],
        age_business_days=age,
        bucket=bucket,
        **more,
    )


def balanced_day() -> AccountDay:
    return AccountDay(
        account_id="AE-SAFEGUARDING",
        currency="AED",
        on=FRIDAY,
        time_zone="Asia/Dubai",
        cut_off_at=CUT_OFF,
        bank_opening="4987500",
        bank_closing="5002500",
        ledger_at_cut_off="4999880",
        difference="2620",
        groups=(
            ItemGroup(kind=ItemKind.OPENING_DIFFERENCE, count=1, explains="120"),
            ItemGroup(kind=ItemKind.BANK_NOT_IN_LEDGER, count=2, explains="2465"),
            ItemGroup(kind=ItemKind.LEDGER_NOT_AT_BANK, count=1, explains="40"),
            ItemGroup(kind=ItemKind.TOLERATED_DIFFERENCE, count=2, explains="-5"),
        ),
        items=(
            _item(
                ItemKind.OPENING_DIFFERENCE, Leg.BOTH, "registration", "120", 14,
                reason="bank 5000120 and ledger 5000000 when the account was registered",
            ),
            _item(
                ItemKind.BANK_NOT_IN_LEDGER, Leg.BANK, "CHG-11-18", "-35", 2,
                overdue=True, due_on=date(2026, 11, 19),
                reason="no ledger movement has this reference, and none has this amount within 3 d",
                origin="bank.notifications/3/48007 Ntfctn[1]/Ntry[2]",
            ),
            _item(
                ItemKind.BANK_NOT_IN_LEDGER, Leg.BANK, "TOPUP-3307", "2500", 0,
                due_on=date(2026, 11, 23), covers=True,
                reason="amount 2500.00 vs 2499.00, tolerance 0.10; reference equal; date +0 d",
                nearest=("mv-2026-11-20-000011 2499.00 on 2026-11-20, reference TOPUP-3307",),
                origin="bank.notifications/3/48230 Ntfctn[1]/Ntry[1]",
            ),
            _item(
                ItemKind.LEDGER_NOT_AT_BANK, Leg.LEDGER, "PAYOUT-8841", "-40", 1,
                due_on=date(2026, 11, 23), covers=True,
                reason="announced; the bank has not booked it yet",
                origin="ledger.movements/3/90003",
            ),
            _item(
                ItemKind.TOLERATED_DIFFERENCE, Leg.BOTH, "brought forward", "-5", 2, count=2,
                reason="rule reference-and-amount, tolerance 3.00", covers=True,
            ),
        ),
        explained_total="2620",
        proof="0",
        uncovered="85",
        shortage="-35",
        raw_tier=Tier.MINOR,
        tier=Tier.CRITICAL,
        rule="SHORTAGE",
        statement=_statement("4987500", "27250", "12250", "5002500"),
        chain=Chain(
            continuity=Continuity.JOINED,
            previous_on=date(2026, 11, 19),
            previous_closing="4987500",
            jump="0",
        ),
        matched=(
            MatchedTotal(
                rule="uetr", matches=24, bank_items=24, ledger_items=24,
                bank_amount="11975", ledger_amount="11975", difference="0",
            ),
            MatchedTotal(
                rule="reference-and-amount", matches=5, bank_items=5, ledger_items=6,
                bank_amount="560", ledger_amount="562", difference="-2",
            ),
        ),
        discrepancies=(
            OpenDiscrepancies(
                kind="MISSING_TXN", bucket="2-5", count=1, overdue=1,
                oldest_business_days=2, amount="-35", counted_at=_COUNTED_AT,
            ),
        ),
        coverage=_COVERAGE,
        **_VERSIONS,
    )  # fmt: skip


def quiet_day() -> AccountDay:
    balanced = balanced_day()
    return msgspec.structs.replace(
        balanced,
        account_id="AE-FEES",
        bank_opening="1250.5",
        bank_closing="1250.5",
        ledger_at_cut_off="1250.5",
        difference="0",
        groups=(),
        items=(),
        explained_total="0",
        uncovered="0",
        shortage="0",
        raw_tier=Tier.OK,
        tier=Tier.OK,
        rule="EQUAL",
        statement=_statement("1250.5", "0", "0", "1250.5"),
        chain=Chain(continuity=Continuity.FIRST),
        matched=(),
        discrepancies=(),
    )


def short_day() -> AccountDay:
    return msgspec.structs.replace(
        balanced_day(),
        account_id="IN-CORRIDOR",
        currency="INR",
        time_zone="Asia/Kolkata",
        cut_off_at=datetime(2026, 11, 20, 18, 30, tzinfo=UTC),
        bank_opening="99998050",
        bank_closing="99999050",
        ledger_at_cut_off="100000000",
        difference="-950",
        groups=(
            ItemGroup(kind=ItemKind.LEDGER_NOT_AT_BANK, count=1, explains="-500"),
        ),
        items=(
            _item(
                ItemKind.LEDGER_NOT_AT_BANK, Leg.LEDGER, '=HYPERLINK("http://x")', "500", 1,
                overdue=True, due_on=date(2026, 11, 19),
                reason="<script>alert(1)</script> is what the sender wrote",
                origin="ledger.movements/5/20017",
            ),
        ),
        explained_total="-500",
        proof="-450",
        uncovered="-950",
        shortage="-950",
        raw_tier=Tier.CRITICAL,
        tier=Tier.CRITICAL,
        rule="SHORTAGE",
        statement=_statement("99998050", "1500", "500", "99999050"),
        chain=Chain(
            continuity=Continuity.BROKEN,
            previous_on=date(2026, 11, 19),
            previous_closing="99998000",
            jump="50",
        ),
        discrepancies=(
            OpenDiscrepancies(
                kind="BALANCE_MISMATCH", bucket="0-1", count=1, overdue=0,
                oldest_business_days=0, amount="-450", counted_at=_COUNTED_AT,
            ),
            OpenDiscrepancies(
                kind="CONTINUITY_BROKEN", bucket="0-1", count=1, oldest_business_days=0,
                amount="50", counted_at=_COUNTED_AT,
            ),
        ),
        matched=(),
    )  # fmt: skip


def silent_day() -> AccountDay:
    return msgspec.structs.replace(
        balanced_day(),
        account_id="ZM-FLOAT",
        currency="ZMW",
        time_zone="Africa/Lusaka",
        cut_off_at=datetime(2026, 11, 20, 22, 0, tzinfo=UTC),
        bank_opening=None,
        bank_closing=None,
        ledger_at_cut_off="75000.25",
        difference=None,
        groups=(),
        items=(),
        explained_total="0",
        proof=None,
        uncovered=None,
        shortage=None,
        raw_tier=Tier.UNKNOWN,
        tier=Tier.UNKNOWN,
        rule="NO_BANK_FIGURE",
        statement=None,
        chain=Chain(continuity=Continuity.MISSING, missing_sequences=("118-119",)),
        matched=(),
        discrepancies=(
            OpenDiscrepancies(
                kind="STATEMENT_MISSING",
                bucket="0-1",
                count=1,
                overdue=1,
                oldest_business_days=1,
                counted_at=_COUNTED_AT,
            ),
        ),
    )


def account_window(end: datetime) -> AccountWindow:
    """Return an account that is ten short beside a payment between its legs."""
    return AccountWindow(
        account_id="AE-SAFEGUARDING",
        currency="AED",
        evaluated_at=end,
        ledger=Movement(
            opening="4990000", credits="2500", debits="700", restated="0", closing="4991800",
            count=4,
        ),
        bank=Movement(
            opening="4990000", credits="2500", debits="200", restated="-10", closing="4992290",
            count=3,
        ),
        bank_balance=BankBalance(
            answer=BankAnswer.ANSWERED, balance="4992290", as_of=end - timedelta(seconds=2),
            ours="4992290", disagreement="0", origin="bank.balances/1/77",
        ),
        difference="490",
        waiting=(
            Waiting(
                reference="PAYOUT-8841", kind="payout", amount="500", explains="500",
                due_at=end + timedelta(minutes=10),
            ),
        ),
        explained_total="500",
        unexplained="-10",
        raw_tier=Tier.OK,
        tier=Tier.CRITICAL,
        rule="SHORTAGE",
        breaker_state="OPEN",
        drift=Drift(windows=12, change="-10", median="-4", deviation="2", warned=True),
        discrepancies=(),
        coverage=_COVERAGE,
        rules_version="14",
    )  # fmt: skip
