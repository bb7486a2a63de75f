"""The kinds of input about positions, as the desk takes them."""

from typing import ClassVar, Final

from recon_streams.iso20022 import reader
from recon_streams.iso20022.values import Message
from recon_streams.kernel.disposition import Outcome
from recon_streams.kernel.refusal import RefusalCode, Refused
from recon_streams.log.record import Record
from recon_streams.positions import bank_intake, bank_message, ledger_intake
from recon_streams.positions.bank_message import Prepared as PreparedMessage
from recon_streams.positions.bank_message import PreparedReport
from recon_streams.positions.desk import evidence_of
from recon_streams.positions.directory import Directory
from recon_streams.positions.known_store import Keys
from recon_streams.positions.ledger_intake import PreparedRecord
from recon_streams.positions.look_store import Look
from recon_streams.positions.lumps import keys_of, sums_of
from recon_streams.positions.statement_lookup import StatementKey
from recon_streams.positions.working_set import WorkingSet
from topics.ledger_balances import LedgerBalance


class _BankMessages:
    """One kind of message of a bank, byte for byte."""

    name: ClassVar[str]
    message: ClassVar[str]

    def __init__(
        self,
        *,
        bytes_max: int = 50_000_000,
        validate_schema: bool = True,
        accept_test_messages: bool = False,
    ) -> None:
        """Set what is taken in: how large, whether checked against its schema, tests or not."""
        self._bytes_max = bytes_max
        self._validate_schema = validate_schema
        self._accept_test = accept_test_messages

    def read(self, record: Record) -> Message:
        """Return the message in `record`."""
        payload = _payload(record, self._bytes_max)
        return reader.read(payload, validate=self._validate_schema, bytes_max=self._bytes_max)

    def prepare(self, read: Message, record: Record, directory: Directory) -> PreparedMessage:
        """Return the message resolved to accounts."""
        return bank_message.prepare(
            read,
            directory,
            at=record.appended_at,
            accept_test=self._accept_test,
            wanted=self.message,
        )

    def ask(self, prepared: PreparedMessage, keys: Keys) -> None:
        """Ask for its accounts, reports, payment marks, and the statements beside it."""
        for report in prepared.reports:
            number = report.account.number
            keys.accounts.add(number)
            keys.reports.add((number, report.key))
            _ask_statement(report, keys)
            statement = report.statement
            lists_day = statement is not None and statement.lists_day
            is_page = report.pages is not None
            together = statement is None or not statement.is_record
            for day, amount in sums_of(report.booked, together=together):
                keys.lumps.update(keys_of(number, day, amount))
            for entry in report.booked:
                keys.marks.update((number, mark.digest) for mark in entry.marks)
                if lists_day and entry.entry.booked_on:
                    looks = entry.looks[:1] if is_page else entry.looks
                    keys.looks.append(
                        Look(
                            number,
                            entry.entry.booked_on,
                            tuple(mark.digest for mark in looks),
                            tuple(mark.digest for mark in entry.marks),
                        )
                    )
                for part in entry.parts:
                    keys.marks.update((number, mark.digest) for mark in part.marks)

    def take(self, prepared: PreparedMessage, working: WorkingSet, record: Record) -> Outcome:
        """Decide the message."""
        return bank_intake.take(
            prepared, working, at=record.appended_at, evidence=evidence_of(record)
        )


class BankNotifications(_BankMessages):
    """camt.054: what the bank announces while the day goes on."""

    name = "bank.notifications"
    message = "camt.054"


class BankReports(_BankMessages):
    """camt.052: the day so far."""

    name = "bank.reports"
    message = "camt.052"


class BankStatements(_BankMessages):
    """camt.053: the record of a day."""

    name = "bank.statements"
    message = "camt.053"


def _ask_statement(report: PreparedReport, keys: Keys) -> None:
    number, statement = report.account.number, report.statement
    page = report.pages
    if page is not None:
        keys.pages.add((number, page.key))
    if report.total is not None:
        keys.totals.add((number, report.total.day))
    if statement is None or statement.closing_on is None:
        return
    keys.statements.add(
        StatementKey(
            number,
            statement.closing_on,
            report.message,
            statement.content,
            statement.first_on,
            statement.is_record,
            None if page is None else (page.key, page.number, page.is_last),
        )
    )


class LedgerMovements:
    """What the ledger did or announces."""

    name: Final = "ledger.movements"

    def read(self, record: Record) -> bytes:
        """Return the bytes; they are cheap to read once the accounts are known."""
        return _payload(record, None)

    def prepare(self, read: bytes, record: Record, directory: Directory) -> PreparedRecord:
        """Return the record resolved to its account."""
        return ledger_intake.prepare_movement(read, directory, at=record.appended_at)

    def ask(self, prepared: PreparedRecord, keys: Keys) -> None:
        """Ask for its account, its id, its sequence, and the legs of what it announces."""
        number = prepared.account.number
        assert not isinstance(prepared.record, LedgerBalance), "balances have a topic of their own"
        keys.accounts.add(number)
        keys.movements.add((number, prepared.record.movement_id))
        keys.ledger_sequences.add((number, prepared.record.ledger_sequence))
        if ledger_intake.is_announcement(prepared.record):
            keys.references.add((number, prepared.record.reference or ""))

    def take(self, prepared: PreparedRecord, working: WorkingSet, record: Record) -> Outcome:
        """Decide the record."""
        return ledger_intake.take(
            prepared, working, at=record.appended_at, evidence=evidence_of(record)
        )


class LedgerBalances:
    """The ledger's own absolute figures."""

    name: Final = "ledger.balances"

    def read(self, record: Record) -> bytes:
        """Return the bytes; they are cheap to read once the accounts are known."""
        return _payload(record, None)

    def prepare(self, read: bytes, record: Record, directory: Directory) -> PreparedRecord:
        """Return the record resolved to its account."""
        return ledger_intake.prepare_balance(read, directory, at=record.appended_at)

    def ask(self, prepared: PreparedRecord, keys: Keys) -> None:
        """Ask for its account and for what moved after its sequence."""
        number = prepared.account.number
        keys.accounts.add(number)
        keys.anchors.add((number, prepared.record.ledger_sequence))

    def take(self, prepared: PreparedRecord, working: WorkingSet, record: Record) -> Outcome:
        """Decide the record."""
        return ledger_intake.take(
            prepared, working, at=record.appended_at, evidence=evidence_of(record)
        )


def _payload(record: Record, bytes_max: int | None) -> bytes:
    if not record.value:
        raise Refused(RefusalCode.EMPTY_VALUE, "", "a record has a value")
    if bytes_max is not None and len(record.value) > bytes_max:
        found = f"{len(record.value)} bytes"
        raise Refused(RefusalCode.TOO_LARGE, "", f"at most {bytes_max} bytes", found)
    return record.value
