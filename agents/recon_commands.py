"""The agent for `recon.commands`: another system stops a scope."""

from faust.types import AgentT, StreamT

from agents.consume import ConsumeParts, consume
from recon_streams.log.record import Batch
from recon_streams.runtime.batch_topic import BatchTopic, batches_of
from recon_streams.runtime.faust_app import ReconApp


def attach(app: ReconApp, topic: BatchTopic, parts: ConsumeParts) -> AgentT[None]:
    """Subscribe to `topic`; the agent lives as long as `app`."""

    async def recon_commands(batches: StreamT[Batch]) -> None:
        """Open the breakers that other systems ask to be opened."""
        await consume(parts, batches_of(batches))

    return app.agent(topic.channel, name="agents.recon_commands")(recon_commands)
