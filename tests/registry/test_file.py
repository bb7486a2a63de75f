"""A registry file says exactly what it means, or every line that does not is named."""

from decimal import Decimal
from pathlib import Path

import pytest
from registry_texts import EXAMPLE, ONE, refusal

from recon_streams.registry.definition import (
    AccountDefinition,
    AccountLimits,
    definition_bytes,
    definition_from_bytes,
    opening_bytes,
)
from recon_streams.registry.file import accounts_of, load_accounts
from recon_streams.registry.iban import is_iban
from recon_streams.runtime.problems import ConfigurationInvalid
from recon_streams.runtime.yaml_source import parse_yaml
from recon_streams.testing.traffic import Plan, Traffic


def test_the_example_defines_six_accounts_with_their_scales() -> None:
    accounts = accounts_of(parse_yaml("accounts.yaml", EXAMPLE))
    assert {a.account_id: a.scale for a in accounts} == {
        "AE-SAFEGUARDING": 2,
        "IN-PAYOUT": 2,
        "ZM-COLLECTION": 2,
        "JP-FLOAT": 0,
        "KW-FLOAT": 3,
        "TOKEN-RESERVE": 8,
    }
    first = accounts[0]
    assert first.bank_accounts[0].identification == "AE070331234567890123456"
    assert first.limits.minor_amount == Decimal(1000)
    assert first.limits.critical_percent == Decimal("0.5"), "from the defaults"


def test_the_registry_of_the_storm_is_a_registry() -> None:
    text = Traffic(Plan(inputs=1, accounts=3)).registry()
    assert len(accounts_of(parse_yaml("accounts.yaml", text))) == 3


def test_a_definition_survives_the_book() -> None:
    for account in accounts_of(parse_yaml("a", EXAMPLE)):
        assert definition_from_bytes(definition_bytes(account)) == account


def test_equal_definitions_have_equal_bytes_however_they_were_written() -> None:
    more = '    limits: {minor_amount: "1000"}\n    in_flight: {rails: {a: 1, b: 2}}\n'
    one = ONE + more + '    opening: {as_of: "2026-11-20T00:00:00Z", bank: "5"}\n'
    changes = {
        '"1000"': '"1000.00"',
        "a: 1, b: 2": "b: 2, a: 1",
        "00:00:00Z": "00:00:00.000+00:00",
        '"5"': '"5.0"',
    }
    other = one
    for before, after in changes.items():
        other = other.replace(before, after)
    first, second = accounts_of(parse_yaml("a", one))[0], accounts_of(parse_yaml("a", other))[0]
    assert first == second
    assert definition_bytes(first) == definition_bytes(second)


def test_the_offset_of_an_opening_is_part_of_what_was_attested() -> None:
    zulu = ONE + '    opening: {as_of: "2026-11-19T20:00:00Z", bank: "5"}\n'
    local = zulu.replace("19T20:00:00Z", "20T00:00:00+04:00")
    first, second = (accounts_of(parse_yaml("a", text))[0] for text in (zulu, local))
    assert opening_bytes(first) != opening_bytes(second)
    opening = definition_from_bytes(definition_bytes(second)).opening
    assert opening is not None
    assert opening.as_of.isoformat() == "2026-11-20T00:00:00+04:00"


def test_amounts_in_a_definition_are_plain_text_however_they_were_calculated() -> None:
    limits = AccountLimits(minor_amount=Decimal("1E+3"), significant_amount=Decimal("1E-8"))
    account = AccountDefinition(
        account_id="A", currency="XTOK", scale=8, bank_accounts=(), limits=limits
    )
    payload = definition_bytes(account)
    assert b'"minor_amount":"1000","significant_amount":"0.00000001"' in payload
    assert definition_from_bytes(payload) == account


