"""A registry file says exactly what it means, or every line that does not is named."""

from contextlib import suppress
from decimal import Decimal
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_streams.registry.definition import definition_bytes, definition_from_bytes
from recon_streams.registry.file import accounts_of
from recon_streams.registry.iban import is_iban
from recon_streams.runtime.problems import ConfigurationInvalid
from recon_streams.runtime.yaml_source import parse_yaml
from recon_streams.testing.traffic import Plan, Traffic

EXAMPLE = files("config").joinpath("accounts.yaml").read_text("utf-8")
ONE = """accounts:
  - account_id: A-1
    currency: AED
    bank_accounts: [{other: BANK-1}]
"""


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


def test_a_definition_survives_the_book_and_equal_ones_have_equal_bytes() -> None:
    one = accounts_of(parse_yaml("a", EXAMPLE))[0]
    other = accounts_of(parse_yaml("a", EXAMPLE.replace('"1000"', '"1000.00"')))[0]
    assert definition_from_bytes(definition_bytes(one)) == one
    assert definition_bytes(one) == definition_bytes(other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ONE.replace("AED", "aed"), "a.yaml:3:15  error  accounts[0].currency: not of the form"),
        (ONE.replace("AED", "XTOK"), "a.yaml:3:15  error  accounts[0].currency: not an ISO 4217"),
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
            "accounts[0].limits.significant_percent: not below minor_percent",
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
    with pytest.raises(ConfigurationInvalid) as caught:
        accounts_of(parse_yaml("a.yaml", text))
    assert expected in caught.value.render()


def test_all_problems_are_told_at_once() -> None:
    text = ONE.replace("AED", "aed") + "    scale: 9\n    limts: {}\n"
    with pytest.raises(ConfigurationInvalid) as caught:
        accounts_of(parse_yaml("a.yaml", text))
    assert caught.value.render().endswith("3 errors")


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda b: b.decode("latin-1")))
def test_no_text_is_read_with_anything_but_a_clear_error(text: str) -> None:
    with suppress(ConfigurationInvalid):
        accounts_of(parse_yaml("a.yaml", text))


@given(st.data())
def test_no_damaged_registry_is_read_with_anything_but_a_clear_error(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(EXAMPLE) - 1))
    length = data.draw(st.integers(0, 12))
    damaged = EXAMPLE[:at] + data.draw(st.text(max_size=6)) + EXAMPLE[at + length :]
    with suppress(ConfigurationInvalid):
        accounts_of(parse_yaml("a.yaml", damaged))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("GB82 WEST 1234 5698 7654 32", True), ("GB82WEST12345698765433", False), ("GB82", False)],
)
def test_an_iban_is_known_by_its_check_digits(text: str, *, expected: bool) -> None:
    assert is_iban(text) is expected
