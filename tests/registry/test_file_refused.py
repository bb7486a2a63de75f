"""Every line of a registry file that is wrong is named, and what is wrong with it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry_texts import ONE, SHORT, refusal

from recon_streams.registry.definition import (
    AccountDefinition,
    definition_bytes,
    definition_from_bytes,
)
from recon_streams.registry.file import accounts_of
from recon_streams.runtime.problems import ConfigurationInvalid
from recon_streams.runtime.yaml_source import parse_yaml


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
