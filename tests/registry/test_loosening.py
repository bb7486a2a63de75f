"""Which way a change of the rules goes: what is said later or not at all is loosened."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from recon_streams.registry.definition import (
    AccountClearing,
    AccountDefinition,
    AccountInFlight,
    AccountLimits,
    AccountSilence,
    AccountStatements,
    AccountSweep,
    BankAccount,
)
from recon_streams.registry.loosening import Direction, changes_of, loosened

ACCOUNT = AccountDefinition(
    account_id="AE-1",
    currency="AED",
    scale=2,
    bank_accounts=(BankAccount(identification="X1"),),
    corridors=("AE-IN",),
    in_flight=AccountInFlight(rails={"instant": 60}),
)


def with_(path: str, value: object) -> AccountDefinition:
    block, _, name = path.rpartition(".")
    if not block:
        return replace(ACCOUNT, **{name: value})
    return replace(ACCOUNT, **{block: replace(getattr(ACCOUNT, block), **{name: value})})


@pytest.mark.parametrize(
    ("path", "looser", "tighter"),
    [
        ("limits.minor_percent", Decimal("0.02"), Decimal("0.005")),
        ("limits.significant_percent", Decimal("0.06"), Decimal("0.04")),
        ("limits.critical_percent", Decimal("0.6"), Decimal("0.4")),
        ("clearing.clean_evaluations_min", 2, 4),
        ("clearing.dwell_seconds_min", 599, 601),
        ("clearing.clear_below_ratio", Decimal("0.6"), Decimal("0.4")),
        ("silence.bank_seconds_max", 86_401, 86_399),
        ("silence.ledger_seconds_max", 86_401, 86_399),
        ("in_flight.due_seconds_default", 901, 899),
        ("in_flight.due_seconds_max", 86_401, 86_399),
        ("in_flight.open_items_max", 10_001, 9_999),
        ("in_flight.rails", {"instant": 61}, {"instant": 59}),
        ("in_flight.rails", {}, {"instant": 60, "batch": 100}),
        ("in_flight.rails", {"instant": 60, "batch": 1_000}, {"instant": 1}),
        ("statements.required", False, None),
        ("statements.expected_by", "10:01", "09:59"),
        ("statements.expected_after_business_days", 2, 0),
        ("statements.late_after_minutes", 1, None),
        ("statements.unsigned_balances", "credit", None),
        ("statements.cut_off", "23:00", None),
        ("statements.day_record", "camt.052", None),
        ("sweep.every_minutes", 60, 15),
        ("sweep.connector", None, "house-bank"),
        ("sweep.answer_age_seconds_max", 901, 899),
        ("corridors", (), ("AE-IN", "AE-PK")),
        ("scale", 3, None),
        ("calendar", "AE", None),
        ("time_zone", "Asia/Dubai", None),
        ("bank_accounts", (*ACCOUNT.bank_accounts, BankAccount(identification="X2")), None),
        ("bank_accounts", (BankAccount(identification="X2"),), None),
    ],
)
def test_a_rule_that_says_less_is_loosened_and_one_that_says_more_is_not(
    path: str, looser: object, tighter: object
) -> None:
    if with_(path, looser) != ACCOUNT:
        assert loosened(ACCOUNT, with_(path, looser)), path
    if tighter is not None:
        (change,) = changes_of(ACCOUNT, with_(path, tighter))[:1]
        assert change.direction is Direction.TIGHTENED
        assert not loosened(ACCOUNT, with_(path, tighter))


@pytest.mark.parametrize("name", ["minor", "significant", "critical", "unallocated"])
def test_an_amount_that_is_taken_away_is_loosened_and_one_that_is_given_is_tightened(
    name: str,
) -> None:
    path = f"limits.{name}_amount"
    bounded = with_(path, Decimal(5))
    assert not loosened(ACCOUNT, bounded)
    assert [each.path for each in loosened(bounded, ACCOUNT)] == [path]
    assert loosened(bounded, with_(path, Decimal(6)))
    assert not loosened(bounded, with_(path, Decimal(4)))


def test_a_connector_that_is_taken_away_or_changed_is_loosened() -> None:
    asked = with_("sweep.connector", "house-bank")
    assert loosened(asked, ACCOUNT)
    assert loosened(asked, with_("sweep.connector", "another"))


def test_rails_are_compared_by_the_time_that_counts_for_them() -> None:
    same_as_default = with_("in_flight.rails", {"instant": 60, "batch": 900})
    assert not loosened(ACCOUNT, same_as_default)
    assert not loosened(same_as_default, ACCOUNT)


seconds = st.integers(0, 10**6)
percents = st.decimals("0", "10", places=2)
amounts = st.none() | st.decimals("0", "1000000", places=2)
BLOCKS: Mapping[str, st.SearchStrategy[msgspec.Struct]] = {
    "limits": st.builds(
        AccountLimits,
        minor_percent=percents,
        significant_percent=percents,
        critical_percent=percents,
        minor_amount=amounts,
        significant_amount=amounts,
        critical_amount=amounts,
        unallocated_amount=amounts,
    ),
    "clearing": st.builds(
        AccountClearing,
        clean_evaluations_min=st.integers(1, 9),
        dwell_seconds_min=seconds,
        clear_below_ratio=st.decimals("0", "1", places=2),
    ),
    "silence": st.builds(AccountSilence, bank_seconds_max=seconds, ledger_seconds_max=seconds),
    "in_flight": st.builds(
        AccountInFlight,
        due_seconds_default=seconds,
        due_seconds_max=seconds,
        rails=st.dictionaries(st.sampled_from(["a", "b", "c"]), seconds),
        open_items_max=st.integers(1, 1000),
    ),
    "statements": st.builds(
        AccountStatements,
        day_record=st.sampled_from(["camt.053", "camt.052"]),
        cut_off=st.sampled_from(["17:00", "24:00"]),
        expected_by=st.sampled_from(["09:00", "24:00"]),
        expected_after_business_days=st.integers(0, 5),
        late_after_minutes=st.integers(0, 99),
        required=st.booleans(),
        unsigned_balances=st.sampled_from(["unknown", "credit"]),
    ),
    "sweep": st.builds(
        AccountSweep,
        every_minutes=st.sampled_from([15, 30]),
        connector=st.none() | st.sampled_from(["x", "y"]),
        answer_age_seconds_max=seconds,
    ),
}
definitions = st.builds(
    lambda **blocks: replace(ACCOUNT, **blocks),
    **BLOCKS,
    scale=st.integers(0, 4),
    corridors=st.lists(st.sampled_from(["P", "Q", "R"]), unique=True).map(
        lambda names: tuple(sorted(names))
    ),
    time_zone=st.sampled_from(["UTC", "Asia/Dubai"]),
    calendar=st.none() | st.sampled_from(["AE", "CH"]),
    bank_accounts=st.sampled_from(
        [(BankAccount(identification="X1"),), (BankAccount(identification="X2"),)]
    ),
)


@given(definitions)
def test_a_definition_loosens_nothing_of_itself(one: AccountDefinition) -> None:
    assert changes_of(one, one) == ()


@given(definitions, definitions)
def test_there_is_no_way_there_and_back_without_two_people(
    one: AccountDefinition, other: AccountDefinition
) -> None:
    """Whatever differs in effect loosens something in one direction or the other."""
    there, back = changes_of(one, other), changes_of(other, one)
    assert {each.path for each in there} == {each.path for each in back}
    looser = {each.path for each in (*there, *back) if each.direction is Direction.LOOSENED}
    silent = {each.path for each in there} - looser
    assert all(path.startswith("in_flight.rails.") for path in silent), silent


@given(definitions, definitions, definitions)
def test_many_tightenings_never_loosen_what_was_there_first(
    one: AccountDefinition, two: AccountDefinition, three: AccountDefinition
) -> None:
    """Nobody loosens by a detour: steps that loosen nothing lead nowhere that does."""
    if not loosened(one, two) and not loosened(two, three):
        assert not loosened(one, three)
