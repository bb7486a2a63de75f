"""The acts of the day itself: money moves, and the breaker with it."""

from typing import Final

import msgspec

from recon_streams.demo.accounts import FLOAT, LATECOMER, OPERATIONS
from recon_streams.demo.act import Act, Deed, Expect
from recon_streams.demo.bank import Bank
from recon_streams.demo.ledger import Ledger
from topics.breaker import BreakerState
from topics.positions import Tier

_PAYOUT: Final = "20190424001255000100006"


def daytime(ledger: Ledger, bank: Bank) -> tuple[Act, ...]:
    """Return the acts from the first record to the last that moves money."""
    return (
        _in_balance(ledger),
        _minor(bank),
        _significant(bank),
        _heals(ledger),
        _payout(ledger, bank),
        _redelivered(ledger, bank),
        _broken(bank),
        _short_of_cover(bank),
        _unknown(bank),
        _registered(),
    )


def _in_balance(ledger: Ledger) -> Act:
    return Act(
        title="In balance",
        story="Both accounts open suspended: no evidence, no payouts. The ledger states its "
        "balances three times, they equal the bank's, and after a moment of calm both may pay.",
        sends=(
            *(ledger.balance(OPERATIONS, "CHF", "5000000.00") for _ in range(3)),
            *(ledger.balance(FLOAT, "SEK", "1000000.00") for _ in range(3)),
        ),
        expects=(
            Expect(account_id=OPERATIONS, tier=Tier.OK, breaker=BreakerState.CLOSED),
            Expect(account_id=FLOAT, tier=Tier.OK, breaker=BreakerState.CLOSED),
        ),
        pays={OPERATIONS: True, FLOAT: True},
    )


def _minor(bank: Bank) -> Act:
    return Act(
        title="A drift, still minor",
        story="1,500.00 CHF arrive at the bank and no tokens were issued for them: 0.03 % of the "
        "balance. Payouts go on.",
        sends=(bank.says("moov-credit-1500.xml", OPERATIONS, "a credit of 1,500.00 CHF"),),
        expects=(
            Expect(
                account_id=OPERATIONS,
                tier=Tier.MINOR,
                breaker=BreakerState.CLOSED,
                unexplained="1500",
            ),
        ),
    )


def _significant(bank: Bank) -> Act:
    return Act(
        title="The drift becomes significant",
        story="A batch of five payment slips (1,537.00) less its charges (147.00) arrives too. Now "
        "0.058 % is unexplained: new payouts are suspended.",
        sends=(
            bank.says("moov-isr-batch.xml", OPERATIONS, "a batch of 1,537.00 and 147.00 charges"),
        ),
        expects=(
            Expect(
                account_id=OPERATIONS,
                tier=Tier.SIGNIFICANT,
                breaker=BreakerState.SUSPENDED,
                unexplained="2890",
            ),
        ),
        pays={OPERATIONS: False, FLOAT: True},
    )


def _heals(ledger: Ledger) -> Act:
    return Act(
        title="It heals with proof",
        story="The ledger issues what had arrived and states its balance. Three clean evaluations "
        "and a calm later the suspension clears by itself.",
        sends=(
            ledger.move(OPERATIONS, "CHF", "issue", "1500.00", bank_reference="074820002ZZ9J42U"),
            ledger.move(OPERATIONS, "CHF", "fee", "147.00", bank_reference="100820002V496ZRA"),
            ledger.move(OPERATIONS, "CHF", "issue", "1537.00", batch_reference="07582000303KBMSU"),
            *(ledger.balance(OPERATIONS, "CHF", "5002890.00") for _ in range(3)),
        ),
        expects=(
            Expect(
                account_id=OPERATIONS,
                tier=Tier.OK,
                breaker=BreakerState.CLOSED,
                unexplained="0",
            ),
        ),
        pays={OPERATIONS: True},
    )


def _payout(ledger: Ledger, bank: Bank) -> Act:
    return Act(
        title="A payout that was announced does not trip",
        story="The ledger announces a payout of 913.00. The bank debits it before the tokens are "
        "redeemed: for a moment the ledger says more than the bank. Raw, that is critical; the "
        "announced payment explains it to the last centime, until it is due.",
        sends=(
            ledger.announce(OPERATIONS, "CHF", "913.00", _PAYOUT),
            bank.says("moov-debit-913.xml", OPERATIONS, "the debit of 913.00, same reference"),
        ),
        expects=(
            Expect(
                account_id=OPERATIONS,
                tier=Tier.OK,
                raw_tier=Tier.CRITICAL,
                breaker=BreakerState.CLOSED,
                unexplained="0",
            ),
        ),
    )


def _redelivered(ledger: Ledger, bank: Bank) -> Act:
    return Act(
        title="Both legs are there, and the bank repeats itself",
        story="The tokens are redeemed: nothing needs an explanation any more. The batch of "
        "payment slips is delivered a second time; it is recognised and changes nothing.",
        sends=(
            ledger.move(OPERATIONS, "CHF", "redeem", "913.00", reference=_PAYOUT),
            bank.says("moov-isr-batch.xml", OPERATIONS, "the same batch again"),
        ),
        expects=(
            Expect(
                account_id=OPERATIONS,
                tier=Tier.OK,
                raw_tier=Tier.OK,
                breaker=BreakerState.CLOSED,
                unexplained="0",
            ),
        ),
        duplicates=1,
    )


def _broken(bank: Bank) -> Act:
    credit = bank.says("moov-credit-1500.xml", OPERATIONS, "a credit whose amount is 1,500.00")
    return Act(
        title="A broken message",
        story="A gateway printed 1,500.00 with a thousands separator. Nobody guesses: the message "
        "is kept, with the field and the rule its sender needs.",
        sends=(
            msgspec.structs.replace(
                credit,
                value=credit.value.replace(b">1500.00<", b">1,500.00<").replace(
                    b"<MsgId>", b"<MsgId>B"
                ),
            ),
        ),
        expects=(Expect(account_id=OPERATIONS, tier=Tier.OK, breaker=BreakerState.CLOSED),),
        quarantines=1,
    )


def _short_of_cover(bank: Bank) -> Act:
    return Act(
        title="Money leaves that nobody announced",
        story="200,000.00 SEK are debited. No payout was announced, no tokens were redeemed: the "
        "ledger promises money that is not there. The breaker opens, and stays open until two "
        "people close it.",
        sends=(bank.says("genkgo-debit-200000.xml", FLOAT, "a debit of 200,000.00 SEK"),),
        expects=(
            Expect(
                account_id=FLOAT,
                tier=Tier.CRITICAL,
                breaker=BreakerState.OPEN,
                unexplained="-200000",
            ),
        ),
        pays={OPERATIONS: True, FLOAT: False},
    )


def _unknown(bank: Bank) -> Act:
    return Act(
        title="A bank account nobody registered",
        story="A notification for an account the registry does not know. It is kept and reported.",
        sends=(bank.says("dvbern-batch-113.xml", LATECOMER, "a credit of 113.00 CHF"),),
        expects=(),
        quarantines=1,
    )


def _registered() -> Act:
    return Act(
        title="The account is registered",
        story="What waited for it is decided now, as if the account had been known at first: money "
        "at the bank, no tokens yet. First funding is reported and trips nothing.",
        sends=(),
        expects=(
            Expect(
                account_id=LATECOMER,
                tier=Tier.UNALLOCATED,
                breaker=BreakerState.SUSPENDED,
                unexplained="113",
            ),
        ),
        deed=Deed.REGISTER,
    )
