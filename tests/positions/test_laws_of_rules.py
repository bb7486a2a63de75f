"""The rule of shortages cannot be configured away: no registry that is accepted lets one pass."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

from hypothesis import assume, given
from hypothesis import strategies as st

from recon_streams.positions.event import Registered, RulesChanged
from recon_streams.positions.rules import rules_of
from recon_streams.positions.step import register, step
from recon_streams.registry.definition import AccountDefinition, definition_bytes
from recon_streams.registry.file import accounts_of
from recon_streams.runtime.problems import ConfigurationInvalid
from recon_streams.runtime.yaml_source import parse_yaml
from topics.breaker import BreakerState

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
percents = st.decimals("0", "11", places=2)
amounts = st.none() | st.decimals("0", "999999999999", places=2)


@st.composite
def registries(draw: st.DrawFn) -> str:
    """Draw a registry of one account, as loose as a person can write it."""
    lines = ["accounts:", "  - account_id: AE-1", "    currency: AED"]
    lines += ["    bank_accounts: [{other: X1}]", "    limits:"]
    for tier, percent in zip(
        ("minor", "significant", "critical"),
        sorted(draw(percents) for _ in range(3)),
        strict=True,
    ):
        lines.append(f'      {tier}_percent: "{percent}"')
    given_amounts = [each for each in (draw(amounts) for _ in range(3)) if each is not None]
    for tier, amount in zip(
        ("minor", "significant", "critical"), sorted(given_amounts), strict=False
    ):
        lines.append(f'      {tier}_amount: "{amount}"')
    clean = draw(st.integers(1, 9))
    dwell = draw(st.integers(0, 9_999))
    ratio = draw(st.decimals("0", "1.1", places=1))
    silent = draw(st.integers(1, 32_000_000))
    due = draw(st.integers(0, 1_300_000))
    items = draw(st.integers(1, 1_000_000))
    lines += [
        "    clearing:",
        f"      clean_evaluations_min: {clean}",
        f"      dwell_seconds_min: {dwell}",
        f'      clear_below_ratio: "{ratio}"',
        f"    silence: {{bank_seconds_max: {silent}, ledger_seconds_max: {silent}}}",
        "    in_flight:",
        f"      due_seconds_default: {due}",
        f"      due_seconds_max: {due}",
        f"      open_items_max: {items}",
    ]
    return "\n".join(lines) + "\n"


def accepted(text: str) -> AccountDefinition | None:
    try:
        (definition,) = accounts_of(parse_yaml("accounts.yaml", text))
    except ConfigurationInvalid:
        return None
    return definition


def state_after(definition: AccountDefinition, bank: Decimal, ledger: Decimal) -> BreakerState:
    """Return the breaker after both figures were heard and the account was looked at again."""
    rules = rules_of(definition, 1)
    first = Registered(at=AT, bank=bank, ledger=ledger, ledger_sequence=0, as_of=AT)
    taken = register("AE-1", "AED", first, rules)
    looked = RulesChanged(at=AT + timedelta(microseconds=1), version=2)
    return step(taken.state, looked, rules).state.breaker.state


@given(registries(), st.decimals("0.01", "999999", places=2), st.decimals("0", "9999", places=2))
def test_no_accepted_registry_lets_a_shortage_pass(
    text: str, short: Decimal, bank: Decimal
) -> None:
    definition = accepted(text)
    assume(definition is not None)
    assert definition is not None
    assert state_after(definition, bank, bank + short) is BreakerState.OPEN


@given(registries(), st.decimals("1", "9999", places=2))
def test_no_accepted_registry_lets_every_surplus_pass(text: str, ledger: Decimal) -> None:
    definition = accepted(text)
    assume(definition is not None)
    assert definition is not None
    assert state_after(definition, ledger * 2, ledger) is BreakerState.OPEN


@given(registries(), st.decimals("0.01", "9999", places=2))
def test_no_accepted_registry_lets_a_negative_ledger_pass(text: str, below: Decimal) -> None:
    definition = accepted(text)
    assume(definition is not None)
    assert definition is not None
    assert state_after(definition, Decimal(5), -below) is BreakerState.OPEN


def test_the_hash_of_the_rules_is_that_of_the_definition_the_registry_keeps() -> None:
    definition = accepted(
        "accounts:\n  - account_id: AE-1\n    currency: AED\n    bank_accounts: [{other: X1}]\n"
    )
    assert definition is not None
    kept = sha256(definition_bytes(definition)).hexdigest()
    assert rules_of(definition, 3).sha256 == kept
