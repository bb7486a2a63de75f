"""The agent for `bank.statements`: what the bank says of the day, camt.053 by camt.053."""

from faust.types import AgentT, StreamT

from agents.consume import ConsumeParts, consume
from recon_streams.log.record import Batch
from recon_streams.runtime.batch_topic import BatchTopic, batches_of
from recon_streams.runtime.faust_app import ReconApp


def attach(app: ReconApp, topic: BatchTopic, parts: ConsumeParts) -> AgentT[None]:
    """Subscribe to `topic`; the agent lives as long as `app`."""

    async def bank_statements(batches: StreamT[Batch]) -> None:
        """Take each statement into the positions of its accounts."""
        await consume(parts, batches_of(batches))

    return app.agent(topic.channel, name="agents.bank_statements")(bank_statements)
