"""A registry file says exactly what it means, or every line that does not is named."""

from contextlib import suppress
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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

EXAMPLE = files("config").joinpath("accounts.yaml").read_text("utf-8")
SHORT = "\n".join(line for line in EXAMPLE.splitlines() if "#" not in line)
ONE = """accounts:
  - account_id: A-1
    currency: AED
    bank_accounts: [{other: BANK-1}]
"""


def refusal(text: str) -> str:
    with pytest.raises(ConfigurationInvalid) as caught:
        accounts_of(parse_yaml("a.yaml", text))
    return caught.value.render()


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
    [
        (ONE.replace("AED", "aed"), "a.yaml:3:15  error  accounts[0].currency: write an ISO"),
        (ONE.replace("AED", "XTOK"), "a.yaml:3:15  error  accounts[0].currency: ISO 4217 gives"),
        (
            ONE + "    limts: {}\n",
            "a.yaml:5:5  error  accounts[0].limts: unknown key, did you mean limits?",
        ),
        (
            ONE + "    limits: {minor_percent: 0.01}\n",
            "a.yaml:5:29  error  accounts[0].limits.minor_percent: write it in quotes",
        ),
        (
            ONE + '    limits: {minor_percent: "0.6"}\n',
            "a.yaml:5:29  error  accounts[0].limits.minor_percent: minor_percent 0.6 is above",
        ),
        (
            ONE.replace("{other: BANK-1}", "{iban: AE070331234567890123457}"),
            "accounts[0].bank_accounts[0].iban: not an IBAN",
        ),
        (ONE.replace("{other: BANK-1}", "{}"), "accounts[0].bank_accounts[0]: give iban or other"),
        (
            ONE + ONE.removeprefix("accounts:\n"),
            "accounts[1].account_id: this account and currency stand twice",
        ),
        (
            ONE + ONE.removeprefix("accounts:\n").replace("A-1", "A-2"),
            "this bank account already belongs to A-1",
        ),
        (ONE + "    time_zone: Dubai\n", "accounts[0].time_zone: not a time zone"),
        (ONE + "    limits: {minor_amount: 1000}\n", "minor_amount: write it in quotes"),
        (ONE + "    limits: {minor_amount: '1e3'}\n", "minor_amount: write digits with at most 8"),
        (ONE + "    limits: {minor_amount: '-5'}\n", "minor_amount: write digits with at most 8"),
        (ONE + "    limits: {minor_amount: '1.001'}\n", "minor_amount: at most 2 digits after"),
        (ONE.replace("AED", "JPY") + "    limits: {critical_amount: '1.5'}\n", "at most 0 digits"),
        (
            'defaults: {limits: {minor_amount: "9"}}\n'
            + ONE
            + "    limits: {critical_amount: '8'}\n",
            "a.yaml:6:31  error  accounts[0].limits.critical_amount: minor_amount 9 is above",
        ),
        (ONE + "    limits: 5\n", "accounts[0].limits: write a block of"),
        (ONE + "    limts:\n", "accounts[0].limts: unknown key, did you mean limits?"),
        (ONE + "    silence: {bank_seconds: 5}\n", "did you mean bank_seconds_max?"),
        (ONE + "    silence: {bank_seconds_max: '5'}\n", "bank_seconds_max: write a whole number"),
        (ONE + "    silence: {bank_seconds_max: true}\n", "bank_seconds_max: write a whole number"),
        (ONE + "    silence: {bank_seconds_max: -1}\n", "bank_seconds_max: not less than 0"),
        (ONE + "    in_flight: {rails: {instant: 90000}}\n", "rails.instant: 90000 seconds are ab"),
        (ONE + "    in_flight: {rails: {1: 60}}\n", "rails[1]: a key is text; write it in quotes"),
        (ONE + "    in_flight: {due_seconds_max: 5}\n", "due_seconds_max: due_seconds_default is"),
        (ONE + "    clearing: {clear_below_ratio: '2'}\n", "clear_below_ratio: not more than 1"),
        (ONE + "    scale: 9\n", "accounts[0].scale: not more than 8"),
        (ONE + "    scale: 2.0\n", "accounts[0].scale: write a whole number"),
        (ONE.replace("AED", "XAU"), "accounts[0].currency: ISO 4217 gives this code no decimals"),
        (ONE.replace("A-1", "A 1"), "accounts[0].account_id: write 1 to 64 of A-Z"),
        (ONE.replace("A-1", "17"), "accounts[0].account_id: write it in quotes"),
        (ONE.replace("BANK-1", "5020001"), "bank_accounts[0].other: write it in quotes"),
        (ONE.replace("BANK-1", "' '"), "bank_accounts[0].other: write visible characters only"),
        (ONE.replace("BANK-1", '"a\\u200bb"'), "bank_accounts[0].other: write visible characters"),
        (ONE.replace("{other: BANK-1}", ""), "accounts[0].bank_accounts: write at least 1"),
        (ONE.replace("[{other: BANK-1}]", "BANK-1"), "accounts[0].bank_accounts: write a list"),
        (ONE.replace("{other: BANK-1}", "{othr: B}"), "unknown key, did you mean other?"),
        (ONE.replace("BANK-1", "B, servicer_bic: X"), "servicer_bic: write a BIC of 8 or 11"),
        ("accounts: [1]\n", "a.yaml:1:12  error  accounts[0]: write a block of"),
        ("accounts: [{}]\n", "accounts[0].account_id: is required"),
        ("acounts: []\n", "a.yaml:1:1  error  acounts: unknown key, did you mean accounts?"),
        ("null: 1\n" + ONE, "a.yaml:1:1  error  None: a key is text"),
        ("defaults: 5\n" + ONE, "a.yaml:1:11  error  defaults: write a block of"),
        ("defaults: {limts: 5}\n" + ONE, "defaults.limts: unknown key, did you mean limits?"),
        (
            'defaults: {account_id: "1"}\n' + ONE,
            "defaults.account_id: unknown key; known are calendar",
        ),
        (ONE + "    opening: {as_of: 2026-11-20}\n", "opening.as_of: write an instant with its"),
        (ONE + "    opening: {as_of: 2026-11-20T00:00:00}\n", "opening.as_of: write an instant"),
        (ONE + "    opening: {as_of: 1700000000}\n", "opening.as_of: write an instant"),
        (ONE + "    opening: {as_of: '2026-11-20T00:00:00+04:00:01'}\n", "as_of: write an instant"),
        (ONE + "    opening: {as_of: '0001-01-01T00:00:00+04:00'}\n", "as_of: write an instant"),
        (ONE + "    opening: {bank: '1'}\n", "accounts[0].opening.as_of: is required"),
        (
            ONE
            + "    opening: {as_of: '2026-11-20T00:00:00Z', "
            + "ledger_sequence: 9223372036854775808}\n",
            "opening.ledger_sequence: less than 9223372036854775808",
        ),
        (ONE + '    opening: {as_of: "2026-11-20", bank: "1.00"}\n', "accounts[0].opening.as_of"),
        (
            ONE + '    opening: {as_of: "2026-11-20T00:00:00Z", bank: "1.001"}\n',
            "accounts[0].opening.bank: at most 2 digits",
        ),
        (ONE + "    currency: AED\n", "a.yaml:5:5  error  the key stands twice"),
        (ONE.replace("A-1", "&x A-1"), "tags, anchors and aliases are not allowed"),
        ("accounts: []\n", "accounts: write a list of accounts"),
        ("- 1\n", "write `key: value` lines at the top level"),
        ("accounts:\n\t- x\n", "a.yaml:2:1"),
        ("", "accounts: write a list of accounts"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, expected: str) -> None:
    assert expected in refusal(text)


def test_all_problems_are_told_at_once() -> None:
    text = ONE.replace("AED", "aed") + "    scale: 9\n    limts: {}\n"
    with pytest.raises(ConfigurationInvalid) as caught:
        accounts_of(parse_yaml("a.yaml", text))
    assert caught.value.render().endswith("3 errors")


@pytest.mark.parametrize(
    "shape",
    [
        "    limits: {minor_percent: 0.01}\n",
        "    limts: {}\n",
        "    scale: 9\n",
        "    opening: {bank: 5.00}\n",
        "    opening: 5\n",
        "    in_flight: {rails: {instant: soon, '': 5}}\n",
        "    time_zone: 5\n",
    ],
)
def test_a_wrong_shape_does_not_hide_what_is_wrong_elsewhere(shape: str) -> None:
    iban = "{iban: AE070331234567890123457}"
    text = ONE.replace("{other: BANK-1}", f"{iban}, {{other: BANK-1}}") + shape
    text += "  - {account_id: A-2, currency: AED, bank_accounts: [{other: BANK-1}], calender: AE}\n"
    said = refusal(text)
    assert "a.yaml:4:28  error  accounts[0].bank_accounts[0].iban: not an IBAN" in said
    assert "accounts[1].bank_accounts[0]: this bank account already belongs to A-1" in said
    assert "did you mean calendar" in said


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        (ONE.replace("currency: AED", "currency: aed") + "    scale: 2\n", 1),
        (ONE.replace("AED", "XTOK") + '    scale: "8"\n', 1),
        (ONE.replace("    currency: AED\n", "") + '    opening: {bank: "1.234"}\n', 2),
        (ONE.replace("{other: BANK-1}", "5, {iban: 5}, {other: BANK-1, bic: X}"), 3),
        (ONE.replace("[{other: BANK-1}]", "[]"), 1),
        (ONE + '    limits: {minor_percent: "0.5", significant_percent: 0.7}\n', 1),
        (ONE + "    clearing: {clear_below_ratio: 0.5}\n", 1),
    ],
)
def test_what_has_no_shape_is_told_once_and_nothing_is_concluded_from_it(
    text: str, errors: int
) -> None:
    assert refusal(text).endswith(f"\n{errors} error{'s' if errors > 1 else ''}")


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda b: b.decode("latin-1")))
def test_no_text_is_read_with_anything_but_a_clear_error(text: str) -> None:
    with suppress(ConfigurationInvalid):
        accounts_of(parse_yaml("a.yaml", text))


