"""One example per record, told as one morning of one account; shown in every generated page.

Written as a sender writes JSON, not made from the types: tests decode them with the real decoders
and hold them against the published schemas, so an example that lies fails the build.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from topics.alerts import Alert
from topics.bank_balances import BankBalance, BankFailure
from topics.breaker import BreakerEvent, BreakerRecord, LeaseRecord
from topics.breaker_acks import BreakerAck
from topics.commands import TripCommand
from topics.discrepancies import DiscrepancyRecord
from topics.ledger_balances import LedgerBalance
from topics.ledger_movements import (
    Adjustment,
    Deposit,
    Fee,
    Hold,
    Issue,
    Payout,
    Redeem,
    Release,
    Transfer,
)
from topics.positions import Position
from topics.quarantine import QuarantineNotice
from topics.reports import ReportRecord
from topics.ticks import DayTick, EscalationTick, SweepTick, WindowTick

_ACCOUNT: Final = {"account_id": "AE-SAFEGUARDING", "currency": "AED"}
_SCOPE: Final = "account:AE-SAFEGUARDING:AED"
_EVIDENCE_HASH: Final = "5a0f0f8f1f8f5f8d5b8b6f5c9d0b8c7e1a2b3c4d5e6f708192a3b4c5d6e7f809"


def _ledger(kind: str, number: int, minute: int, **fields: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "movement_id": f"mv-2026-11-20-{number:06d}",
        **_ACCOUNT,
        "ledger_sequence": 48_210 + number,
        "occurred_at": f"2026-11-20T08:{minute:02d}:30.250Z",
        **fields,
    }


EXAMPLES: Final[Mapping[type[msgspec.Struct], Mapping[str, Any]]] = {
    Deposit: _ledger(
        "deposit",
        11,
        2,
        reference="TOPUP-3307",
        amount="2500.00",
        due_at="2026-11-20T08:32:30Z",
        rail="UAEFTS",
    ),
    Issue: _ledger("issue", 12, 5, amount="2500.00", reference="TOPUP-3307"),
    Hold: _ledger(
        "hold",
        13,
        9,
        reference="PAYOUT-8841",
        amount="1500.00",
        due_at="2026-11-20T08:24:30Z",
    ),
    Payout: _ledger(
        "payout",
        14,
        10,
        reference="PAYOUT-8841",
        amount="1500.00",
        due_at="2026-11-20T08:25:30Z",
        rail="UAEFTS",
    ),
    Redeem: _ledger("redeem", 15, 12, amount="1500.00", reference="PAYOUT-8841"),
    Release: _ledger("release", 16, 13, reference="PAYOUT-8836"),
    Transfer: _ledger("transfer", 17, 15, amount="40.00", direction="out"),
    Fee: _ledger("fee", 18, 16, amount="2.50"),
    Adjustment: _ledger(
        "adjustment",
        19,
        18,
        amount="0.01",
        direction="in",
        reason="Rounding of the October fees",
    ),
    LedgerBalance: {
        "balance_id": "bal-2026-11-20-0820",
        **_ACCOUNT,
        "amount": "912957.51",
        "as_of": "2026-11-20T08:20:00Z",
        "ledger_sequence": 48_229,
    },
    Position: {
        **_ACCOUNT,
        "version": 90_417,
        "ledger": "912957.51",
        "bank": "914500",
        "reserved": "0",
        "difference": "1542.49",
        "explained": "1500",
        "unexplained": "42.49",
        "raw_tier": "SIGNIFICANT",
        "tier": "OK",
        "rule": "WITHIN_MINOR",
        "evaluated_at": "2026-11-20T08:20:00Z",
        "ledger_side": {
            "as_of": "2026-11-20T08:20:00Z",
            "fresh_until": "2026-11-21T08:20:00Z",
            "topic": "ledger.balances",
            "partition": 3,
            "offset": 7_115,
        },
        "bank_side": {
            "as_of": "2026-11-20T08:06:11Z",
            "fresh_until": "2026-11-21T08:06:11Z",
            "topic": "bank.notifications",
            "partition": 3,
            "offset": 20_554,
        },
        "in_flight": [
            {
                "reference": "PAYOUT-8841",
                "kind": "payout",
                "amount": "1500",
                "due_at": "2026-11-20T08:25:30Z",
                "explains": "1500",
            }
        ],
    },
    BreakerRecord: {
        "scope": _SCOPE,
        "state": "SUSPENDED",
        "epoch": 12,
        "seq": 12,
        "reason_code": "ABOVE_SIGNIFICANT",
        "evidence_hash": _EVIDENCE_HASH,
        "decided_at": "2026-11-20T08:25:30Z",
        "inputs_through": {"bank.notifications/3": 20_554, "ledger.movements/3": 48_230},
    },
    LeaseRecord: {
        "publisher_id": "publisher-1",
        "publisher_epoch": 4,
        "lease_seq": 118_002,
        "ttl_ms": 15_000,
        "state_head": {"offset": 9_400, "seq": 12},
        "covers": "all",
        "schema_version": 1,
    },
    BreakerEvent: {
        "scope": _SCOPE,
        "from_state": "CLOSED",
        "to_state": "SUSPENDED",
        "epoch": 12,
        "seq": 12,
        "reason_code": "ABOVE_SIGNIFICANT",
        "evidence_hash": _EVIDENCE_HASH,
        "evidence": {
            "event": {"kind": "elapsed", "at": "2026-11-20T08:25:30Z"},
            "position": {"tier": "SIGNIFICANT", "unexplained": "1542.49"},
            "rules_version": 1,
        },
        "decided_at": "2026-11-20T08:25:30Z",
    },
    Alert: {
        "dedup_key": f"position:{_SCOPE}",
        "action": "trigger",
        "severity": "error",
        "alert_class": "ABOVE_SIGNIFICANT",
        "summary": "AE-SAFEGUARDING AED: SIGNIFICANT by ABOVE_SIGNIFICANT",
        "source": "time",
        "at": "2026-11-20T08:25:30Z",
        "scope": _SCOPE,
        "tier": "SIGNIFICANT",
        "amounts": {"bank": "914500", "ledger": "912957.51", "unexplained": "1542.49"},
        "version": 3,
        "status": "SUSPENDED",
        "epoch": 12,
        "component": "positions",
        "first_seen": "2026-11-20T08:25:30Z",
        "last_seen": "2026-11-20T08:25:30Z",
        "count": 1,
        "links": {
            "runbook": "docs/runbooks/positions.md#above_significant",
            "evidence": "recon-streams explain AE-SAFEGUARDING --currency AED",
        },
    },
    DiscrepancyRecord: {
        "id": 2_204,
        "version": 3,
        "kind": "MISSING_TXN",
        "account_id": "AE-SAFEGUARDING",
        "currency": "AED",
        "subject": "ledger:PAYOUT-8841",
        "state": "ESCALATED",
        "severity": "warning",
        "opened_at": "2026-11-20T20:05:00Z",
        "first_seen": "2026-11-20T20:05:00Z",
        "last_seen": "2026-11-24T20:05:00Z",
        "occurrences": 3,
        "reopenings": 0,
        "due_at": "2026-11-27T20:05:00Z",
        "facts": {"side": "ledger", "reference": "PAYOUT-8841", "amount": "-1500"},
        "amount": "1500",
        "on": "2026-11-20",
    },
    QuarantineNotice: {
        "quarantine_id": 317,
        "topic": "ledger.movements",
        "partition": 3,
        "offset": 48_231,
        "code": "INVALID_AMOUNT",
        "field": "/amount",
        "rule": "1 to 18 ASCII digits, optionally a point and decimals, nothing else",
        "payload_sha256": "9c56cc51b374c3ba189210d5b6d4bf57790d351c96c47c02190ecf1e430635ab",
        "payload_bytes": 241,
        "at": "2026-11-20T08:26:02Z",
        "detail": "1,500.00",
    },
    BankBalance: {
        "kind": "balance",
        **_ACCOUNT,
        "obtained_at": "2026-11-20T08:30:01.120Z",
        "connector": "house-bank",
        "request_id": "sweep-90412",
        "balance": "914500.00",
        "as_of": "2026-11-20T08:29:58Z",
    },
    BankFailure: {
        "kind": "failure",
        **_ACCOUNT,
        "obtained_at": "2026-11-20T08:30:31.500Z",
        "connector": "house-bank",
        "request_id": "sweep-90412",
        "reason": "TIMED_OUT",
        "detail": "no answer within 10 s",
    },
    SweepTick: {"kind": "sweep", **_ACCOUNT, "due_at": "2026-11-20T08:30:00Z"},
    WindowTick: {"kind": "window", "due_at": "2026-11-20T08:31:00Z"},
    DayTick: {"kind": "day", **_ACCOUNT, "due_at": "2026-11-20T20:00:00Z"},
    EscalationTick: {"kind": "escalation", "due_at": "2026-11-20T08:35:00Z"},
    ReportRecord: {
        "report_id": "eod-2026-11-20-v1",
        "kind": "eod",
        "on": "2026-11-20",
        "scope": "all",
        "version": 1,
        "sha256": "0c2ff9f4d1a3f1f5d3f7b0a86e9bd2a6f1e5c4b3a2918070605f4e3d2c1b0a99",
        "inputs_through_at": "2026-11-20T20:15:00Z",
        "totals": [
            {
                "currency": "AED",
                "accounts": 1,
                "without_figure": 0,
                "ledger": "5000000",
                "bank": "5002500",
                "difference": "2500",
                "shortages": 0,
                "shortage_total": "0",
                "surplus_total": "2500",
                "unexplained_total": "0",
                "worst_tier": "OK",
            }
        ],
        "worst_tier": "OK",
        "dataset_bytes": 1_874_233,
    },
    BreakerAck: {
        "client_id": "payouts-1",
        "through_offset": 91_245,
        "acked_at": "2026-11-20T08:41:07.412Z",
        "scope": _SCOPE,
        "state": "OPEN",
        "epoch": 8,
        "seq": 8,
    },
    TripCommand: {
        "kind": "trip",
        "command_id": "fraud-2026-11-20-0007",
        "scope": _SCOPE,
        "reason": "account take-over suspected, case 4711",
        "actor": "fraud-desk",
        "asked_at": "2026-11-20T08:41:02Z",
    },
}
