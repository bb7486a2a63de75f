"""Bank messages that nobody here wrote, against figures that this reader did not compute."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from recon_streams.iso20022.reader import read
from recon_streams.iso20022.values import (
    Balance,
    Detail,
    Direction,
    Entry,
    EntryStatus,
    FindingCode,
    Message,
    Report,
)
from recon_streams.kernel.money import ZERO
from recon_streams.kernel.refusal import RefusalCode, Refused

Payload = Callable[[str], bytes]
Pair = tuple[Report, dict[str, Any]]


@pytest.fixture
def message(sample: str, payload_of: Payload) -> Message:
    return read(payload_of(sample))


@pytest.fixture
def figures(sample: str, camt_expected: dict[str, Any]) -> dict[str, Any]:
    expected: dict[str, Any] = camt_expected["files"][sample]["expected"]
    return expected


@pytest.fixture
def reports(message: Message, figures: dict[str, Any]) -> list[Pair]:
    return list(zip(message.reports, figures["statements"], strict=True))


def _total(report: Report, direction: Direction) -> Decimal:
    return sum((e.amount for e in report.entries if e.direction is direction), ZERO)


def _signed(detail: Detail, entry: Entry) -> Decimal:
    amount = detail.amount or ZERO
    return -amount if (detail.direction or entry.direction) is Direction.DEBIT else amount


def _entries(reports: list[Pair]) -> list[tuple[Entry, dict[str, Any]]]:
    return [
        pair
        for report, expected in reports
        for pair in zip(report.entries, expected["entries"], strict=False)
    ]


def _said(value: str | None) -> str | None:
    """Return a reference as the reader should give it: a placeholder says that there is none."""
    if value is None or value.strip().upper() in {"", "NOTPROVIDED", "NONREF", "NOTAPPLICABLE"}:
        return None
    return value.strip()


def _is_day(value: date | None, at: datetime | None, expected: str | None) -> bool:
    if expected is None:
        return value is None
    if len(expected) == len("2026-01-01"):
        return value == date.fromisoformat(expected)
    # Where no zone is printed, the reader takes UTC.
    instant = datetime.fromisoformat(expected)
    instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return value == date.fromisoformat(expected[:10]) and at == instant


def test_the_message_is_recognised(message: Message, figures: dict[str, Any]) -> None:
    named = f"{message.message}.001.{message.version}" if message.version else None
    assert (message.message, named) == (figures["type"], figures["message"])


def test_the_group_header_is_read(message: Message, figures: dict[str, Any]) -> None:
    header, expected = message.group_header, figures["group_header"]
    assert header.message_id == _said(expected["msg_id"])
    assert header.page_number == (int(expected["page"]) if expected["page"] else None)
    assert header.last_page == {"true": True, "false": False, None: None}[expected["last_page"]]
    assert header.additional_information == expected["addtl"]


def test_reports_keep_account_sequence_and_copy_mark(reports: list[Pair]) -> None:
    for report, expected in reports:
        account = expected["account"]
        printed = account["iban"] or account["other"] or ""
        assert report.account.identification == printed.replace(" ", "")
        assert report.account.scheme == ("IBAN" if account["iban"] else "OTHER")
        assert report.account.currency == account["currency"]
        assert report.id == _said(expected["id"])
        for number, text in (
            (report.electronic_sequence, expected["electronic_seq"]),
            (report.legal_sequence, expected["legal_seq"]),
            (report.page_number, expected["page"]),
        ):
            assert number == (int(text) if text else None)
        assert report.copy_duplicate == expected["copy_duplicate"]


def test_entries_are_all_there(reports: list[Pair]) -> None:
    for report, expected in reports:
        assert len(report.entries) == expected["entry_count"]
        assert sum(len(e.details) for e in report.entries) == expected["tx_details_count"]
        assert sum(e.reversal for e in report.entries) == expected["reversal_count"]


def test_sums_agree_to_the_last_digit(reports: list[Pair]) -> None:
    for report, expected in reports:
        assert _total(report, Direction.CREDIT) == Decimal(expected["sum_credits"])
        assert _total(report, Direction.DEBIT) == Decimal(expected["sum_debits"])
        assert sum((e.signed_amount for e in report.entries), ZERO) == Decimal(expected["net"])


def test_statuses_are_counted_as_printed(
    message: Message, reports: list[Pair], figures: dict[str, Any]
) -> None:
    missing = 0
    for report, expected in reports:
        counted = Counter(entry.status.value for entry in report.entries)
        printed: Counter[str] = Counter(expected["status_counts"])
        # An entry of a statement without a status is taken as booked, and said to be.
        missing += printed["None"]
        printed["BOOK"] += printed.pop("None", 0)
        assert counted == +printed
    noted = sum(f.code is FindingCode.STATUS_MISSING for f in message.findings)
    assert noted == missing
    assert not missing or figures["type"] == "camt.053"


def test_entries_read_as_printed(reports: list[Pair]) -> None:
    for entry, expected in _entries(reports):
        assert (entry.amount, entry.currency) == (Decimal(expected["amount"]), expected["currency"])
        assert entry.direction.value == expected["indicator"]
        assert entry.reversal == expected["reversal"]
        assert entry.reference == _said(expected["ntry_ref"])
        assert entry.servicer_reference == _said(expected["acct_svcr_ref"])
        assert _is_day(entry.booked_on, entry.booked_at, expected["booking"])
        assert _is_day(entry.value_on, entry.booked_at, expected["value"])


def test_batches_say_how_many_they_hold(reports: list[Pair]) -> None:
    for entry, expected in _entries(reports):
        batch = expected.get("batch")
        if batch is None:
            assert entry.batch_count is None
        elif batch["tx_count"]:
            assert entry.batch_count == int(batch["tx_count"])
        if batch and batch["total"]:
            assert entry.batch_total == Decimal(batch["total"])


def test_references_of_transactions_read_as_printed(reports: list[Pair]) -> None:
    for entry, expected in _entries(reports):
        for detail, printed in zip(entry.details, expected["tx"], strict=False):
            assert detail.message_id == _said(printed.get("MsgId"))
            assert detail.servicer_reference == _said(printed.get("AcctSvcrRef"))
            assert detail.payment_information_id == _said(printed.get("PmtInfId"))
            assert detail.instruction_id == _said(printed.get("InstrId"))
            assert detail.end_to_end_id == _said(printed.get("EndToEndId"))
            assert detail.transaction_id == _said(printed.get("TxId"))
            assert detail.clearing_reference == _said(printed.get("ClrSysRef"))
            assert detail.mandate_id == _said(printed.get("MndtId"))
            assert (detail.uetr or detail.uetr_text) == printed.get("UETR")
            assert detail.return_reason == printed.get("return_reason")
            assert detail.creditor_references[:1] == tuple(
                [printed["creditor_ref"]] if printed.get("creditor_ref") else []
            )


def test_transactions_add_up_as_they_should(reports: list[Pair]) -> None:
    for entry, expected in _entries(reports):
        for detail, printed in zip(entry.details, expected["tx"], strict=False):
            amount = printed.get("amount")
            assert detail.amount == (Decimal(amount) if amount is not None else None)
            assert detail.currency == printed.get("currency")
            assert (detail.direction.value if detail.direction else None) == printed.get(
                "indicator"
            )
        if "tx_sum" in expected:
            total = sum((_signed(detail, entry) for detail in entry.details), ZERO)
            assert abs(total) == abs(Decimal(expected["tx_sum"]))
            assert (total == entry.signed_amount) == expected["tx_sum_matches"]


def test_balances_read_as_printed(reports: list[Pair]) -> None:
    for report, expected in reports:
        assert len(report.balances) == len(expected["balances"])
        for balance, printed in zip(report.balances, expected["balances"], strict=True):
            assert (balance.code or balance.proprietary) == printed["type"]
            assert balance.sub_type == printed.get("subtype")
            assert (balance.direction.value if balance.direction else None) == printed["indicator"]
            sign = -1 if balance.direction is Direction.DEBIT else 1
            assert balance.amount == sign * Decimal(printed["amount"])
            assert balance.currency == printed["currency"]
            assert _is_day(balance.on, balance.at, printed["date"])


def _pick(report: Report, *codes: str) -> Balance | None:
    for code in codes:
        for balance in report.balances:
            if balance.code == code:
                return balance
    return None


def test_the_equation_of_the_statement_holds_where_it_should(reports: list[Pair]) -> None:
    for report, expected in reports:
        opening, closing = _pick(report, "OPBD", "PRCD"), _pick(report, "CLBD")
        check = expected["balance_check"]
        lenient = expected.get("lenient_balance_check")
        if opening is None or closing is None or (check is None and lenient is None):
            continue
        booked = sum(
            (e.signed_amount for e in report.entries if e.status is EntryStatus.BOOKED), ZERO
        )
        holds = opening.amount + booked == closing.amount
        assert holds == (lenient if check is None else check)


def test_validity_against_the_schema_is_a_finding(
    message: Message, figures: dict[str, Any]
) -> None:
    codes = {finding.code for finding in message.findings}
    valid = figures.get("xsd_valid")
    assert (FindingCode.SCHEMA_INVALID in codes) == (valid is False)
    assert (FindingCode.SCHEMA_UNKNOWN in codes) == (valid is None)


def test_no_finding_quotes_the_message(sample: str, payload_of: Payload) -> None:
    for finding in read(payload_of(sample)).findings:
        assert "The value" not in finding.text
        assert finding.path


def test_what_holds_no_report_is_refused(unreadable_sample: str, payload_of: Payload) -> None:
    expected = {
        "genkgo__camt/camt053.v2.wrong.xml": RefusalCode.MISSING_FIELD,
        "svapnil__iso20022.js/bank_of_montreal/camt053_v2_2.xml": RefusalCode.NOT_WELL_FORMED,
        "viafintech__camt_parser/052/valid_namespace.xml": RefusalCode.UNKNOWN_MESSAGE,
    }
    with pytest.raises(Refused) as refused:
        read(payload_of(unreadable_sample))
    assert refused.value.code is expected[unreadable_sample]


def test_one_movement_in_two_messages_has_one_reference(
    camt_expected: dict[str, Any], payload_of: Payload
) -> None:
    relations = [r for r in camt_expected["relations"] if r["kind"].startswith("one movement")]
    assert relations
    for relation in relations:
        days = set()
        for name in relation["files"]:
            (entry,) = [
                e
                for report in read(payload_of(name)).reports
                for e in report.entries
                if e.servicer_reference == relation["acct_svcr_ref"]
            ]
            assert entry.amount == Decimal(relation["amount"])
            days.add(entry.booked_on)
        assert len(days) > 1


def test_a_day_of_reports_moves_by_what_its_notification_nets_to(
    camt_expected: dict[str, Any], payload_of: Payload
) -> None:
    relations = [r for r in camt_expected["relations"] if r["kind"].startswith("intraday")]
    assert relations
    for relation in relations:
        (report,) = read(payload_of(relation["report"])).reports
        (notice,) = read(payload_of(relation["notification"])).reports
        opening, closing = _pick(report, "OPAV"), _pick(report, "INFO")
        assert opening is not None
        assert closing is not None
        net = sum((entry.signed_amount for entry in notice.entries), ZERO)
        difference = Decimal(relation["difference"])
        assert abs(closing.amount - opening.amount - net) == abs(difference)
        assert relation["agree"] == (difference == 0)
