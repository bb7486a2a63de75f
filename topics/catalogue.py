"""Every topic there is: who writes it, who reads it, its key, and what is promised.

The one list from which topics are created, inputs are routed, and the reference page, the schemas
and the AsyncAPI document are generated. A topic that is not here does not exist.
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from topics.contract import TopicContract
from topics.inputs import INPUTS
from topics.outputs import OUTPUTS

CATALOGUE: Final[tuple[TopicContract, ...]] = (*INPUTS, *OUTPUTS)

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
    return INPUTS


def outputs() -> tuple[TopicContract, ...]:
    """Return the topics recon-streams writes."""
    return OUTPUTS


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
