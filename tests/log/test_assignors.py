"""Which member gets which partition: the same numbers of every topic, whoever joins."""

from typing import Any

import pytest

from recon_streams.log import aiokafka_untyped as untyped
from topics.catalogue import by_name

TOPICS = ("recon.positions", "recon.ticks")


class Cluster:
    """What an assignor asks of a cluster."""

    def partitions_for_topic(self, _topic: str) -> set[int]:
        return set(range(12))


@pytest.mark.parametrize("members", [1, 2, 3, 5, 12, 13])
def test_ticks_and_positions_of_an_account_go_to_one_member(members: int) -> None:
    assignor: Any = untyped.ASSIGNORS[0]
    joined = {f"m-{number}": assignor.metadata(TOPICS) for number in range(members)}
    dealt = assignor.assign(Cluster(), joined)
    for member in joined:
        found = dict(dealt[member].assignment)
        assert found.get("recon.ticks") == found.get("recon.positions")


def test_a_member_offers_one_assignor_because_its_client_joins_once_for_each() -> None:
    assert len(untyped.ASSIGNORS) == 1


def test_both_topics_have_the_same_partitions_and_key() -> None:
    positions, ticks = (by_name(name) for name in TOPICS)
    assert positions.partitions == ticks.partitions
    assert positions.key in ticks.key
