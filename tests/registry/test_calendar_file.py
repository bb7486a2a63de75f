"""calendars.yaml says exactly what it means, or every line that does not is named."""

from datetime import date
from pathlib import Path

import pytest

from recon_streams.registry.calendar_file import calendars_of, load_calendars
from recon_streams.registry.file import accounts_of
from recon_streams.runtime.problems import ConfigurationInvalid
from recon_streams.runtime.yaml_source import parse_yaml

ACCOUNT = """accounts:
  - account_id: A-1
    currency: AED
    bank_accounts: [{other: BANK-1}]
    calendar: AE-US
"""


def refusal(text: str) -> str:
    with pytest.raises(ConfigurationInvalid) as caught:
        calendars_of(parse_yaml("calendars.yaml", text))
    return caught.value.render()


def test_the_file_that_is_shipped_says_nothing() -> None:
    assert load_calendars().overlays == {}


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "calendars:\n  AE:\n    holidays:\n      '2026-03-23': Eid\n"
        "    early_cut_offs: {'2026-02-18': '14:00'}\n"
    )
    overlay = load_calendars(file).overlays["AE"]
    assert overlay.holidays == {date(2026, 3, 23)}
    assert overlay.early_cut_offs == {date(2026, 2, 18): 840}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("calendar: {}\n", "calendars.yaml:1:1  error  calendar: unknown key, did you mean"),
        ("calendars: []\n", "write a block"),
        (
            "calendars:\n  AE:\n    holiday: {}\n",
            "calendars.yaml:3:5  error  calendars.AE.holiday: unknown key, did you mean holidays?",
        ),
        (
            "calendars:\n  AE:\n    holidays: {'2026-02-30': x}\n",
            "calendars.yaml:3:16  error  calendars.AE.holidays.2026-02-30: write a date",
        ),
        ("calendars:\n  AE:\n    holidays: {'soon': x}\n", "calendars.AE.holidays.soon: write a"),
        ("calendars:\n  AE:\n    holidays: {2026-02-03: x}\n", "write it in quotes"),
        (
            "calendars:\n  AE:\n    early_cut_offs: {'2026-02-03': '2pm'}\n",
            "early_cut_offs.2026-02-03: write a time of the bank's clock",
        ),
        (
            "calendars:\n  AE:\n    holidays: {'2026-02-03': x}\n    working_days: {'2026-02-03': y}",  # noqa: E501 - one file
            "calendars.yaml:4:20  error  calendars.AE.working_days.2026-02-03: the same day is",
        ),
        (
            "calendars:\n  MINE: {}\n",
            "calendars.yaml:2:3  error  calendars.MINE: no country",
        ),
        (
            "calendars:\n  MINE: {combines: [AE, UX]}\n",
            "calendars.MINE.combines[1]: no calendar UX",
        ),
        ("calendars:\n  AE: {combines: [US]}\n", "AE is a calendar of its own"),
        (
            "calendars:\n  ONE: {combines: [TWO]}\n  TWO: {combines: [ONE]}\n",
            "calendars.TWO.combines: it is made of itself",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_column(text: str, said: str) -> None:
    assert said in refusal(text)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    said = refusal("calendars:\n  AE: {holidays: {'x': y}}\n  US: {zzz: 1}\n  QQ: {}\n")
    assert "3 errors" in said


def test_an_account_of_a_calendar_that_nobody_knows_is_an_error_of_its_setting() -> None:
    with pytest.raises(ConfigurationInvalid) as caught:
        accounts_of(parse_yaml("accounts.yaml", ACCOUNT))
    said = caught.value.render()
    assert "accounts.yaml:5:15  error  accounts[0].calendar: no calendar AE-US" in said


def test_an_account_may_name_a_calendar_of_the_overlay() -> None:
    text = "calendars:\n  AE-US: {combines: [AE, US]}\n"
    known = calendars_of(parse_yaml("calendars.yaml", text))
    assert accounts_of(parse_yaml("accounts.yaml", ACCOUNT), known)[0].calendar == "AE-US"


def test_statements_are_expected_after_the_day_they_are_of() -> None:
    block = "statements: {cut_off: '18:00', expected_by: '17:00', expected_after_business_days: 0}"
    wrong = ACCOUNT.replace("calendar: AE-US", block)
    with pytest.raises(ConfigurationInvalid) as caught:
        accounts_of(parse_yaml("accounts.yaml", wrong))
    assert "17:00 of the same day is before the day ends, at 18:00" in caught.value.render()
    right = wrong.replace("17:00", "20:00")
    statements = accounts_of(parse_yaml("accounts.yaml", right))[0].statements
    assert (statements.cut_off, statements.expected_by) == ("18:00", "20:00")


@pytest.mark.parametrize("wrong", ["'8:00'", "'24:30'", "noon", "1800"])
def test_a_cut_off_is_a_time_of_the_clock(wrong: str) -> None:
    text = ACCOUNT.replace("calendar: AE-US", f"statements: {{cut_off: {wrong}}}")
    with pytest.raises(ConfigurationInvalid) as caught:
        accounts_of(parse_yaml("accounts.yaml", text))
    assert "accounts[0].statements.cut_off: write" in caught.value.render()
