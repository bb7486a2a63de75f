"""The topics recon-streams reads: what senders must know, and what becomes of their records."""

from datetime import timedelta
from typing import Final

from topics import bank_notifications, bank_reports, bank_statements
from topics.bank_balances import BANK_ANSWER_TYPES
from topics.breaker_acks import BreakerAck
from topics.commands import COMMAND_TYPES
from topics.contract import (
    INPUT_PARTITIONS,
    XML_BYTES,
    Direction,
    TopicContract,
)
from topics.ledger_balances import LedgerBalance
from topics.ledger_movements import LEDGER_RECORD_TYPES
from topics.ticks import TICK_TYPES

REFUSED_INPUT: Final = (
    "The record goes to quarantine with its bytes, a reason code, the field and the rule; its "
    "neighbours go on. `recon.quarantine` says so, and `recon-streams quarantine replay` takes it "
    "in again once the cause is gone."
)

INPUTS: Final[tuple[TopicContract, ...]] = (
    TopicContract(
        name="bank.notifications",
        aliases=bank_notifications.ALIASES,
        direction=Direction.INPUT,
        summary="A bank's debit and credit notification (ISO 20022 camt.054), byte for byte.",
        key="free; one bank account per key keeps its notifications in order",
        content_type=bank_notifications.CONTENT_TYPE,
        partitions=INPUT_PARTITIONS,
        retention=timedelta(days=30),
        message_bytes_max=XML_BYTES,
        producers=("bank gateway", "`recon-streams publish`"),
        consumers=("recon-streams",),
        promise="The value is the XML as the bank sent it: any version from 01 to 14, any encoding "
        "XML allows, with or without an envelope. A payment reported twice moves a balance once, "
        "and the bytes are kept as evidence.",
        when_wrong=f"{REFUSED_INPUT} A message of several accounts is taken in for the accounts "
        "that can be understood; the rest is held.",
    ),
    TopicContract(
        name="bank.reports",
        aliases=bank_reports.ALIASES,
        direction=Direction.INPUT,
        summary="A bank's report during the day (ISO 20022 camt.052), byte for byte.",
        key="free; one bank account per key keeps its reports in order",
        content_type=bank_reports.CONTENT_TYPE,
        partitions=INPUT_PARTITIONS,
        retention=timedelta(days=30),
        message_bytes_max=XML_BYTES,
        producers=("bank gateway", "`recon-streams publish`"),
        consumers=("recon-streams",),
        promise="Increments and repetitions of the whole day are both understood. What a "
        "notification announced is confirmed, never booked again; a balance is compared with what "
        "is known, never taken over.",
        when_wrong=f"{REFUSED_INPUT} A message of several accounts is taken in for the accounts "
        "that can be understood; the rest is held.",
    ),
    TopicContract(
        name="bank.statements",
        aliases=bank_statements.ALIASES,
        direction=Direction.INPUT,
        summary="A bank's statement of a day (ISO 20022 camt.053), byte for byte.",
        key="free; one bank account per key keeps its statements in order",
        content_type=bank_statements.CONTENT_TYPE,
        partitions=INPUT_PARTITIONS,
        retention=timedelta(days=30),
        message_bytes_max=XML_BYTES,
        producers=("bank gateway", "`recon-streams publish`"),
        consumers=("recon-streams",),
        promise="A statement that is whole and adds up becomes the bank's figure for its day, "
        "whatever the order statements arrive in; another version of it takes its place. One that "
        "does not add up changes nothing.",
        when_wrong=f"{REFUSED_INPUT} The exact difference of a statement that does not add up is "
        "in the notice and in a discrepancy.",
    ),
    TopicContract(
        name="ledger.movements",
        direction=Direction.INPUT,
        summary="What the ledger did, or announces it is about to do, one record per account.",
        key="`account_id`; keeps the records of an account in order",
        record_types=LEDGER_RECORD_TYPES,
        partitions=INPUT_PARTITIONS,
        retention=timedelta(days=30),
        producers=("ledger", "payout service", "`recon-streams publish`"),
        consumers=("recon-streams",),
        promise="A record sent again with the same `movement_id` and the same content changes "
        "nothing. Order of arrival does not change the final position: `ledger_sequence` says "
        "what came first. It does change the verdicts on the way, and a breaker that opened stays "
        "open: publish the records of an account in order, under one key.",
        when_wrong=REFUSED_INPUT,
    ),
    TopicContract(
        name="ledger.balances",
        direction=Direction.INPUT,
        summary="The ledger's own absolute figure for an account.",
        key="`account_id`; keeps the records of an account in order",
        record_types=(LedgerBalance,),
        partitions=INPUT_PARTITIONS,
        retention=timedelta(days=30),
        producers=("ledger", "`recon-streams publish`"),
        consumers=("recon-streams",),
        promise="A balance replaces the sum of the movements up to its `ledger_sequence`; later "
        "movements are added to it. An older balance never replaces a newer one.",
        when_wrong=REFUSED_INPUT,
    ),
    TopicContract(
        name="bank.balances",
        direction=Direction.INPUT,
        summary="What a bank answered when it was asked for a booked balance, or that it did not.",
        key="`account_id`; keeps the answers about an account in order",
        record_types=BANK_ANSWER_TYPES,
        partitions=INPUT_PARTITIONS,
        retention=timedelta(days=30),
        producers=("recon-streams worker", "`recon-streams publish`"),
        consumers=("recon-streams",),
        promise="A balance is compared with the position as of its own instant, and never moves "
        "it. One that is too old proves nothing. The answer to a question counts once.",
        when_wrong=REFUSED_INPUT,
    ),
    TopicContract(
        name="recon.ticks",
        direction=Direction.INPUT,
        summary="An instant that was due has come: a sweep, the end of a window, a day's closing.",
        key="`account:<account_id>:<currency>`, or `all`",
        record_types=TICK_TYPES,
        partitions=INPUT_PARTITIONS,
        retention=timedelta(days=30),
        producers=("recon-streams publisher",),
        consumers=("recon-streams",),
        promise="Each due instant stands here, however long the schedule stood still, in order for "
        "each account. One may come twice, and has its effect once.",
        when_wrong=REFUSED_INPUT,
    ),
    TopicContract(
        name="recon.breaker.acks",
        direction=Direction.INPUT,
        summary="A payout service says how far it has followed the breaker, and what it denies.",
        key="`client_id`; keeps what a service says in order",
        record_types=(BreakerAck,),
        retention=timedelta(days=7),
        producers=("payout services",),
        consumers=("recon-streams",),
        promise="A denial that a registered service has not acknowledged within seconds is the "
        "loudest page there is. What is acknowledged changes no permit: those hang on the lease.",
        when_wrong=REFUSED_INPUT,
    ),
    TopicContract(
        name="recon.commands",
        direction=Direction.INPUT,
        summary="Another system stops a scope: something only a person could take back.",
        key="the scope",
        record_types=COMMAND_TYPES,
        retention=timedelta(days=30),
        producers=("fraud and risk systems", "`recon-streams breaker drill`"),
        consumers=("recon-streams",),
        promise="A command only ever makes payouts safer: nothing on this topic can start what "
        "was stopped. Said again under its `command_id` it changes nothing. Whoever may write "
        "here can stop all payouts, so its access list is short.",
        when_wrong=REFUSED_INPUT,
    ),
)
