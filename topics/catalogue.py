"""Every topic there is: who writes it, who reads it, its key, and what is promised.

The one list from which topics are created, inputs are routed, and the reference page, the schemas
and the AsyncAPI document are generated. A topic that is not here does not exist.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from topics import bank_notifications, bank_reports, bank_statements
from topics.alerts import Alert
from topics.bank_balances import BANK_ANSWER_TYPES
from topics.breaker import BreakerEvent, BreakerRecord, LeaseRecord
from topics.discrepancies import DiscrepancyRecord
from topics.ledger_balances import LedgerBalance
from topics.ledger_movements import LEDGER_RECORD_TYPES
from topics.positions import Position
from topics.quarantine import QuarantineNotice
from topics.reports import ReportRecord
from topics.ticks import TICK_TYPES

JSON: Final = "application/json"

# Kafka's own default. The limit is per batch of a producer, not per record, so it cannot be the
# 64 KiB a JSON record may have: a producer with larger batches would be refused good records.
_BATCH_BYTES: Final = 1_048_588
# More than the 50 MB the reader takes in, so that a message too large reaches quarantine with a
# reason instead of failing in the bank's gateway without one.
_XML_BYTES: Final = 50 * 1024 * 1024


@unique
class Direction(StrEnum):
    """Seen from recon-streams."""

    INPUT = "input"
    OUTPUT = "output"


class TopicContract(msgspec.Struct, frozen=True, kw_only=True):
    """A topic as its writers and readers may rely on it.

    Attributes:
        name: The topic.
        aliases: Other topics read as if they were this one.
        summary: One sentence: what a record says.
        key: What the record key is; it orders, and on compacted topics it replaces.
        content_type: Media type of the value.
        record_types: The records it carries; empty where the value is not JSON.
        partitions: How many when nothing else is configured. Fixed at birth: raising it moves keys.
        cleanup_policy: `compact` keeps the newest record per key for ever, `delete` all for a time.
        retention: How long a record stays; None on compacted topics.
        compaction_lag_min: How long at least a record stays that a newer one has replaced.
        compaction_lag_max: How long at most, so that a reader starting anew has a bounded wait.
        timestamp_type: Arrival counts, and only the broker's clock says when that was.
        message_bytes_max: Largest batch of records the broker takes.
        producers: Who writes.
        consumers: Who reads.
        promise: What readers may rely on.
        when_wrong: What happens to, or what to do with, a record that is not as it should be.
    """

    name: str
    direction: Direction
    summary: str
    key: str
    promise: str
    when_wrong: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    record_types: tuple[type[msgspec.Struct], ...] = ()
    aliases: tuple[str, ...] = ()
    content_type: str = JSON
    partitions: int = 1
    cleanup_policy: Literal["delete", "compact"] = "delete"
    retention: timedelta | None = None
    compaction_lag_min: timedelta | None = None
    compaction_lag_max: timedelta | None = None
    timestamp_type: Literal["LogAppendTime"] = "LogAppendTime"
    message_bytes_max: int = _BATCH_BYTES


_INPUT_PARTITIONS: Final = 12
_REFUSED_INPUT: Final = (
    "The record goes to quarantine with its bytes, a reason code, the field and the rule; its "
    "neighbours go on. `recon.quarantine` says so, and `recon-streams quarantine replay` takes it "
    "in again once the cause is gone."
)
_UNKNOWN_FIELDS: Final = "Ignore fields you do not know: they may be added at any time."

CATALOGUE: Final[tuple[TopicContract, ...]] = (
    TopicContract(
        name="bank.notifications",
        aliases=bank_notifications.ALIASES,
        direction=Direction.INPUT,
        summary="A bank's debit and credit notification (ISO 20022 camt.054), byte for byte.",
        key="free; one bank account per key keeps its notifications in order",
        content_type=bank_notifications.CONTENT_TYPE,
        partitions=_INPUT_PARTITIONS,
        retention=timedelta(days=30),
        message_bytes_max=_XML_BYTES,
        producers=("bank gateway", "`recon-streams publish`"),
        consumers=("recon-streams",),
        promise="The value is the XML as the bank sent it: any version from 01 to 14, any encoding "
        "XML allows, with or without an envelope. A payment reported twice moves a balance once, "
        "and the bytes are kept as evidence.",
        when_wrong=f"{_REFUSED_INPUT} A message of several accounts is taken in for the accounts "
        "that can be understood; the rest is held.",
    ),
    TopicContract(
        name="bank.reports",
        aliases=bank_reports.ALIASES,
        direction=Direction.INPUT,
        summary="A bank's report during the day (ISO 20022 camt.052), byte for byte.",
        key="free; one bank account per key keeps its reports in order",
        content_type=bank_reports.CONTENT_TYPE,
        partitions=_INPUT_PARTITIONS,
        retention=timedelta(days=30),
        message_bytes_max=_XML_BYTES,
        producers=("bank gateway", "`recon-streams publish`"),
        consumers=("recon-streams",),
        promise="Increments and repetitions of the whole day are both understood. What a "
        "notification announced is confirmed, never booked again; a balance is compared with what "
        "is known, never taken over.",
        when_wrong=f"{_REFUSED_INPUT} A message of several accounts is taken in for the accounts "
        "that can be understood; the rest is held.",
    ),
    TopicContract(
        name="bank.statements",
        aliases=bank_statements.ALIASES,
        direction=Direction.INPUT,
        summary="A bank's statement of a day (ISO 20022 camt.053), byte for byte.",
        key="free; one bank account per key keeps its statements in order",
        content_type=bank_statements.CONTENT_TYPE,
        partitions=_INPUT_PARTITIONS,
        retention=timedelta(days=30),
        message_bytes_max=_XML_BYTES,
        producers=("bank gateway", "`recon-streams publish`"),
        consumers=("recon-streams",),
        promise="A statement that is whole and adds up becomes the bank's figure for its day, "
        "whatever the order statements arrive in; another version of it takes its place. One that "
        "does not add up changes nothing.",
        when_wrong=f"{_REFUSED_INPUT} The exact difference of a statement that does not add up is "
        "in the notice and in a discrepancy.",
    ),
    TopicContract(
        name="ledger.movements",
        direction=Direction.INPUT,
        summary="What the ledger did, or announces it is about to do, one record per account.",
        key="`account_id`; keeps the records of an account in order",
        record_types=LEDGER_RECORD_TYPES,
        partitions=_INPUT_PARTITIONS,
        retention=timedelta(days=30),
        producers=("ledger", "payout service", "`recon-streams publish`"),
        consumers=("recon-streams",),
        promise="A record sent again with the same `movement_id` and the same content changes "
        "nothing. Order of arrival does not change the final position: `ledger_sequence` says "
        "what came first. It does change the verdicts on the way, and a breaker that opened stays "
        "open: publish the records of an account in order, under one key.",
        when_wrong=_REFUSED_INPUT,
    ),
    TopicContract(
        name="ledger.balances",
        direction=Direction.INPUT,
        summary="The ledger's own absolute figure for an account.",
        key="`account_id`; keeps the records of an account in order",
        record_types=(LedgerBalance,),
        partitions=_INPUT_PARTITIONS,
        retention=timedelta(days=30),
        producers=("ledger", "`recon-streams publish`"),
        consumers=("recon-streams",),
        promise="A balance replaces the sum of the movements up to its `ledger_sequence`; later "
        "movements are added to it. An older balance never replaces a newer one.",
        when_wrong=_REFUSED_INPUT,
    ),
    TopicContract(
        name="bank.balances",
        direction=Direction.INPUT,
        summary="What a bank answered when it was asked for a booked balance, or that it did not.",
        key="`account_id`; keeps the answers about an account in order",
        record_types=BANK_ANSWER_TYPES,
        partitions=_INPUT_PARTITIONS,
        retention=timedelta(days=30),
        producers=("recon-streams worker", "`recon-streams publish`"),
        consumers=("recon-streams",),
        promise="A balance is compared with the position as of its own instant, and never moves "
        "it. One that is too old proves nothing. The answer to a question counts once.",
        when_wrong=_REFUSED_INPUT,
    ),
    TopicContract(
        name="recon.ticks",
        direction=Direction.INPUT,
        summary="An instant that was due has come: a sweep, the end of a window, a day's closing.",
        key="`account:<account_id>:<currency>`, or `all`",
        record_types=TICK_TYPES,
        partitions=_INPUT_PARTITIONS,
        retention=timedelta(days=30),
        producers=("recon-streams publisher",),
        consumers=("recon-streams",),
        promise="Each due instant stands here, however long the schedule stood still, in order for "
        "each account. One may come twice, and has its effect once.",
        when_wrong=_REFUSED_INPUT,
    ),
    TopicContract(
        name="recon.positions",
        direction=Direction.OUTPUT,
        summary="The newest ledger-versus-bank position of each account.",
        key="`account:<account_id>:<currency>`",
        record_types=(Position,),
        partitions=_INPUT_PARTITIONS,
        cleanup_policy="compact",
        compaction_lag_max=timedelta(days=1),
        producers=("recon-streams publisher",),
        consumers=("treasury", "dashboards", "recon-streams"),
        promise="Records are absolute, not changes: reading the topic once from its start gives "
        "every position. Of two records of an account the one with the higher `version` counts. "
        "A record may come twice, with the same version.",
        when_wrong=f"{_UNKNOWN_FIELDS} Read an unknown tier as CRITICAL.",
    ),
    TopicContract(
        name="recon.breaker",
        direction=Direction.OUTPUT,
        summary="May I pay from this account now? The newest state per scope, and the lease.",
        key="the scope, `account:<account_id>:<currency>`; or `_lease`",
        record_types=(BreakerRecord, LeaseRecord),
        cleanup_policy="compact",
        compaction_lag_min=timedelta(hours=24),
        compaction_lag_max=timedelta(hours=48),
        producers=("recon-streams publisher",),
        consumers=("payout services",),
        promise="Denials never expire. CLOSED permits only under a lease received less than "
        "`ttl_ms` ago, so silence means no. One partition: one order for all scopes and the lease.",
        when_wrong=f"{_UNKNOWN_FIELDS} Deny on anything else that is not as it should be: an "
        "unknown state, an unknown schema version, a record that cannot be read, no value at all.",
    ),
    TopicContract(
        name="recon.breaker.events",
        direction=Direction.OUTPUT,
        summary="Every transition of the breaker, with the evidence it rests on.",
        key="the scope",
        record_types=(BreakerEvent,),
        retention=timedelta(days=400),
        producers=("recon-streams publisher",),
        consumers=("audit", "dashboards"),
        promise="Each transition stands here once per (scope, epoch, seq); a record may come twice "
        "with the same triple. Kept for 400 days.",
        when_wrong=_UNKNOWN_FIELDS,
    ),
    TopicContract(
        name="recon.alerts",
        direction=Direction.OUTPUT,
        summary="One alert per cause, and its end.",
        key="`dedup_key`",
        record_types=(Alert,),
        retention=timedelta(days=30),
        producers=("recon-streams publisher",),
        consumers=("on-call", "alert routers"),
        promise="The same cause has the same `dedup_key`, from its first `trigger` to its "
        "`resolve`. No names and no account numbers of people or banks.",
        when_wrong=f"{_UNKNOWN_FIELDS} Read an unknown severity as `critical`.",
    ),
    TopicContract(
        name="recon.discrepancies",
        direction=Direction.OUTPUT,
        summary="What is wrong between ledger and bank, one discrepancy per cause, and its end.",
        key="`id`",
        record_types=(DiscrepancyRecord,),
        cleanup_policy="compact",
        compaction_lag_max=timedelta(days=1),
        producers=("recon-streams publisher",),
        consumers=("treasury", "dashboards", "ticket systems"),
        promise="Records are absolute: reading the topic once from its start gives every "
        "discrepancy. Of two records of an id the one with the higher `version` counts. A cause "
        "that comes back keeps its id. RESOLVED is said only by proof or by a person; that nothing "
        "is said means nothing. No names and no account numbers of people or banks.",
        when_wrong=f"{_UNKNOWN_FIELDS} New kinds may appear. Read an unknown state as OPEN and an "
        "unknown severity as `critical`.",
    ),
    TopicContract(
        name="recon.quarantine",
        direction=Direction.OUTPUT,
        summary="An input that could not be used: which field broke which rule.",
        key="the topic of the refused input",
        record_types=(QuarantineNotice,),
        retention=timedelta(days=90),
        producers=("recon-streams publisher",),
        consumers=("senders of inputs",),
        promise="Every refused input is named here by topic, partition and offset. The bytes stay "
        "in the book under their hash, and never appear here.",
        when_wrong=f"{_UNKNOWN_FIELDS} New codes may appear.",
    ),
    TopicContract(
        name="recon.reports",
        direction=Direction.OUTPUT,
        summary="A report of a day or of a sweep window: its hash, its totals, and the dataset.",
        key="what all versions of a report share, such as `eod-2026-11-20`",
        record_types=(ReportRecord,),
        retention=timedelta(days=400),
        producers=("recon-streams publisher",),
        consumers=("treasury", "audit", "archives"),
        promise="Each version of a report stands here once; a record may come twice with the same "
        "hash. A report is never changed: later facts make a higher version, which names the hash "
        "it corrects. Datasets too large for a record are exported by `report_id`, and kept.",
        when_wrong=f"{_UNKNOWN_FIELDS} Read an unknown tier as CRITICAL. A dataset that does not "
        "have the hash was altered: do not use it.",
    ),
)

_BY_NAME: Final[Mapping[str, TopicContract]] = MappingProxyType(
    {name: contract for contract in CATALOGUE for name in (contract.name, *contract.aliases)}
)


def by_name(name: str) -> TopicContract:
    """Return the contract of the topic called `name`, which may be an alias.

    Raises:
        KeyError: no topic has that name.
    """
    return _BY_NAME[name]


def inputs() -> tuple[TopicContract, ...]:
    """Return the topics recon-streams reads from others."""
    return tuple(contract for contract in CATALOGUE if contract.direction is Direction.INPUT)


def outputs() -> tuple[TopicContract, ...]:
    """Return the topics recon-streams writes."""
    return tuple(contract for contract in CATALOGUE if contract.direction is Direction.OUTPUT)


def kafka_config(contract: TopicContract) -> dict[str, str]:
    """Return the topic's settings in Kafka's names and spellings.

    How many copies must confirm a write depends on the cluster and is left to the caller.
    """
    config = {
        "cleanup.policy": contract.cleanup_policy,
        "message.timestamp.type": contract.timestamp_type,
        "max.message.bytes": str(contract.message_bytes_max),
    }
    if contract.cleanup_policy == "delete":
        config["retention.ms"] = _milliseconds(contract.retention)
        return config
    if contract.compaction_lag_min is not None:
        config["min.compaction.lag.ms"] = _milliseconds(contract.compaction_lag_min)
    if contract.compaction_lag_max is not None:
        config["max.compaction.lag.ms"] = _milliseconds(contract.compaction_lag_max)
    # Compaction leaves the segment in use alone. Kafka's default of a week would make a reader of
    # the breaker go through 200,000 leases before it may permit anything.
    config["segment.ms"] = _milliseconds(timedelta(hours=1))
    return config


def _milliseconds(duration: timedelta | None) -> str:
    return "-1" if duration is None else str(duration // timedelta(milliseconds=1))