def test_defaults_are_laid_under_each_account_key_by_key() -> None:
    defaults = (
        'defaults:\n  limits: {minor_percent: "0.02", minor_amount: "7"}\n'
        "  in_flight: {rails: {instant: 60, batch: 600}}\n  time_zone: Asia/Dubai\n"
    )
    own = '    limits: {minor_percent: "0.03"}\n    in_flight: {rails: {batch: 500}}\n'
    account = accounts_of(parse_yaml("a", defaults + ONE + own))[0]
    assert account.limits.minor_percent == Decimal("0.03")
    assert account.limits.minor_amount == 7
    assert account.in_flight.rails == {"instant": 60, "batch": 500}
    assert account.time_zone == "Asia/Dubai"


def test_what_is_wrong_in_the_defaults_is_told_once_and_there() -> None:
    defaults = 'defaults:\n  limits: {minor_percent: 0.1, minr_amount: "1"}\n'
    text = defaults + ONE + ONE.removeprefix("accounts:\n").replace("-1", "-2")
    assert refusal(text) == (
        "a.yaml:2:27  error  defaults.limits.minor_percent: "
        "write it in quotes; a bare number is read as a binary float\n"
        "   1 | defaults:\n"
        '   2 |   limits: {minor_percent: 0.1, minr_amount: "1"}\n'
        "     |                           ^^^\n"
        "a.yaml:2:32  error  defaults.limits.minr_amount: "
        "unknown key, did you mean minor_amount?\n"
        "   1 | defaults:\n"
        '   2 |   limits: {minor_percent: 0.1, minr_amount: "1"}\n'
        "     |                                ^^^^^^^^^^^\n"
        "2 errors"
    )


def test_a_bank_account_is_known_by_the_name_that_its_messages_are_read_with() -> None:
    names = "{iban: ae07 0331 2345 6789 0123 456}, {other: '50 20 001'}"
    account = accounts_of(parse_yaml("a", ONE.replace("{other: BANK-1}", names)))[0]
    assert [(bank.identification, bank.scheme) for bank in account.bank_accounts] == [
        ("AE070331234567890123456", "IBAN"),
        ("5020001", "OTHER"),
    ]


@pytest.mark.parametrize("key", ["iban", "other"])
def test_two_ibans_are_two_bank_accounts_and_each_needs_a_ledger_account(key: str) -> None:
    names = f"{{iban: AE070331234567890123456}}, {{{key}: KW81 CBKU 0000 0000 0000 1234 5601 01}}"
    said = refusal(ONE.replace("{other: BANK-1}", names))
    column = 57 + len(key)
    assert said.startswith(
        f"a.yaml:4:{column}  error  accounts[0].bank_accounts[1].{key}: "
        "two IBANs are two bank accounts; register a ledger account for each\n"
    )
    assert said.endswith("1 error")


def test_one_bank_account_may_stand_behind_two_currencies() -> None:
    other = ONE.removeprefix("accounts:\n").replace("AED", "USD")
    assert len(accounts_of(parse_yaml("a", ONE + other))) == 2


def test_a_file_is_read_by_its_name_and_a_missing_one_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "accounts.yaml").write_text(ONE)
    assert load_accounts(tmp_path / "accounts.yaml")[0].account_id == "A-1"
    with pytest.raises(ConfigurationInvalid) as caught:
        load_accounts(tmp_path / "missing.yaml")
    assert "the file cannot be read: No such file" in caught.value.render()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("GB82 WEST 1234 5698 7654 32", True), ("GB82WEST12345698765433", False), ("GB82", False)],
)
def test_an_iban_is_known_by_its_check_digits(text: str, *, expected: bool) -> None:
    assert is_iban(text) is expected


def test_corridors_are_kept_in_order_and_each_once() -> None:
    text = ONE.replace("currency: AED", "currency: AED\n    corridors: [AE-PK, AE-IN]", 1)
    (account,) = accounts_of(parse_yaml("accounts.yaml", text))
    assert account.corridors == ("AE-IN", "AE-PK")
    again = text.replace("AE-PK, AE-IN", "AE-IN, AE-IN")
    assert "corridors[1]: AE-IN stands twice" in refusal(again)
    wrong = text.replace("AE-PK, AE-IN", "AE IN")
    assert "corridors[0]: write its name, such as AE-IN" in refusal(wrong)
