"""What holds of every day, whatever its figures, and in whatever order its messages came."""

import itertools
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from closing_stories import OPENING, REGISTRY, Story
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from recon_streams.closing.findings import news_of
from recon_streams.closing.standing import summed_up
from recon_streams.closing.statement_of_day import (
    DayInput,
    Matched,
    TwoRoads,
    account_day,
    figures_digest,
)
from recon_streams.discrepancies.finding import Kind
from recon_streams.kernel.calendar import DayBounds
from recon_streams.kernel.money import amount_text
from recon_streams.positions.rules import Limits
from recon_streams.reports.account_day import Continuity, Item, ItemGroup, ItemKind, StatementUsed
from recon_streams.reports.parts import Leg
from recon_streams.reports.shortage import shortage_in
from recon_streams.reports.totals import explains, items_by_kind
from recon_streams.statements.chain import Link
from topics.positions import Tier

ON = date(2026, 11, 16)
AT = datetime(2026, 11, 16, 20, tzinfo=UTC)
amounts = st.integers(-(10**12), 10**12).map(lambda n: Decimal(n).scaleb(-2))
LEGS = {
    ItemKind.BANK_NOT_IN_LEDGER: (Leg.BANK,),
    ItemKind.LEDGER_NOT_AT_BANK: (Leg.LEDGER,),
    ItemKind.ANNOUNCED_NOT_STATED: (Leg.BOTH,),
    ItemKind.TOLERATED_DIFFERENCE: (Leg.BOTH,),
    ItemKind.HAND_DIFFERENCE: (Leg.BOTH,),
    ItemKind.MATCHED_LATER: (Leg.BANK, Leg.LEDGER),
}


@st.composite
def items(draw: st.DrawFn) -> Item:
    kind = draw(st.sampled_from(list(LEGS)))
    return Item(
        kind=kind,
        leg=draw(st.sampled_from(LEGS[kind])),
        reference=draw(st.sampled_from("ABCDEFG")),
        amount=amount_text(draw(amounts)),
        on=ON,
        age_business_days=0,
        bucket="0-1",
    )


def matched(found: list[Item]) -> Matched:
    return Matched(
        items=tuple(found),
        groups=tuple(
            ItemGroup(kind=kind, count=count, explains=amount_text(explained))
            for kind, (count, explained) in items_by_kind(found).items()
        ),
    )


def link(closing: Decimal) -> Link:
    return Link(
        closing_on=ON,
        opening=Decimal(0),
        closing=closing,
        key=b"",
        content=b"",
        origin="s/0/1",
        path="",
    )


def given_day(
    bank: Decimal, ledger: Decimal, found: list[Item], *, bases: tuple[Decimal, Decimal]
) -> DayInput:
    plus, minus = (bank, Decimal(0)) if bank >= 0 else (Decimal(0), -bank)
    return DayInput(
        account_id="A-1",
        currency="AED",
        bounds=DayBounds(on=ON, starts_at=AT.replace(day=15), cut_off_at=AT),
        time_zone="Asia/Dubai",
        limits=Limits(),
        bank_base=bases[0],
        ledger_base=bases[1],
        opened_on=ON,
        opened_business_days=0,
        ledger_at_cut_off=ledger,
        statement=StatementUsed(
            message="camt.053",
            origin="s/0/1",
            statement_id="S",
            electronic_sequence=None,
            legal_sequence=None,
            version=1,
            opening_on=ON,
            closing_on=ON,
            opening="0",
            credits=amount_text(plus),
            debits=amount_text(minus),
            entries=1,
            closing=amount_text(bank),
            arrived_at=AT,
        ),
        link=link(bank),
        before=None,
        matched=matched(found),
        discrepancies=(),
        coverage=(),
        rules_version="1",
        calendar_version="c",
    )


