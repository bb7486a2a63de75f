"""The agent for `recon.ticks`: what was due is decided, beside the positions it is about."""

from faust.types import AgentT, StreamT

from agents.consume import ConsumeParts, consume
from recon_streams.log.record import Batch
from recon_streams.runtime.batch_topic import BatchTopic, batches_of
from recon_streams.runtime.faust_app import ReconApp


def attach(app: ReconApp, topic: BatchTopic, parts: ConsumeParts) -> AgentT[None]:
    """Subscribe to `topic`; the agent lives as long as `app`."""

    async def recon_ticks(batches: StreamT[Batch]) -> None:
        """Let every instant that was due have its effect, once."""
        await consume(parts, batches_of(batches))

    return app.agent(topic.channel, name="agents.recon_ticks")(recon_ticks)
