"""Payments that a corrected statement no longer holds are taken back by rows of their own."""

from decimal import Decimal

from recon_streams.kernel.money import ZERO, add, subtract
from recon_streams.positions.bank_entries import Told
from recon_streams.positions.bank_record import (
    WITHDRAWN,
    Confirmation,
    EntryRow,
    Payment,
    PaymentKey,
)
from recon_streams.positions.directory import Account
from recon_streams.positions.message_intake import MessageIntake
from recon_streams.statements.chain import Link


class Withdrawal:
    """What one statement takes back.

    Attributes:
        has_any: Whether it takes back anything.
    """

    def __init__(self, intake: MessageIntake, account: Account, told: Told) -> None:
        """Take back payments of `account` in the name of the message that `told` is about."""
        self._intake = intake
        self._account = account
        self._number = account.number
        self._bank = intake.known.bank
        self._told = told
        self.has_any = False

    def take_back(self, payments: set[PaymentKey], link: Link) -> tuple[int, Decimal]:
        """Take `payments` back, which `link` no longer holds; return how many, and their sum."""
        held = {key: self._bank.payments[key] for key in payments}
        gone = {key: payment for key, payment in held.items() if not payment.withdrawn}
        total = ZERO
        for place, (key, payment) in enumerate(sorted(gone.items()), start=1):
            total = add(total, payment.net)
            self._withdraw(key, payment, place, link)
        return len(gone), total

    def _withdraw(self, key: PaymentKey, payment: Payment, place: int, link: Link) -> None:
        told = self._told
        self.has_any = True
        # It stands under the event that follows, which states the closing without it.
        row = EntryRow(
            account=self._number,
            sequence=self._intake.working.next_sequence(self._account),
            part=place,
            arrived_on=told.arrived_on,
            booked_on=payment.day,
            value_on=None,
            amount=subtract(ZERO, payment.net),
            net=subtract(ZERO, payment.net),
            code=WITHDRAWN,
            reversal=False,
            message=told.message,
            stated=True,
            origin=told.origin,
            path=payment.path,
        )
        self._bank.note_entry(row)
        self._bank.withdraw(
            Confirmation(
                payment=key,
                arrived_on=told.arrived_on,
                message=told.message,
                booked_on=None,
                stated=False,
                origin=told.origin,
                path=link.path,
                withdraws=True,
            )
        )
