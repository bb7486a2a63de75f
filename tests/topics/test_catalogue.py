"""The catalogue is the one list of topics: complete, consistent, and spelled as Kafka spells it."""

from datetime import timedelta

import pytest

from topics.breaker import BreakerRecord, LeaseRecord
from topics.catalogue import CATALOGUE, by_name, inputs, kafka_config, outputs
from topics.contract import TopicContract


def test_every_topic_has_one_name_and_no_alias_is_taken_twice() -> None:
    names = [name for contract in CATALOGUE for name in (contract.name, *contract.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "name",
    [
        "bank.notifications",
        "iso20022.camt.054",
        "bank.notifications.credit",
        "bank.notifications.debit",
    ],
)
def test_an_alias_leads_to_the_topic_it_stands_for(name: str) -> None:
    assert by_name(name).name == "bank.notifications"


def test_a_name_nobody_declared_is_not_a_topic() -> None:
    with pytest.raises(KeyError):
        by_name("bank.notification")


def test_inputs_and_outputs_are_the_whole_catalogue() -> None:
    assert {c.name for c in inputs()} == {
        "bank.balances",
        "bank.notifications",
        "bank.reports",
        "bank.statements",
        "ledger.movements",
        "ledger.balances",
        "recon.ticks",
        "recon.breaker.acks",
        "recon.commands",
    }
    assert set(inputs()) | set(outputs()) == set(CATALOGUE)
    assert not set(inputs()) & set(outputs())


def test_the_breaker_has_one_order_and_keeps_what_late_readers_need() -> None:
    breaker = by_name("recon.breaker")
    assert breaker.partitions == 1
    assert breaker.record_types == (BreakerRecord, LeaseRecord)
    config = kafka_config(breaker)
    assert config["cleanup.policy"] == "compact"
    assert config["min.compaction.lag.ms"] == str(24 * 3600 * 1000)
    assert "retention.ms" not in config


def test_transitions_are_kept_for_400_days_at_least() -> None:
    retention = by_name("recon.breaker.events").retention
    assert retention is not None
    assert retention >= timedelta(days=400)


@pytest.mark.parametrize("contract", CATALOGUE, ids=lambda contract: contract.name)
def test_every_topic_is_stamped_by_the_broker_and_bounded(contract: TopicContract) -> None:
    config = kafka_config(contract)
    assert config["message.timestamp.type"] == "LogAppendTime"
    assert config["cleanup.policy"] in {"compact", "delete"}
    assert all(isinstance(value, str) for value in config.values())
    assert int(config["max.message.bytes"]) > 0
    if contract.cleanup_policy == "delete":
        assert int(config["retention.ms"]) > 0


def test_a_notification_larger_than_kafka_allows_by_default_still_arrives() -> None:
    assert int(kafka_config(by_name("bank.notifications"))["max.message.bytes"]) > 50_000_000


def test_topics_keyed_by_account_have_the_same_number_of_partitions() -> None:
    by_others = ("recon.breaker.acks", "recon.commands")
    keyed = [each for each in inputs() if each.name not in by_others]
    keyed.append(by_name("recon.positions"))
    assert len({contract.partitions for contract in keyed}) == 1
