"""The agent for `ledger.movements`: what the ledger did or announces."""

from faust.types import AgentT, StreamT

from agents.consume import ConsumeParts, consume
from recon_streams.log.record import Batch
from recon_streams.runtime.batch_topic import BatchTopic, batches_of
from recon_streams.runtime.faust_app import ReconApp


def attach(app: ReconApp, topic: BatchTopic, parts: ConsumeParts) -> AgentT[None]:
    """Subscribe to `topic`; the agent lives as long as `app`."""

    async def ledger_movements(batches: StreamT[Batch]) -> None:
        """Take each ledger movement into the position of its account."""
        await consume(parts, batches_of(batches))

    return app.agent(topic.channel, name="agents.ledger_movements")(ledger_movements)
