"""The acts of its end: report, sweep, statements, and the day as accountants sign it."""

from decimal import Decimal
from typing import Final

from recon_streams.demo.accounts import FLOAT, LATECOMER, OPERATIONS
from recon_streams.demo.act import Act, Deed, Expect, ExpectDay
from recon_streams.demo.bank import Bank
from recon_streams.demo.ledger import Ledger
from topics.breaker import BreakerState
from topics.positions import Tier

_SLIPS: Final = ("moov-credit-1500.xml", "moov-isr-batch.xml", "moov-debit-913.xml")


def evening(ledger: Ledger, bank: Bank) -> tuple[Act, ...]:
    """Return the acts from the bank's report of the day to the release of what was stopped."""
    return (
        _reported(bank),
        _swept(),
        _no_statement(),
        _stated(bank),
        _closed(),
        _put_right(ledger),
        _released(),
    )


def _reported(bank: Bank) -> Act:
    return Act(
        title="The bank reports the day so far",
        story="A camt.052 repeats what was announced and says a balance of its own. Every entry is "
        "recognised, nothing moves twice, and the balance is the one we had.",
        sends=(bank.reports(OPERATIONS, Decimal(5_000_000), _SLIPS),),
        expects=(
            Expect(
                account_id=OPERATIONS,
                tier=Tier.OK,
                breaker=BreakerState.CLOSED,
                unexplained="0",
            ),
        ),
        duplicates=1,
    )


def _swept() -> Act:
    return Act(
        title="A sweep",
        story="Every half hour, and now on request, each account is looked at: verdict, drift, "
        "trend. Accounts that may not pay are looked at too.",
        sends=(),
        expects=(),
        deed=Deed.SWEEP,
    )


def _no_statement() -> Act:
    return Act(
        title="The bank's day ends, and its statements are missing",
        story="The day is run: at the cut-off the ledger is known, and the bank has signed "
        "nothing. What is not there is not guessed.",
        sends=(),
        expects=(),
        deed=Deed.RUN_DAY,
        days=(
            ExpectDay(account_id=OPERATIONS, has_statement=False, proof=None, tier=Tier.UNKNOWN),
        ),
        discrepancies={"STATEMENT_MISSING": 3, "MISSING_TXN": 3},
    )


def _stated(bank: Bank) -> Act:
    return Act(
        title="The statements come",
        story="Three camt.053. Each adds up from opening to closing, each entry was announced "
        "before, and each closing becomes the figure from which the next day counts.",
        sends=(
            bank.states(OPERATIONS, Decimal(5_000_000), _SLIPS),
            bank.states(FLOAT, Decimal(1_000_000), ("genkgo-debit-200000.xml",)),
            bank.states(LATECOMER, Decimal(0), ("dvbern-batch-113.xml",)),
        ),
        expects=(
            Expect(account_id=OPERATIONS, tier=Tier.OK, unexplained="0"),
            Expect(account_id=FLOAT, tier=Tier.CRITICAL, breaker=BreakerState.OPEN),
            Expect(account_id=LATECOMER, tier=Tier.UNALLOCATED, unexplained="113"),
        ),
    )


def _closed() -> Act:
    return Act(
        title="The day is matched and reported",
        story="Bank entries find their ledger movements: one by the bank's reference, five payment "
        "slips as one batch, a payout by its end-to-end id. What found nobody says why, and "
        "explains the difference to the last unit: the proof is zero.",
        sends=(),
        expects=(),
        deed=Deed.RUN_DAY,
        days=(
            ExpectDay(account_id=OPERATIONS, has_statement=True, proof="0", tier=Tier.OK),
            ExpectDay(account_id=FLOAT, has_statement=True, proof="0", tier=Tier.CRITICAL),
            ExpectDay(account_id=LATECOMER, has_statement=True, proof="0", tier=Tier.UNALLOCATED),
        ),
        discrepancies={"MISSING_TXN": 3},
    )


def _put_right(ledger: Ledger) -> Act:
    return Act(
        title="The ledger books what had left",
        story="200,000.00 SEK of tokens are redeemed: the ledger says no more than the bank again. "
        "The account is in order, and still nobody pays from it: OPEN never closes by itself.",
        sends=(ledger.move_now(FLOAT, "SEK", "redeem", "200000.00"),),
        expects=(
            Expect(
                account_id=FLOAT,
                tier=Tier.OK,
                breaker=BreakerState.OPEN,
                unexplained="0",
            ),
        ),
        pays={FLOAT: False},
    )


def _released() -> Act:
    return Act(
        title="Two people release it",
        story="Amina asks, with a reason, and signs the facts she was shown. Bongani is shown the "
        "same facts, as they are now, and agrees with a key of his own. The payout service hears.",
        sends=(),
        expects=(Expect(account_id=FLOAT, tier=Tier.OK, breaker=BreakerState.CLOSED),),
        deed=Deed.RELEASE,
        releases=f"account:{FLOAT}:SEK",
        pays={FLOAT: True},
    )
