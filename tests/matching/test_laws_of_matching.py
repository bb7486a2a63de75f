"""Laws: arrival decides nothing, nothing is claimed twice, and no money is lost on the way."""

import random
from collections import Counter
from typing import Any

import msgspec
import pytest
from matching_notation import RULES, a_pile, matched

from recon_streams.matching.items import BankItem, ItemKey, LedgerItem
from recon_streams.matching.results import Matching


def by_content(
    answer: Matching, banks: list[BankItem], ledgers: list[LedgerItem]
) -> dict[str, Counter[Any]]:
    """Return an answer without the numbers of its items."""
    bank = {item.key: item.content for item in banks}
    ledger = {item.key: item.content for item in ledgers}

    def legs(found: Any) -> tuple[Any, ...]:
        return (
            found.rule,
            tuple(sorted(bank[key] for key in found.bank)),
            tuple(sorted(ledger[key] for key in found.ledger)),
        )

    return {
        "matches": Counter(map(legs, answer.matches)),
        "suggestions": Counter(map(legs, answer.suggestions)),
        "ambiguous": Counter(map(legs, answer.ambiguous)),
        "unmatched": Counter(
            (u.why, u.text, (bank if u.side.value == "B" else ledger)[u.key])
            for u in answer.unmatched
        ),
    }


@pytest.mark.parametrize("seed", range(150))
def test_the_order_in_which_things_came_decides_nothing(seed: int) -> None:
    banks, ledgers = a_pile(seed, 16)
    dice = random.Random(seed)
    numbers = [item.key.sequence for item in [*banks, *ledgers]]
    dice.shuffle(numbers)
    others = [
        msgspec.structs.replace(item, key=ItemKey(number))
        for item, number in zip(banks, numbers, strict=False)
    ]
    more = [
        msgspec.structs.replace(item, key=ItemKey(number))
        for item, number in zip(ledgers, numbers[len(banks) :], strict=True)
    ]
    dice.shuffle(others)
    dice.shuffle(more)
    one = by_content(matched(banks, ledgers), banks, ledgers)
    other = by_content(matched(others, more), others, more)
    assert one == other


@pytest.mark.parametrize("seed", range(150))
def test_each_item_is_claimed_once_and_none_is_lost(seed: int) -> None:
    banks, ledgers = a_pile(seed, 16)
    answer = matched(banks, ledgers)
    claimed = Counter(("B", key) for m in answer.matches for key in m.bank)
    claimed += Counter(("L", key) for m in answer.matches for key in m.ledger)
    opened = Counter((u.side.value, u.key) for u in answer.unmatched)
    every = Counter([*(("B", i.key) for i in banks), *(("L", i.key) for i in ledgers)])
    assert claimed + opened == every
    asked = Counter(("B", key) for s in answer.suggestions for key in s.bank)
    asked += Counter(("L", key) for s in answer.suggestions for key in s.ledger)
    assert not asked - opened
    assert not asked or max(asked.values()) == 1


@pytest.mark.parametrize("seed", range(100))
def test_bank_less_ledger_is_open_items_and_differences(seed: int) -> None:
    banks, ledgers = a_pile(seed, 16)
    answer = matched(banks, ledgers)
    amounts = {("B", i.key): i.amount for i in banks} | {("L", i.key): -i.amount for i in ledgers}
    explained = sum(amounts[u.side.value, u.key] for u in answer.unmatched)
    assert sum(amounts.values()) == explained + sum(m.difference for m in answer.matches)


def test_amount_and_day_alone_are_no_match_whatever_the_weights() -> None:
    assert RULES.composite is not None
    heavy = msgspec.structs.replace(RULES.composite, amount=95)
    for seed in range(50):
        banks, ledgers = a_pile(seed)
        bare = [
            msgspec.structs.replace(
                i, uetr=None, servicer_reference=None, entry_reference=None, end_to_end_id=None,
                batch_reference=None, counterparty=None,
            )
            for i in banks
        ]  # fmt: skip
        rules = msgspec.structs.replace(RULES, composite=heavy, sums=None)
        assert not matched(bare, ledgers, rules).matches