@given(amounts, amounts, amounts, amounts, st.lists(items(), max_size=12))
def test_the_proof_is_nothing_or_a_discrepancy_of_exactly_that(
    bank: Decimal, ledger: Decimal, bank_base: Decimal, ledger_base: Decimal, found: list[Item]
) -> None:
    day = account_day(given_day(bank, ledger, found, bases=(bank_base, ledger_base)))
    expected = bank - ledger - (bank_base - ledger_base)
    expected -= sum((explains(item.leg, item.amount) for item in found), Decimal(0))
    assert day.proof == amount_text(expected)
    findings, cleared = news_of(1, day)
    if expected:
        (finding,) = findings
        assert finding.cause.kind is Kind.BALANCE_MISMATCH
        assert finding.amount == expected
        assert not cleared
    else:
        assert not findings
        assert cleared[0].cause.kind is Kind.BALANCE_MISMATCH


@given(amounts, st.lists(items(), max_size=12))
def test_a_day_that_is_made_of_its_items_proves_to_nothing(
    base: Decimal, found: list[Item]
) -> None:
    bank = base + sum((explains(item.leg, item.amount) for item in found), Decimal(0))
    day = account_day(given_day(bank, base, found, bases=(base, base)))
    assert day.proof == "0"
    assert news_of(1, day)[0] == []


@given(st.lists(items(), min_size=1, max_size=12), amounts.filter(bool))
def test_a_sum_of_the_books_that_is_not_that_of_the_items_is_never_kept(
    found: list[Item], wrong: Decimal
) -> None:
    given = given_day(Decimal(5), Decimal(5), found, bases=(Decimal(0), Decimal(0)))
    groups = list(given.matched.groups)
    place = next(n for n, group in enumerate(groups) if group.count)
    explained = amount_text(Decimal(groups[place].explains) + wrong)
    groups[place] = replace(groups[place], explains=explained)
    with pytest.raises(TwoRoads):
        account_day(replace(given, matched=replace(given.matched, groups=tuple(groups))))


@given(st.lists(items(), max_size=30), st.integers(1, 5), st.data())
def test_summing_up_keeps_every_total_and_depends_on_no_order(
    found: list[Item], items_max: int, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(found))
    kept = summed_up(found, items_max=items_max)
    assert items_by_kind(kept) == items_by_kind(found)
    assert len(kept) <= len(LEGS) * 4 * (items_max + 1)
    again = summed_up(shuffled, items_max=items_max)
    assert [(i.kind, i.leg, i.amount, i.reference) for i in again] == [
        (i.kind, i.leg, i.amount, i.reference) for i in kept
    ]


@given(st.lists(items(), max_size=12))
def test_what_a_person_has_matched_makes_up_for_nothing(found: list[Item]) -> None:
    kept = summed_up(found)
    assert not any(item.covers for item in kept if item.kind is ItemKind.HAND_DIFFERENCE)
    base = Decimal(1000)
    bank = base + sum((explains(item.leg, item.amount) for item in found), Decimal(0))
    day = account_day(given_day(bank, base, list(kept), bases=(base, base)))
    covering = [i for i in day.items if i.covers and i.kind is not ItemKind.HAND_DIFFERENCE]
    left = bank - base - sum((explains(i.leg, i.amount) for i in covering), Decimal(0))
    assert (day.proof, day.uncovered) == ("0", amount_text(left))


@given(st.lists(amounts, min_size=4, max_size=12), st.sampled_from(list(LEGS)))
def test_what_is_missing_does_not_depend_on_how_many_items_stand_alone(
    apart: list[Decimal], kind: ItemKind
) -> None:
    found = [
        Item(
            kind=kind,
            leg=LEGS[kind][0],
            reference="A",
            amount=amount_text(amount),
            on=ON,
            age_business_days=0,
            bucket="0-1",
        )
        for amount in apart
    ]
    alone, summed = (summed_up(found, items_max=most) for most in (len(found), 1))
    assert shortage_in(summed, Decimal(0)) == shortage_in(alone, Decimal(0))


