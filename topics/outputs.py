"""The topics recon-streams writes: what readers may rely on."""

from datetime import timedelta
from typing import Final

from topics.alerts import Alert
from topics.breaker import (
    ALGORITHM,
    ALGORITHM_HEADER,
    KEY_ID_HEADER,
    SIGNATURE_HEADER,
    BreakerEvent,
    BreakerRecord,
    LeaseRecord,
)
from topics.contract import (
    INPUT_PARTITIONS,
    UNKNOWN_FIELDS,
    Direction,
    TopicContract,
)
from topics.discrepancies import DiscrepancyRecord
from topics.positions import Position
from topics.quarantine import QuarantineNotice
from topics.reports import ReportRecord

OUTPUTS: Final[tuple[TopicContract, ...]] = (
    TopicContract(
        name="recon.positions",
        direction=Direction.OUTPUT,
        summary="The newest ledger-versus-bank position of each account.",
        key="`account:<account_id>:<currency>`",
        record_types=(Position,),
        partitions=INPUT_PARTITIONS,
        cleanup_policy="compact",
        compaction_lag_max=timedelta(days=1),
        producers=("recon-streams publisher",),
        consumers=("treasury", "dashboards", "recon-streams"),
        promise="Records are absolute, not changes: reading the topic once from its start gives "
        "every position. Of two records of an account the one with the higher `version` counts. "
        "A record may come twice, with the same version.",
        when_wrong=f"{UNKNOWN_FIELDS} Read an unknown tier as CRITICAL.",
    ),
    TopicContract(
        name="recon.breaker",
        direction=Direction.OUTPUT,
        summary="May I pay from this account now? The newest state per scope, and the lease.",
        key="the scope, `account:<account_id>:<currency>`; or `_lease`",
        headers=(
            (ALGORITHM_HEADER, f"`{ALGORITHM.decode()}`"),
            (KEY_ID_HEADER, "the RFC 7638 thumbprint of the public key, as text"),
            (SIGNATURE_HEADER, "the 64 bytes of the signature over the bytes of the value"),
        ),
        record_types=(BreakerRecord, LeaseRecord),
        cleanup_policy="compact",
        compaction_lag_min=timedelta(hours=24),
        compaction_lag_max=timedelta(hours=48),
        producers=("recon-streams publisher",),
        consumers=("payout services",),
        promise="Denials never expire. CLOSED permits only under a lease that has not run out, so "
        "silence means no. One partition: one order for all scopes and the lease. Every record is "
        "signed with Ed25519 (RFC 8032) by one of the operator's keys, which `recon-streams keys "
        "public` lists.",
        when_wrong=f"{UNKNOWN_FIELDS} Deny on anything else that is not as it should be: no value, "
        "over 1 MiB, not signed or not by a key that you have pinned, JSON that cannot be read, an "
        "unknown schema version, another scope than the key, an unknown state. What to answer in "
        "each case is in `conformance/breaker-guard.json`, with records to try it on.",
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
        when_wrong=UNKNOWN_FIELDS,
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
        "`resolve`. Of two records of a key the one with the higher `version` counts; a record may "
        "come twice, with the same version. No names and no account numbers of people or banks.",
        when_wrong=f"{UNKNOWN_FIELDS} Read an unknown severity as `critical`.",
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
        when_wrong=f"{UNKNOWN_FIELDS} New kinds may appear. Read an unknown state as OPEN and an "
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
        when_wrong=f"{UNKNOWN_FIELDS} New codes may appear.",
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
        when_wrong=f"{UNKNOWN_FIELDS} Read an unknown tier as CRITICAL. A dataset that does not "
        "have the hash was altered: do not use it.",
    ),
)
