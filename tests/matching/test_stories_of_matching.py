"""What is one payment and what is not, told as an accountant would."""

from decimal import Decimal

import msgspec
from matching_notation import RULES, WEEKDAYS, bank, ledger, legs, matched

from recon_streams.matching.items import ItemKey
from recon_streams.matching.predicates import Terms
from recon_streams.matching.results import Unmatched, Why
from recon_streams.matching.rules import Fee, Tolerance


def why(answer: object, side: str, number: int) -> Unmatched:
    (found,) = (u for u in answer.unmatched if (u.side.value, u.key.sequence) == (side, number))
    return found


def test_an_equal_reference_and_amount_is_one_payment() -> None:
    answer = matched([bank(1, "100", e2e="INV-1", day=1)], [ledger(2, "100", ref="INV-1")])
    assert legs(answer) == [("end_to_end", [1], [2])]
    assert answer.matches[0].because == ("end_to_end equal", "amount 100.00 equal", "date +1 d")


def test_a_reference_is_never_ignored() -> None:
    answer = matched([bank(1, "100", e2e="INV-1")], [ledger(2, "100", ref="INV-2")])
    assert not answer.matches
    assert not answer.suggestions
    assert why(answer, "B", 1).why is Why.REFERENCE
    assert why(answer, "B", 1).text.startswith("reference end_to_end INV-1 vs INV-2; amount")


def test_a_uetr_overrules_an_end_to_end_id() -> None:
    answer = matched(
        [bank(1, "100", uetr="u1", e2e="INV-1")], [ledger(2, "100", uetr="u2", ref="INV-1")]
    )
    assert not answer.matches
    assert why(answer, "L", 2).why is Why.REFERENCE


def test_two_identical_payments_are_two() -> None:
    answer = matched(
        [bank(1, "50", e2e="RENT"), bank(3, "50", e2e="RENT")],
        [ledger(2, "50", ref="RENT"), ledger(4, "50", ref="RENT")],
    )
    assert legs(answer) == [("end_to_end", [1], [2]), ("end_to_end", [3], [4])]


def test_of_two_identical_payments_with_one_partner_one_is_a_duplicate() -> None:
    answer = matched(
        [bank(1, "50", e2e="RENT"), bank(3, "50", e2e="RENT")], [ledger(2, "50", ref="RENT")]
    )
    assert legs(answer) == [("end_to_end", [1], [2])]
    assert why(answer, "B", 3).why is Why.DUPLICATE


def test_a_reference_used_again_next_year_is_another_payment() -> None:
    answer = matched([bank(1, "50", e2e="RENT", day=365)], [ledger(2, "50", ref="RENT")])
    assert not answer.matches
    assert why(answer, "B", 1).text.startswith("date +261 d, window 5 d")


def test_other_amounts_under_one_reference_say_so_with_their_numbers() -> None:
    rules = msgspec.structs.replace(RULES, tolerance=Tolerance(absolute=Decimal("0.10")))
    answer = matched([bank(1, "100", e2e="A", day=1)], [ledger(2, "99.50", ref="A")], rules)
    assert (
        why(answer, "B", 1).text
        == "amount 100.00 vs 99.50, tolerance 0.10; reference equal; date +1 d"
    )


def test_a_difference_within_the_tolerance_stays_as_a_figure() -> None:
    rules = msgspec.structs.replace(RULES, tolerance=Tolerance(percent=Decimal("0.5")))
    answer = matched([bank(1, "99.60", e2e="A")], [ledger(2, "100", ref="A")], rules)
    (found,) = answer.matches
    assert (found.difference, found.explained_by) == (Decimal("-0.40"), "tolerance")


def test_a_currency_may_have_a_tolerance_of_its_own() -> None:
    rules = msgspec.structs.replace(RULES, currencies={"JPY": Tolerance(absolute=Decimal(1))})
    items = [bank(1, "99", e2e="A")], [ledger(2, "100", ref="A")]
    assert not matched(*items, rules).matches
    assert matched(*items, rules, currency="JPY", scale=0).matches


