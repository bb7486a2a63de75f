"""The rules as a file: what is wrong is told where it stands, and history shows what they do."""

from pathlib import Path

import asyncpg
import msgspec
import pytest
from matching_books import Books
from matching_notation import MONDAY, RULES, WEEKDAYS, bank, ledger

from recon_streams.matching.request import MatchAccount
from recon_streams.matching.rule_store import apply_rules, current_rules, shipped_rules
from recon_streams.matching.rules import Tolerance
from recon_streams.matching.rules_file import load_rules, rules_of
from recon_streams.matching.trial import try_rules
from recon_streams.runtime.problems import ConfigurationInvalid
from recon_streams.runtime.yaml_source import parse_yaml

HEAD = "schema_version: 1\n"
COMPOSITE = "  - {kind: composite, name: c, weights: {amount: 50, same_day: 45}}\n"
REFERENCE = "  - {kind: reference, name: r, bank: uetr, ledger: uetr}\n"


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigurationInvalid) as caught:
        rules_of(parse_yaml("matching.yaml", text))
    return [f"{p.line}:{p.path}: {p.message}" for p in caught.value.problems]


@pytest.mark.parametrize("name", ["hand", "by_hand", "withdrawn"])
def test_a_pass_is_not_named_as_what_is_matched_without_one(name: str) -> None:
    assert problems(f"{HEAD}passes:\n{REFERENCE.replace('name: r', f'name: {name}')}") == [
        "3:passes[0].name: another name; this one is taken"
    ]


def test_the_shipped_rules_are_rules() -> None:
    rules, _ = load_rules(Path("config/matching.yaml"))
    assert [each.name for each in rules.references] == [
        "uetr",
        "bank_reference",
        "bank_entry_reference",
        "end_to_end",
    ]
    assert rules.batch is not None
    assert rules.sums is not None


def test_amount_and_day_may_not_reach_the_level_of_a_match() -> None:
    (found,) = problems(f"{HEAD}passes:\n{COMPOSITE}")
    assert found == (
        "3:passes[0].weights: amount and day alone would reach auto_confirm 90; they prove nothing"
    )


def test_the_strongest_goes_first() -> None:
    found = problems(f"{HEAD}passes:\n{COMPOSITE.replace('45', '20')}{REFERENCE}")
    (only,) = found
    assert only.startswith("4:passes[1].kind: the order is reference, then batch")


def test_a_misspelled_field_is_told_with_what_was_meant() -> None:
    found = problems(f"{HEAD}passes:\n{REFERENCE.replace('bank', 'banc')}")
    assert "3:passes[0].banc: unknown key, did you mean bank?" in found


def test_a_bare_number_is_no_tolerance() -> None:
    (found,) = problems(f"{HEAD}passes:\n{REFERENCE}tolerance: {{absolute: 0.1}}\n")
    assert found.startswith("4:tolerance.absolute: write it in quotes")


async def test_applied_rules_are_a_version_and_the_same_file_is_no_other(
    pool: asyncpg.Pool,
) -> None:
    assert (await current_rules(pool)).rules.version == 0
    text = shipped_rules().content.replace(
        "missing_after_business_days: {bank: 0", "missing_after_business_days: {bank: 2"
    )
    first = await apply_rules(pool, source="m.yaml", content=text, actor="ana")
    again = await apply_rules(pool, source="other.yaml", content=text, actor="bo")
    assert (first.rules.version, again.rules.version, again.actor) == (1, 1, "ana")
    assert (await current_rules(pool)).rules == first.rules
    assert first.rules.missing_bank == 2


async def test_a_trial_tells_what_would_be_gained_and_lost_and_stores_nothing(
    books: Books,
) -> None:
    await books.write(
        [bank(1, "100", e2e="A"), bank(3, "50", e2e="B")],
        [ledger(2, "99", ref="A"), ledger(4, "50", ref="B")],
    )
    await books.run()
    before = await books.content()
    wider = msgspec.structs.replace(RULES, tolerance=Tolerance(percent=RULES.tolerance.percent + 2))
    account = MatchAccount(number=1, currency="EUR", zone="UTC", calendar=WEEKDAYS)
    async with books.pool.acquire() as connection:
        trial = await try_rules(connection, wider, account, (MONDAY, MONDAY))
        none = msgspec.structs.replace(RULES, references=())
        other = await try_rules(connection, none, account, (MONDAY, MONDAY))
    assert trial.kept == 1
    assert [(t.bank, t.ledger) for t in trial.gained] == [(("bank:1.0",), ("ledger:mv-2",))]
    assert not trial.lost
    assert [t.bank for t in other.lost] == [("bank:3.0",)]
    assert await books.content() == before
