"""MT940 and MT942, for banks that send nothing else, as the same values as a camt message.

`C` and `RD` are credits, `D` and `RC` debits: the reversal of a credit takes money away.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Final

from recon_streams.bankfiles.mt940_fields import Field, messages_in
from recon_streams.iso20022.amounts import MINOR_UNITS, checked_currency, decimal_of
from recon_streams.iso20022.values import (
    Account,
    Balance,
    Direction,
    Entry,
    EntryStatus,
    Finding,
    FindingCode,
    GroupHeader,
    Message,
    Report,
)
from recon_streams.kernel.money import ZERO, subtract
from recon_streams.kernel.refusal import RefusalCode, Refused, excerpt

_CREDITS: Final = frozenset({"C", "RD"})
_AMOUNT: Final = re.compile("[0-9]{1,15}(?:,[0-9]{0,5})?", re.ASCII)
_IBAN: Final = re.compile("[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_NUMBER: Final = re.compile("[0-9]{1,5}")
_BALANCES: Final = {
    "FinalOpeningBalance": ("OPBD", None),
    "IntermediateOpeningBalance": ("ITBD", None),
    "FinalClosingBalance": ("CLBD", None),
    "IntermediateClosingBalance": ("ITBD", None),
    "AvailableBalance": ("CLAV", None),
    "ForwardAvailableBalance": ("FWAV", None),
}
_MT942: Final = frozenset({"FloorLimitIndicator", "DateTimeIndication", "SumDebitEntries"})
_CENTURY: Final = 2000
_OLDEST: Final = 80
_MONTHS_HALF: Final = 6
_PLACEHOLDER: Final = "NONREF"


def read_mt(text: str) -> Message:
    """Return the messages in `text` as one, a report for each.

    Raises:
        Refused: With the field's name and the rule, for everything that cannot be read in one way
            only.
    """
    messages = messages_in(text)
    if not messages:
        rule = "an MT940 or MT942 has the field 20"
        raise Refused(RefusalCode.UNKNOWN_MESSAGE, "", rule)
    kinds = {kind_of(fields) for fields in messages}
    if len(kinds) > 1:
        rule = "a file holds MT940 or MT942, not both"
        raise Refused(RefusalCode.UNKNOWN_MESSAGE, "", rule)
    findings: list[Finding] = []
    reports = tuple(
        _Reading(f"Message[{number}]", fields, findings).report()
        for number, fields in enumerate(messages, start=1)
    )
    return Message(
        message=kinds.pop(),
        version="",
        group_header=GroupHeader(message_id=reports[0].id),
        reports=reports,
        findings=tuple(findings),
    )


def kind_of(fields: list[Field]) -> str:
    """Return mt942 where a floor limit or sums stand in it, else mt940, which has balances."""
    names = {field.name for field in fields}
    return "mt940" if names & _BALANCES.keys() or not names & _MT942 else "mt942"


class _Reading:
    """One message while it is read."""

    def __init__(self, path: str, fields: list[Field], findings: list[Finding]) -> None:
        self._path, self._fields, self._findings = path, fields, findings
        self._currency: str | None = None

    def report(self) -> Report:
        """Return the message."""
        texts = {field.name: field.text.strip() for field in reversed(self._fields)}
        balances = tuple(self._balance(field) for field in self._fields if field.name in _BALANCES)
        limits = [f for f in self._fields if f.name in _MT942 and f.parts.get("currency")]
        self._currency = balances[0].currency if balances else None
        if self._currency is None and limits:
            currency = str(limits[0].parts["currency"])
            self._currency = checked_currency(currency, f"{self._path}/34F")
        lines = [field for field in self._fields if field.name == "Statement"]
        return Report(
            path=self._path,
            account=self._account(texts.get("AccountIdentification", "")),
            id=texts.get("TransactionReferenceNumber") or None,
            electronic_sequence=self._sequence(),
            balances=balances,
            entries=tuple(self._entry(field, n) for n, field in enumerate(lines, start=1)),
        )

    def _account(self, text: str) -> Account:
        compact = "".join(text.split())
        if not compact.isprintable():
            rule = "an account number holds visible characters only"
            raise Refused(RefusalCode.INVALID_IDENTIFIER, f"{self._path}/25", rule)
        # Dutch banks write the currency behind the number.
        if self._currency and compact.endswith(self._currency):
            compact = compact.removesuffix(self._currency)
        scheme = "IBAN" if _IBAN.fullmatch(compact) else "OTHER" if compact else ""
        return Account(identification=compact, scheme=scheme, currency=self._currency)

    def _sequence(self) -> int | None:
        for field in self._fields:
            if field.name == "StatementNumber":
                number = field.parts.get("statement_number") or ""
                return int(number) if _NUMBER.fullmatch(number) else None
        return None

    def _balance(self, field: Field) -> Balance:
        path = f"{self._path}/{field.name}"
        if field.rest.strip():
            rule = "mark, day, currency and amount, and nothing after them"
            raise Refused(RefusalCode.INVALID_AMOUNT, path, rule)
        direction = _direction(field, path)
        amount = _amount(field, path)
        currency = checked_currency(field.parts["currency"] or "", path)
        if currency not in MINOR_UNITS:
            self._note(FindingCode.CURRENCY_UNKNOWN, path, "not a currency of ISO 4217")
        code, proprietary = _BALANCES[field.name]
        return Balance(
            code=code,
            proprietary=proprietary,
            amount=subtract(ZERO, amount) if direction is Direction.DEBIT else amount,
            currency=currency,
            direction=direction,
            on=self._day(field, path),
        )

    def _entry(self, field: Field, number: int) -> Entry:
        path = f"{self._path}/61[{number}]"
        if self._currency is None:
            rule = "a balance or a floor limit names the currency"
            raise Refused(RefusalCode.MISSING_FIELD, path, rule)
        value_on = self._day(field, path)
        parts = field.parts
        reference = (parts.get("customer_reference") or "").strip()
        if "," not in (parts["amount"] or ""):
            text = "an amount has a comma; without one it is read as a whole number"
            self._note(FindingCode.NUMBER_INVALID, path, text)
        return Entry(
            path=path,
            amount=_amount(field, path),
            currency=self._currency,
            direction=_direction(field, path),
            status=EntryStatus.BOOKED,
            reversal=(parts["status"] or "").upper().startswith("R"),
            booked_on=self._booked_on(field, value_on),
            value_on=value_on,
            reference=reference if reference and reference != _PLACEHOLDER else None,
            servicer_reference=(parts.get("bank_reference") or "").strip() or None,
            bank_transaction_proprietary=parts.get("id"),
        )

    def _day(self, field: Field, path: str) -> date | None:
        parts = field.parts
        year = int(parts["year"] or "0")
        year += _CENTURY if year < _OLDEST else _CENTURY - 100
        try:
            return date(year, int(parts["month"] or "0"), int(parts["day"] or "0"))
        except ValueError:
            # German banks count interest in months of 30 days and print 30 February.
            self._note(FindingCode.INSTANT_INVALID, path, "a day that exists, YYMMDD")
            return None

    def _booked_on(self, field: Field, value_on: date | None) -> date | None:
        """Return the entry date, whose year is the one in which it is nearest to the value date."""
        month, day = field.parts.get("entry_month") or "", field.parts.get("entry_day") or ""
        if not (month.strip() and day.strip()):
            return None
        year = value_on.year if value_on else _CENTURY + int(field.parts["year"] or "0")
        if value_on and int(month) - value_on.month > _MONTHS_HALF:
            year -= 1
        elif value_on and value_on.month - int(month) > _MONTHS_HALF:
            year += 1
        try:
            return date(year, int(month), int(day))
        except ValueError:
            text = "a day that exists, MMDD"
            self._note(FindingCode.INSTANT_INVALID, f"{self._path}/61", text)
            return None

    def _note(self, code: FindingCode, path: str, text: str) -> None:
        self._findings.append(Finding(code, path, text))


def _direction(field: Field, path: str) -> Direction:
    mark = field.parts["status"] or ""
    if mark not in ("C", "D", "RC", "RD"):
        raise Refused(RefusalCode.INVALID_DIRECTION, path, "C, D, RC or RD", excerpt(mark))
    return Direction.CREDIT if mark in _CREDITS else Direction.DEBIT


def _amount(field: Field, path: str) -> Decimal:
    text = field.parts["amount"] or ""
    if not _AMOUNT.fullmatch(text):
        rule = "1 to 15 digits and a comma"
        raise Refused(RefusalCode.INVALID_AMOUNT, path, rule, excerpt(text))
    return decimal_of(text.replace(",", "."), path)
