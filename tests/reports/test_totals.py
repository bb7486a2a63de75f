"""Every total is reached by two roads; a figure that is off by the smallest amount is found."""

from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_streams.kernel.money import amount_text
from recon_streams.reports.account_day import (
    AccountDay,
    Chain,
    Continuity,
    Item,
    ItemGroup,
    ItemKind,
)
from recon_streams.reports.backing import backing_of
from recon_streams.reports.dataset import Dataset, EodDataset, IntradayDataset, dataset_bytes
from recon_streams.reports.parts import Leg
from recon_streams.reports.totals import TotalsDisagree, explains, items_by_kind, require_ties
from recon_streams.reports.verify import verify_dataset
from topics.positions import Tier

_AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=8)
_LEGS = {
    ItemKind.OPENING_DIFFERENCE: Leg.BOTH,
    ItemKind.BANK_NOT_IN_LEDGER: Leg.BANK,
    ItemKind.LEDGER_NOT_AT_BANK: Leg.LEDGER,
    ItemKind.ANNOUNCED_NOT_STATED: Leg.BOTH,
    ItemKind.TOLERATED_DIFFERENCE: Leg.BOTH,
    ItemKind.HAND_DIFFERENCE: Leg.BOTH,
}


def test_the_days_of_the_examples_tie(eod: EodDataset, intraday: IntradayDataset) -> None:
    assert require_ties(eod) > 40
    assert require_ties(intraday) >= 8


def test_bank_less_every_item_is_the_ledger(balanced: AccountDay) -> None:
    explained = sum(explains(item.leg, item.amount) for item in balanced.items)
    assert explained == Decimal(120) - 35 + 2500 + 40 - 5
    assert Decimal(5002500) - explained == Decimal(4999880)


@pytest.mark.parametrize(
    ("figure", "wrong", "total"),
    [
        ("bank_closing", "5002500.01", "difference = bank - ledger"),
        ("ledger_at_cut_off", "4999880.00000001", "difference = bank - ledger"),
        ("difference", "2619.99", "difference = bank - ledger"),
        ("explained_total", "2621", "explained_total = the sum of the groups"),
        ("proof", "0.01", "proof = difference - explained"),
        ("proof", None, "proof = difference - explained"),
        ("bank_opening", "1", "bank_opening = the opening of the statement"),
        ("groups", (), "OPENING_DIFFERENCE: the group = the sum of its items"),
        ("items", (), "OPENING_DIFFERENCE: the group = the sum of its items"),
    ],
)
def test_a_wrong_figure_is_found_and_its_total_is_named(
    eod: EodDataset, figure: str, wrong: object, total: str
) -> None:
    day = msgspec.structs.replace(eod.accounts[1], **{figure: wrong})
    dataset = _with(eod, day)
    with pytest.raises(TotalsDisagree) as raised:
        require_ties(dataset)
    assert raised.value.tie.what == total
    assert raised.value.tie.where == "AE-SAFEGUARDING AED"


def test_an_amount_has_one_spelling(eod: EodDataset) -> None:
    day = eod.accounts[1]
    fee = msgspec.structs.replace(day.items[1], amount="-35.00")
    items = (day.items[0], fee, *day.items[2:])
    with pytest.raises(TotalsDisagree, match="one spelling"):
        require_ties(_with(eod, msgspec.structs.replace(day, items=items)))


def test_a_shortage_is_not_hidden_by_the_surplus_of_another_account(eod: EodDataset) -> None:
    short = msgspec.structs.replace(
        eod.accounts[0],
        account_id="AE-OTHER",
        bank_closing="0",
        ledger_at_cut_off="2620",
        difference="-2620",
        proof="-2620",
        tier=Tier.CRITICAL,
    )
    (backing,) = backing_of((*eod.accounts[:2], short))
    assert backing.difference == "0"
    assert (backing.surplus_total, backing.shortage_total) == ("2620", "-2620")
    assert [each.account_id for each in backing.shortages] == ["AE-OTHER"]
    assert backing.unexplained_total == "2620"
    assert backing.worst_tier is Tier.CRITICAL


def test_an_account_without_a_statement_is_in_no_sum_and_is_never_fine(eod: EodDataset) -> None:
    zambia = eod.backing[2]
    assert zambia.without_figure == ("ZM-FLOAT",)
    assert (zambia.bank, zambia.ledger, zambia.worst_tier) == ("0", "0", Tier.UNKNOWN)


