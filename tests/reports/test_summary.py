"""Who reads only the summary knows what is wrong, why, and how much money it is about."""

import csv
from io import StringIO

import msgspec
import pytest
from lxml import html

from recon_streams.positions.tiers import Rule
from recon_streams.reports.account_day import Item, ItemGroup, ItemKind
from recon_streams.reports.as_csv import as_csv
from recon_streams.reports.as_html import as_html
from recon_streams.reports.backing import backing_of
from recon_streams.reports.dataset import EodDataset, IntradayDataset, dataset_bytes
from recon_streams.reports.parts import Leg
from recon_streams.reports.reasons import covering_parts, reason_of, uncovered_parts
from recon_streams.reports.summary import summary_of
from recon_streams.reports.totals import require_ties
from topics.positions import Tier


def _charged(eod: EodDataset) -> EodDataset:
    """A day whose one difference, a charge of 35.00, has a name and is a shortage all the same."""
    charge = Item(
        kind=ItemKind.BANK_NOT_IN_LEDGER,
        leg=Leg.BANK,
        reference="CHG-1",
        amount="-35",
        on=eod.on,
        age_business_days=0,
        bucket="0-1",
    )
    day = msgspec.structs.replace(
        eod.accounts[0],
        ledger_at_cut_off="1285.5",
        difference="-35",
        groups=(ItemGroup(kind=charge.kind, count=1, explains="-35"),),
        items=(charge,),
        explained_total="-35",
        proof="0",
        uncovered="-35",
        shortage="-35",
        raw_tier=Tier.CRITICAL,
        tier=Tier.CRITICAL,
        rule="SHORTAGE",
    )
    dataset = msgspec.structs.replace(eod, accounts=(day,), backing=backing_of((day,)))
    assert require_ties(dataset)
    return dataset


def test_a_critical_account_says_why_with_its_amount_although_everything_is_explained(
    eod: EodDataset,
) -> None:
    assert summary_of(_charged(eod)) == (
        (
            "AE-FEES AED is CRITICAL: the bank is short by 35.00; a shortage is CRITICAL whatever "
            "its size. Not covered: booked by the bank, not in the ledger -35.00."
        ),
        (
            "Every difference is explained to the last unit. To be explained is not to be covered: "
            "backed are 0 of 1 accounts."
        ),
    )


def test_only_a_report_without_a_bad_verdict_is_said_to_be_backed(eod: EodDataset) -> None:
    quiet = msgspec.structs.replace(
        eod, accounts=eod.accounts[:1], backing=backing_of(eod.accounts[:1])
    )
    assert summary_of(quiet) == (
        "Every account is backed, and every difference is explained to the last unit.",
    )


def test_the_worst_comes_first_and_many_are_counted(eod: EodDataset) -> None:
    short = eod.accounts[2]
    many = tuple(
        msgspec.structs.replace(short, account_id=f"IN-{number}", tier=tier)
        for number, tier in enumerate([Tier.CRITICAL] * 6 + [Tier.INTEGRITY])
    )
    said = summary_of(msgspec.structs.replace(eod, accounts=many, backing=backing_of(many)))
    assert said[0].startswith("IN-6 INR is INTEGRITY")
    assert "2 more are CRITICAL; see the table." in said


def test_what_is_not_covered_is_the_difference_without_what_covers(eod: EodDataset) -> None:
    day = eod.accounts[1]
    assert [(part.count, part.amount) for part in covering_parts(day)] == [
        (1, "2500"),
        (1, "40"),
        (2, "-5"),
    ]
    assert [(part.count, part.amount) for part in uncovered_parts(day)] == [(1, "120"), (1, "-35")]
    assert [part.label for part in uncovered_parts(eod.accounts[2])] == [
        "booked in the ledger, not at the bank",
        "explained by nothing",
    ]


def test_a_window_says_why_as_well(intraday: IntradayDataset) -> None:
    assert summary_of(intraday)[0] == (
        "AE-SAFEGUARDING AED is CRITICAL: the bank is short by 10.00 (without the payments between "
        "their legs); a shortage is CRITICAL whatever its size."
    )


@pytest.mark.parametrize("rule", list(Rule))
def test_every_rule_has_words(eod: EodDataset, rule: Rule) -> None:
    for account in eod.accounts:
        words = reason_of(msgspec.structs.replace(account, rule=rule.value))
        assert "rule " not in words
        assert "{" not in words


def test_a_currency_without_a_balance_has_no_sums_and_not_sums_of_zero(eod: EodDataset) -> None:
    silent = (eod.accounts[3],)
    content = dataset_bytes(
        msgspec.structs.replace(eod, accounts=silent, backing=backing_of(silent))
    )
    tree = html.fromstring(as_html(content))
    cells = tree.xpath("//section[@aria-labelledby='backing']//tbody/tr[1]/td")
    assert [cell.text_content() for cell in cells[:5]] == ["none"] * 5
    backing = [
        row for row in csv.DictReader(StringIO(as_csv(content))) if row["section"] == "backing"
    ]
    assert {row["amount"] for row in backing} == {""}
