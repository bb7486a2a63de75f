"""Accounts that fall silent together are those of one bank."""

import pytest

from recon_streams.registry.definition import AccountDefinition, BankAccount
from recon_streams.registry.feeds import feed_of, shared_feeds


def account(*banks: BankAccount) -> AccountDefinition:
    return AccountDefinition(account_id="A", currency="AED", scale=2, bank_accounts=banks)


@pytest.mark.parametrize(
    ("bank", "feed"),
    [
        (BankAccount(identification="X", servicer_bic="BANKAEADXXX"), "BANKAEAD"),
        (BankAccount(identification="X", servicer_bic="BANKAEAD"), "BANKAEAD"),
        (BankAccount(identification="AE070331234567890123456", scheme="IBAN"), "AE033"),
        (BankAccount(identification="DE89 3704 0044 0532 0130 00", scheme="IBAN"), "DE37040044"),
        (BankAccount(identification="GB82WEST12345698765432", scheme="IBAN"), "GBWEST"),
        (BankAccount(identification="0123456789"), None),
    ],
)
def test_the_bank_is_named_by_its_bic_or_by_its_part_of_the_iban(
    bank: BankAccount, feed: str | None
) -> None:
    assert feed_of(account(bank)) == feed


def test_a_bic_goes_before_an_iban() -> None:
    iban = BankAccount(identification="AE070331234567890123456", scheme="IBAN")
    named = BankAccount(identification="X", servicer_bic="BANKAEAD")
    assert feed_of(account(iban, named)) == "BANKAEAD"


def test_a_bank_of_one_account_is_no_feed() -> None:
    assert shared_feeds(["A", "B", "A", None, None]) == {"A": 2}