@given(st.data())
def test_no_damaged_registry_is_read_with_anything_but_a_clear_error(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(SHORT) - 1))
    length = data.draw(st.integers(0, 12))
    strange = st.text(max_size=6) | st.sampled_from(
        ("[", "{", "? ", ": ", "- ", "1: ", "~: ", "<<: ", "&a ", "*a", "|", "\t", "---\n", "#")
    )
    damaged = SHORT[:at] + data.draw(strange) + SHORT[at + length :]
    with suppress(ConfigurationInvalid):
        accounts_of(parse_yaml("a.yaml", damaged))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("GB82 WEST 1234 5698 7654 32", True), ("GB82WEST12345698765433", False), ("GB82", False)],
)
def test_an_iban_is_known_by_its_check_digits(text: str, *, expected: bool) -> None:
    assert is_iban(text) is expected


@given(
    name=st.sampled_from(["accounts", "defaults", *AccountDefinition.__struct_fields__]),
    scalar=st.sampled_from(
        (
            *("null", "true", "1", "-1", "1.5", ".nan", "2026-11-20", "2026-11-20T00:00:00Z"),
            *("''", "[]", "{}", "[1]", "[[]]", "{a: 1}", "[{a: 1}]", "[null]", "text", "0x1F"),
        )
    ),
    nested=st.sampled_from(("", "as_of", "rails", "bank", "iban", "minor_percent", "other")),
)
def test_no_value_in_any_place_is_read_with_anything_but_a_clear_error(
    name: str, scalar: str, nested: str
) -> None:
    value = f"{{{nested}: {scalar}}}" if nested else scalar
    for text in (
        f"{ONE}    {name}: {value}\n",
        f"{name}: {value}\n{ONE}",
        f"defaults: {{{name}: {value}}}\n{ONE}",
    ):
        try:
            found = accounts_of(parse_yaml("a.yaml", text))
        except ConfigurationInvalid as error:
            error.render()
        else:
            assert definition_from_bytes(definition_bytes(found[0])) == found[0]