@pytest.mark.parametrize(("passed", "tier"), [("-5", Tier.OK), ("-5.01", Tier.CRITICAL)])
def test_tolerances_and_fees_let_pass_no_more_than_the_accounts_own_limit(
    passed: str, tier: Tier
) -> None:
    found = Item(
        kind=ItemKind.TOLERATED_DIFFERENCE,
        leg=Leg.BOTH,
        reference="fee acquirer",
        amount=passed,
        on=date(2026, 11, 16),
        age_business_days=0,
        bucket="0-1",
    )
    bank = Decimal(1000)
    ledger = bank - Decimal(passed)
    given = given_day(bank, ledger, list(summed_up([found])), bases=(bank, bank))
    assert account_day(given).tier is tier, "the limit for CRITICAL is 0.5 % of the bank's balance"


@given(st.lists(items(), max_size=8))
def test_a_partner_that_comes_later_makes_no_other_version(found: list[Item]) -> None:
    alone = [i for i in found if i.kind is ItemKind.BANK_NOT_IN_LEDGER]
    rest = [i for i in found if i.kind is not ItemKind.BANK_NOT_IN_LEDGER]
    later = [replace(i, kind=ItemKind.MATCHED_LATER) for i in alone]
    bases = (Decimal(0), Decimal(0))
    before = account_day(given_day(Decimal(1), Decimal(2), rest + alone, bases=bases))
    after = account_day(given_day(Decimal(1), Decimal(2), rest + later, bases=bases))
    assert figures_digest(before) == figures_digest(after)


def test_without_a_statement_nothing_is_proven() -> None:
    given = given_day(Decimal(5), Decimal(5), [], bases=(Decimal(0), Decimal(0)))
    day = account_day(replace(given, statement=None, link=None))
    assert (day.proof, day.difference, day.tier.value) == (None, None, "UNKNOWN")
    assert day.chain.continuity is Continuity.MISSING
    assert news_of(1, day) == ([], [])


MESSAGES = (
    "16 053 no.1 1000 1070 A+100 B-30",
    "17 053 no.2 1070 1075 C+5",
    "18 053 no.3 1075 1075",
)


@pytest.mark.postgres
async def test_the_order_in_which_statements_come_does_not_matter(
    unregistered: Story,
) -> None:
    """One book for all orders: an account for each of them."""
    orders = list(itertools.permutations(MESSAGES))
    names = [f"AE-{n}" for n in range(1, len(orders) + 1)]
    text = "accounts:\n"
    for n, name in enumerate(names, start=1):
        block = (REGISTRY + OPENING).partition("\n")[2]
        text += block.replace("AE-1", name).replace("BANK-1", f"BANK-{n}")
    await unregistered.registered(text)
    for n, (name, order) in enumerate(zip(names, orders, strict=True), start=1):
        unregistered.of(name, f"BANK-{n}")
        await unregistered.play("16 ledger +100 A\n16 ledger -30 B\n17T08:00 ledger +5 C")
        for message in order:
            await unregistered.play("20T09:00<" + message)
    for day in ("16", "17", "18"):
        await unregistered.run(day)
        found = [
            replace(each, account_id="-", statement=None) for each in await unregistered.days(day)
        ]
        assert len(found) == len(orders)
        assert {figures_digest(each) for each in found} == {figures_digest(found[0])}
        assert found[0].proof == "0"


@pytest.mark.postgres
async def test_the_same_inputs_give_the_same_bytes(story: Story) -> None:
    await story.play(
        """
        16 ledger +100 A
        16 054 A+100 X+7
        16 053 1000 1107 A+100 X+7
        """
    )
    made = [await story.made("16"), await story.made("16")]
    assert made[0] == made[1], "and nothing of either run was kept"
    await story.run("16")
    (kept,) = await story.fetch("SELECT content FROM closing.snapshot")
    assert bytes(kept["content"]) == made[0]