def test_a_bank_that_keeps_its_fee_books_net_what_the_ledger_holds_gross() -> None:
    fee = Fee(name="acquirer", absolute=Decimal("0.25"), percent=Decimal("1.5"))
    rules = msgspec.structs.replace(RULES, fees=(fee,))
    answer = matched([bank(1, "98.25", e2e="A")], [ledger(2, "100", ref="A")], rules)
    (found,) = answer.matches
    assert (found.difference, found.explained_by) == (Decimal("-1.75"), "fee acquirer")
    assert not matched([bank(1, "98.24", e2e="A")], [ledger(2, "100", ref="A")], rules).matches


def test_a_batch_at_the_bank_is_many_movements_of_the_ledger() -> None:
    answer = matched(
        [bank(1, "60", batch="PAY-7")],
        [ledger(n, f"{n}0", batch="PAY-7", ref=f"S{n}") for n in (1, 2, 3)],
    )
    assert legs(answer) == [("batch", [1], [1, 2, 3])]


def test_a_payout_of_the_ledger_is_many_entries_of_a_batch() -> None:
    answer = matched(
        [bank(5, "-10", batch="P", part=1), bank(5, "-20", batch="P", part=2)],
        [ledger(2, "-30", ref="P")],
    )
    assert legs(answer) == [("batch", [5, 5], [2])]


def test_a_settlement_net_of_a_fee_for_each_payment_is_one_batch() -> None:
    rules = msgspec.structs.replace(RULES, fees=(Fee(name="card", absolute=Decimal("0.30")),))
    answer = matched(
        [bank(1, "59.10", batch="S")],
        [ledger(n, f"{n}0", batch="S", ref=f"S{n}") for n in (1, 2, 3)],
        rules,
    )
    assert answer.matches[0].explained_by == "fee card"


def test_a_tolerance_never_decides_what_belongs_to_a_batch() -> None:
    rules = msgspec.structs.replace(RULES, tolerance=Tolerance(absolute=Decimal(1)))
    answer = matched(
        [bank(1, "30", batch="S")],
        [ledger(1, "10", batch="S"), ledger(2, "19.50", batch="S"), ledger(3, "40", batch="S")],
        rules,
    )
    assert not answer.matches
    assert why(answer, "B", 1).text.startswith("batch: batch_reference S equal, sum 30.00 of 1")


def test_an_exact_part_of_a_batch_is_found_if_it_is_the_only_one() -> None:
    items = [ledger(n, f"{n}0", batch="S") for n in (1, 2, 5)]
    assert legs(matched([bank(9, "30", batch="S")], items)) == [("batch", [9], [1, 2])]


def test_two_ways_to_a_sum_are_ambiguous() -> None:
    answer = matched(
        [bank(9, "50", batch="S")], [ledger(n, f"{n}0", batch="S") for n in (1, 2, 3, 4)]
    )
    assert not answer.matches
    assert [a.rule for a in answer.ambiguous] == ["batch"]


def test_several_on_both_sides_are_never_matched_by_a_sum_of_both() -> None:
    answer = matched(
        [bank(1, "45", batch="S"), bank(3, "15", batch="S")],
        [ledger(2, "40", batch="S"), ledger(4, "20", batch="S")],
    )
    assert not answer.matches


def test_amount_and_day_alone_are_at_most_a_suggestion() -> None:
    answer = matched([bank(1, "100")], [ledger(2, "100")])
    assert not answer.matches
    assert [(s.rule, s.score) for s in answer.suggestions] == [("composite", 70)]


def test_a_reference_in_the_remittance_makes_it_certain() -> None:
    answer = matched(
        [bank(1, "100", remittance="invoice INV-77, thanks")], [ledger(2, "100", ref="INV-77")]
    )
    assert legs(answer) == [("composite", [1], [2])]


def test_a_part_of_a_word_is_no_reference() -> None:
    answer = matched([bank(1, "100", remittance="INV-771")], [ledger(2, "100", ref="INV-77")])
    assert not answer.matches


def test_several_equally_good_partners_are_left_to_a_person() -> None:
    answer = matched(
        [bank(1, "100", by="Ana"), bank(3, "100", by="Bo")],
        [ledger(2, "100", ref="X"), ledger(4, "100", ref="Y")],
    )
    assert not answer.matches
    assert not answer.suggestions
    assert [(len(a.bank), len(a.ledger)) for a in answer.ambiguous] == [(2, 2)]