def test_an_account_stands_in_a_report_once(eod: EodDataset) -> None:
    with pytest.raises(TotalsDisagree, match="each once"):
        require_ties(msgspec.structs.replace(eod, accounts=(*eod.accounts, eod.accounts[-1])))


def missing_in(items: list[Item], proof: Decimal) -> Decimal:
    """Say it once more: everything below zero, by itself."""
    signs = {Leg.BANK: 1, Leg.BOTH: 1, Leg.LEDGER: -1}
    lone = [signs[item.leg] * Decimal(item.amount) for item in items] + [proof]
    return sum((each for each in lone if each < 0), Decimal(0))


@st.composite
def _days(draw: st.DrawFn) -> AccountDay:
    items = draw(
        st.lists(
            st.builds(
                lambda kind, amount: Item(
                    kind=kind,
                    leg=_LEGS[kind],
                    reference="R",
                    amount=amount_text(amount),
                    on=date(2026, 11, 20),
                    age_business_days=0,
                    bucket="0-1",
                ),
                st.sampled_from(list(_LEGS)),
                _AMOUNTS,
            ),
            max_size=12,
        )
    )
    bank, ledger = draw(_AMOUNTS), draw(_AMOUNTS)
    sums = items_by_kind(items)
    explained = sum((each for _, each in sums.values()), Decimal(0))
    return AccountDay(
        account_id=draw(st.sampled_from(["A", "B", "C", "D"])),
        currency=draw(st.sampled_from(["AED", "ZMW"])),
        on=date(2026, 11, 20),
        time_zone="UTC",
        cut_off_at=datetime(2026, 11, 21, tzinfo=UTC),
        bank_opening=None,
        bank_closing=amount_text(bank),
        ledger_at_cut_off=amount_text(ledger),
        difference=amount_text(bank - ledger),
        groups=tuple(
            ItemGroup(kind=kind, count=count, explains=amount_text(each))
            for kind, (count, each) in sums.items()
            if count
        ),
        items=tuple(items),
        explained_total=amount_text(explained),
        proof=amount_text(bank - ledger - explained),
        uncovered=amount_text(bank - ledger),
        shortage=amount_text(missing_in(items, bank - ledger - explained)),
        raw_tier=Tier.OK,
        tier=draw(st.sampled_from(list(Tier))),
        rule="EQUAL",
        statement=None,
        chain=Chain(continuity=Continuity.FIRST),
        matched=(),
        discrepancies=(),
        coverage=(),
        rules_version="1",
        matching_rules_version="1",
        calendar_version="1",
    )


@st.composite
def _datasets(draw: st.DrawFn) -> EodDataset:
    days = draw(
        st.lists(_days(), max_size=5, unique_by=lambda day: (day.account_id, day.currency)).map(
            lambda found: tuple(sorted(found, key=lambda day: (day.account_id, day.currency)))
        )
    )
    return EodDataset(
        on=date(2026, 11, 20),
        inputs_through_at=datetime(2026, 11, 21, tzinfo=UTC),
        accounts=days,
        backing=backing_of(days),
    )


@settings(max_examples=60, deadline=None)
@given(dataset=_datasets(), smallest=st.sampled_from(["0.00000001", "-0.00000001", "1"]))
def test_every_total_ties_and_the_smallest_change_of_one_figure_is_found_by_both_checks(
    dataset: EodDataset, smallest: str
) -> None:
    assert require_ties(dataset) > 0
    assert verify_dataset(dataset_bytes(dataset)).problems == ()
    for number, day in enumerate(dataset.accounts):
        assert day.proof is not None
        moved = amount_text(Decimal(day.proof) + Decimal(smallest))
        accounts = list(dataset.accounts)
        accounts[number] = msgspec.structs.replace(day, proof=moved)
        wrong = msgspec.structs.replace(dataset, accounts=tuple(accounts))
        with pytest.raises(TotalsDisagree):
            require_ties(wrong)
        assert verify_dataset(dataset_bytes(wrong)).problems


def _with(dataset: EodDataset, day: AccountDay) -> Dataset:
    accounts = (dataset.accounts[0], day, *dataset.accounts[2:])
    return msgspec.structs.replace(dataset, accounts=accounts)
