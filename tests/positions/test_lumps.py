"""One line for many payments, then the payments: without a name in common nobody can be sure."""

import pytest
from bank_messages import U1, U2, detail, entry
from statement_office import ROOTS, Office

from recon_streams.kernel.disposition import Outcome

pytestmark = pytest.mark.postgres
SUSPECTED = {"DUPLICATE_TXN counted twice 2026-11-19": "-30"}


async def hear(office: Office, line: str, *entries: str) -> Outcome:
    (outcome,) = await office.take(line[:3], [told(office, line, *entries)])
    return outcome


def told(office: Office, line: str, *entries: str) -> bytes:
    end = f"</{ROOTS[line[:3]][1]}>"
    return office.message(line).decode().replace(end, "".join(entries) + end).encode()


def parts(day: str = "19") -> str:
    details = detail(uetr=U1, amount="10.00") + detail(uetr=U2, amount="20.00")
    return entry("30.00", details=details, day=f"2026-11-{day}")


def singles(day: str = "19") -> tuple[str, str]:
    first, second = (
        entry(amount, details=detail(uetr=uetr), day=f"2026-11-{day}")
        for uetr, amount in ((U1, "10.00"), (U2, "20.00"))
    )
    return first, second


@pytest.mark.parametrize("kind", ["054", "052"])
@pytest.mark.parametrize("listed", ["one entry", "entries"])
async def test_details_of_what_one_line_told_are_suspected_to_be_counted_twice(
    office: Office, kind: str, listed: str
) -> None:
    await office.tell("054 19: | LUMP+30")
    await hear(office, f"{kind} 19: | ", *((parts(),) if listed == "one entry" else singles()))
    assert await office.bank() == "1060", "no name says that it is the same money"
    assert await office.found() == SUSPECTED


async def test_it_is_suspected_in_one_batch_as_well(office: Office) -> None:
    lump = office.message("054 19: | LUMP+30")
    office.messages += 1
    await office.take("054", [lump, told(office, "054 19: | ", parts())])
    assert await office.found() == SUSPECTED


async def test_a_lump_of_the_day_before_or_after_is_suspected_too(office: Office) -> None:
    await office.tell("054 20: | LUMP+30")
    await hear(office, "054 19: | ", parts())
    assert await office.found() == {"DUPLICATE_TXN counted twice 2026-11-20": "-30"}


@pytest.mark.parametrize("holds", ["lump", "parts"])
async def test_the_statement_of_the_day_decides(office: Office, holds: str) -> None:
    await office.tell("054 19: | LUMP+30")
    await hear(office, "054 19: | ", parts())
    if holds == "lump":
        await office.tell("053 19: 1000 > 1030 | LUMP+30")
    else:
        await hear(office, "053 19: 1000 > 1030 | ", parts())
    assert await office.bank() == "1030"
    assert "DUPLICATE_TXN" not in await office.kinds()


async def test_a_statement_with_the_parts_of_what_was_told_for_the_next_day_is_suspected(
    office: Office,
) -> None:
    await office.tell("054 20: | LUMP+30")
    await hear(office, "053 19: 1000 > 1030 | ", parts())
    assert await office.bank() == "1060"
    assert (await office.found())["DUPLICATE_TXN counted twice 2026-11-20"] == "-30"
    await office.tell("053 20: 1030 > 1030 | ")
    assert await office.bank() == "1030"
    assert "DUPLICATE_TXN" not in await office.kinds()


async def test_equal_sums_of_other_days_signs_or_named_payments_are_no_suspicion(
    office: Office,
) -> None:
    named = entry("30.00", details=detail(uetr=U2), ref="NAMED", day="2026-11-19")
    await hear(office, "054 19: | D-30 E+30@22 F+31", named)
    await hear(office, "054 19: | ", parts())
    assert await office.found() == {}


async def test_who_says_the_lump_and_its_parts_in_one_message_means_both(office: Office) -> None:
    await hear(office, "054 19: | LUMP+30", parts())
    assert await office.found() == {}


async def test_a_batch_that_names_the_lump_is_recognised(office: Office) -> None:
    await office.tell("054 19: | LUMP+30")
    details = detail(uetr=U1, amount="10.00") + detail(uetr=U2, amount="20.00")
    await hear(office, "054 19: | ", entry("30.00", ref="LUMP", details=details, day="2026-11-19"))
    assert await office.bank() == "1030"
    assert await office.found() == {}