def test_a_sum_of_one_counterparty_is_a_match_and_of_strangers_a_suggestion() -> None:
    known = matched(
        [bank(9, "30", by="Shop")], [ledger(1, "10", by="SHOP"), ledger(2, "20", by="shop")]
    )
    assert legs(known) == [("sum", [9], [1, 2])]
    strangers = matched([bank(9, "30")], [ledger(1, "10"), ledger(2, "20")])
    assert not strangers.matches
    assert [s.rule for s in strangers.suggestions] == ["sum"]


def test_a_return_is_not_the_payment_it_returns() -> None:
    answer = matched([bank(1, "-100", e2e="A")], [ledger(2, "100", ref="A")])
    assert not answer.matches


def test_both_legs_of_an_internal_transfer_find_their_partner() -> None:
    out = matched([bank(1, "-100", e2e="T")], [ledger(2, "-100", ref="T", kind="transfer")])
    back = matched([bank(1, "100", e2e="T")], [ledger(2, "100", ref="T", kind="transfer")])
    same_account = matched(
        [bank(1, "-100", e2e="T"), bank(3, "100", e2e="T")],
        [ledger(2, "100", ref="T"), ledger(4, "-100", ref="T")],
    )
    assert legs(out) == legs(back) == [("end_to_end", [1], [2])]
    assert legs(same_account) == [("end_to_end", [1], [4]), ("end_to_end", [3], [2])]


def test_what_was_taken_apart_by_hand_is_not_put_together_again() -> None:
    banks, ledgers = [bank(1, "100", e2e="A")], [ledger(2, "100", ref="A")]
    apart = frozenset({(ItemKey(1), ItemKey(2))})
    assert not matched(banks, ledgers, apart=apart).matches


def test_a_search_that_would_not_end_says_so() -> None:
    many = [ledger(n, str(n), batch="S") for n in range(1, 60)]
    answer = matched([bank(99, "1000", batch="S")], many)
    assert why(answer, "B", 99).why is Why.UNSEARCHED


def test_a_weekend_between_is_one_business_day() -> None:
    terms = Terms(RULES, WEEKDAYS)
    friday, monday = bank(1, "1", day=4).on, bank(1, "1", day=7).on
    assert terms.days_between(friday, monday) == 1


def test_a_ledger_may_know_the_banks_reference_of_the_entry_or_of_its_transaction() -> None:
    fee = bank(1, "-1.50", sref="180410CH02UZ2PC1", entry="100820002V496ZRA")
    for reference in ("180410CH02UZ2PC1", "100820002V496ZRA"):
        answer = matched([fee], [ledger(2, "-1.50", bank_reference=reference, ref="fee")])
        assert [(m.bank, m.ledger) for m in answer.matches] == [((ItemKey(1),), (ItemKey(2),))]
    answer = matched([fee], [ledger(2, "-1.50", bank_reference="OTHER")])
    assert why(answer, "L", 2).text.startswith(
        "reference bank_reference 180410CH02UZ2PC1 vs OTHER, "
        "bank_entry_reference 100820002V496ZRA vs OTHER; amount"
    )


def test_the_entrys_reference_overrules_what_is_weaker_only_if_neither_of_the_two_is_equal() -> (
    None
):
    one = bank(1, "100", sref="T-1", entry="E-1", e2e="INV-1")
    answer = matched([one], [ledger(2, "100", bank_reference="E-1", ref="INV-9")])
    assert legs(answer) == [("bank_entry_reference", [1], [2])]
    answer = matched([one], [ledger(2, "100", bank_reference="E-2", ref="INV-1")])
    assert not answer.matches


def test_a_ledger_movement_of_a_whole_entry_is_all_its_transactions() -> None:
    banks = [bank(1, "30", part=n, sref=f"T-{n}", entry="E-1") for n in (1, 2, 3)]
    answer = matched(banks, [ledger(2, "90", bank_reference="E-1")])
    assert legs(answer) == [("batch", [1, 1, 1], [2])]


def test_two_equal_transactions_of_one_entry_are_not_one_payment_twice() -> None:
    banks = [bank(1, "30", part=n, uetr=f"u{n}", sref="E-1", entry="E-1") for n in (1, 2)]
    answer = matched(banks, [ledger(2, "30", uetr="u1")])
    assert legs(answer) == [("uetr", [1], [2])]
    (left,) = answer.unmatched
    assert left.why is not Why.DUPLICATE
