"""One IBAN with an account in each of two currencies: what is said of one never moves the other."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from bank_messages import entry
from statement_office import ROOTS, Office

from recon_streams.kernel.disposition import Disposition, Outcome
from recon_streams.kernel.refusal import RefusalCode
from recon_streams.positions.registry_store import apply_registry
from recon_streams.registry.definition import AccountDefinition, BankAccount, Opening

pytestmark = pytest.mark.postgres


class Pair:
    """The two accounts of one IBAN: `aed`, the office's own, and `usd`."""

    def __init__(self, office: Office) -> None:
        self.aed = office
        self.usd = Office(office.pool, f"{office.account_id}-USD")

    async def register(self) -> None:
        as_of = datetime(2026, 11, 18, tzinfo=UTC)
        definitions = [
            AccountDefinition(
                account_id=office.account_id,
                currency=currency,
                scale=2,
                bank_accounts=(BankAccount(identification=self.aed.bank_id),),
                time_zone="UTC",
                opening=Opening(as_of=as_of, bank=Decimal(1000), ledger=Decimal(1000)),
            )
            for office, currency in ((self.aed, "AED"), (self.usd, "USD"))
        ]
        await apply_registry(self.aed.pool, definitions, source="t", actor="t", now=as_of)

    async def hear(self, line: str, *entries: str, more: str = "") -> Outcome:
        """Take in the message of `line` with more `entries`, and `more` after its account."""
        end = f"</{ROOTS[line[:3]][1]}>"
        text = self.aed.message(line).decode().replace(end, "".join(entries) + end)
        (outcome,) = await self.aed.take(
            line[:3], [text.replace("</Acct>", f"</Acct>{more}").encode()]
        )
        return outcome

    async def banks(self) -> tuple[str, str]:
        return await self.aed.bank(), await self.usd.bank()

    async def stated(self) -> tuple[str, str]:
        states = [await office.state() for office in (self.aed, self.usd)]
        first, second = (str(state.stated_on) for state in states)
        return first, second


@pytest.fixture
async def pair(office: Office) -> Pair:
    made = Pair(office)
    await made.register()
    return made


def usd(amount: str, *, ref: str = "U", direction: str = "CRDT") -> str:
    return entry(amount, direction, ref=ref, currency="USD", day="2026-11-19")


def balances(opening: str, closing: str, currency: str = "USD") -> str:
    return "".join(
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
        "<Dt><Dt>2026-11-19</Dt></Dt></Bal>"
        for code, amount in (("OPBD", opening), ("CLBD", closing))
    )


async def test_an_entry_goes_to_the_account_of_its_currency(pair: Pair) -> None:
    await pair.hear("054 19: | A+30", usd("7"))
    assert await pair.banks() == ("1030", "1007")


async def test_a_statement_goes_to_the_account_of_its_currency(pair: Pair) -> None:
    await pair.hear("053 19: 1000 > 1007 | currency=USD", usd("7"))
    assert await pair.banks() == ("1000", "1007")
    assert await pair.stated() == ("None", "2026-11-19")


async def test_equal_payments_in_two_currencies_are_two(pair: Pair) -> None:
    await pair.hear("054 19: | A+30")
    await pair.hear("054 19: | currency=USD", usd("30", ref="A"))
    assert await pair.banks() == ("1030", "1030")


async def test_a_statement_with_entries_of_the_other_currency_alone_still_closes_its_day(
    pair: Pair,
) -> None:
    await pair.hear("053 19: 1000 > 1000 | ", usd("7"))
    assert await pair.banks() == ("1000", "1007")
    assert await pair.stated() == ("2026-11-19", "None")
    assert await pair.aed.found() == {}
    assert await pair.usd.kinds() == ["STATEMENT_INCOMPLETE"], "nothing says what it leads to"


async def test_a_statement_with_both_currencies_is_one_of_each(pair: Pair) -> None:
    more = balances("1000", "1007")
    outcome = await pair.hear("053 19: 1000 > 1030 | A+30", usd("7"), more=more)
    assert outcome.disposition is Disposition.APPLIED
    assert await pair.banks() == ("1030", "1007")
    assert await pair.stated() == ("2026-11-19", "2026-11-19")


async def test_the_currency_without_entries_is_closed_as_well(pair: Pair) -> None:
    await pair.hear("053 19: 1000 > 1030 | A+30", more=balances("1000", "1000"))
    assert await pair.stated() == ("2026-11-19", "2026-11-19")


async def test_one_currency_that_does_not_add_up_leaves_the_other_alone(pair: Pair) -> None:
    more = balances("1000", "1009")
    outcome = await pair.hear("053 19: 1000 > 1030 | A+30", usd("7"), more=more)
    assert [held.code for held in outcome.held] == [RefusalCode.STATEMENT_UNBALANCED]
    assert await pair.banks() == ("1030", "1000")
    assert await pair.usd.found() == {"STATEMENT_UNBALANCED 2026-11-19": "2"}


async def test_balances_of_a_currency_that_nobody_registered_are_no_statement(
    pair: Pair,
) -> None:
    outcome = await pair.hear("053 19: 1000 > 1030 | A+30", more=balances("5", "6", "EUR"))
    assert outcome.disposition is Disposition.APPLIED
    assert await pair.banks() == ("1030", "1000")


async def test_an_entry_of_a_currency_that_nobody_registered_is_refused_where_it_stands(
    pair: Pair,
) -> None:
    euro = entry("7", ref="E", currency="EUR", day="2026-11-19")
    outcome = await pair.hear("053 19: 1000 > 1030 | A+30", euro)
    (held,) = outcome.held
    assert (held.code, held.field) == (RefusalCode.CURRENCY_MISMATCH, "Stmt[1]/Ntry[2]")
    assert held.rule == "the account is registered, but not in this currency"
    assert await pair.banks() == ("1000", "1000")
