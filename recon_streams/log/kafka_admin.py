"""Declaring topics on Kafka, and saying how the real ones differ from their plans."""

from collections.abc import Sequence
from typing import Any, Self

from aiokafka.errors import for_code

from recon_streams.log import aiokafka_untyped as untyped
from recon_streams.log.errors import TopicRefused, UnknownTopic
from recon_streams.log.kafka_connection import KafkaConnection, closed, connected
from recon_streams.log.topic_plan import TopicDifference, TopicPlan, is_compacting

_DYNAMIC_TOPIC_CONFIG = 1  # where a value comes from: set on this topic, not a default


class KafkaAdmin:
    """`LogAdmin` on Kafka. Connects for each call: it is used at deployment, not at run time."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._connection = connection

    async def differences(self, plans: Sequence[TopicPlan]) -> list[TopicDifference]:
        """See `LogAdmin.differences`."""
        async with _Session(self._connection) as session:
            return await session.differences(plans)

    async def apply(self, plans: Sequence[TopicPlan]) -> list[TopicDifference]:
        """See `LogAdmin.apply`. Raises `TopicRefused` where the brokers do not agree."""
        async with _Session(self._connection) as session:
            todo = [each for each in await session.differences(plans) if each.can_be_applied]
            missing = {each.topic for each in todo if each.aspect == "existence"}
            changed = {each.topic for each in todo} - missing
            await session.create([plan for plan in plans if plan.name in missing])
            for plan in plans:
                if plan.name in changed:
                    await session.configure(plan)
            return todo


async def is_compacted(connection: KafkaConnection, topic: str) -> bool:
    """Return whether `topic` is compacted now."""
    async with _Session(connection) as session:
        config = await session.config(topic)
    return is_compacting(config["cleanup.policy"][0])


class _Session:
    def __init__(self, connection: KafkaConnection) -> None:
        self._connection = connection
        self._client: Any = None

    async def __aenter__(self) -> Self:
        self._client = await connected(
            self._connection,
            lambda: untyped.admin_client(**self._connection.client_arguments()),
            start=lambda client: client.start(),
            stop=lambda client: client.close(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await closed(self._client.close())

    async def differences(self, plans: Sequence[TopicPlan]) -> list[TopicDifference]:
        # All topics are listed, for asking after one by name would create it on some brokers.
        real = {each["topic"]: each["partitions"] for each in await self._client.describe_topics()}
        found: list[TopicDifference] = []
        for plan in plans:
            partitions = real.get(plan.name)
            if partitions is None:
                wanted = f"{plan.partitions} partitions"
                found.append(
                    TopicDifference(plan.name, "existence", None, wanted, can_be_applied=True)
                )
                continue
            copies = max(len(each["replicas"]) for each in partitions)
            counts = {
                "partitions": (len(partitions), plan.partitions),
                "replication_factor": (copies, plan.replication_factor),
            }
            for aspect, (is_now, planned) in counts.items():
                if is_now != planned:
                    found.append(
                        TopicDifference(
                            plan.name, aspect, str(is_now), str(planned), can_be_applied=False
                        )
                    )
            found += _config_differences(plan, await self.config(plan.name))
        return found

    async def create(self, plans: Sequence[TopicPlan]) -> None:
        if not plans:
            return
        topics = [
            untyped.new_topic(
                plan.name,
                plan.partitions,
                plan.replication_factor,
                topic_configs=dict(plan.config),
            )
            for plan in plans
        ]
        answer = await self._client.create_topics(topics)
        for topic, code, *message in answer.topic_errors:
            # Somebody who declares the same topics at the same moment is no trouble.
            if code and for_code(code).__name__ != "TopicAlreadyExistsError":
                raise TopicRefused(topic, str(message[0] if message else for_code(code).__name__))

    async def config(self, topic: str) -> dict[str, tuple[str, bool]]:
        """Return each setting of `topic`: its value, and whether it was set on the topic itself."""
        (answer,) = await self._client.describe_configs([untyped.topic_resource(topic)])
        ((code, message, _, _, entries),) = answer.resources
        if code:
            if for_code(code).__name__ == "UnknownTopicOrPartitionError":
                raise UnknownTopic(topic)
            raise TopicRefused(topic, str(message))
        return {
            name: (value, source == _DYNAMIC_TOPIC_CONFIG) for name, value, _, source, *_ in entries
        }

    async def configure(self, plan: TopicPlan) -> None:
        # The request replaces all settings of the topic, so those not planned are sent along.
        kept = {name: value for name, (value, own) in (await self.config(plan.name)).items() if own}
        resource = untyped.topic_resource(plan.name, {**kept, **plan.config})
        answer, *_ = await self._client.alter_configs([resource])
        for code, message, *_ in answer.resources:
            if code:
                raise TopicRefused(plan.name, str(message))


def _config_differences(
    plan: TopicPlan, config: dict[str, tuple[str, bool]]
) -> list[TopicDifference]:
    found = []
    for name, planned in plan.config.items():
        is_now = config.get(name, (None, False))[0]
        if is_now != planned:
            found.append(TopicDifference(plan.name, name, is_now, planned, can_be_applied=True))
    return found
