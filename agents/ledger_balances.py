"""The agent for `ledger.balances`: the ledger's own absolute figures."""

from faust.types import AgentT, StreamT

from agents.consume import ConsumeParts, consume
from recon_streams.log.record import Batch
from recon_streams.runtime.batch_topic import BatchTopic, batches_of
from recon_streams.runtime.faust_app import ReconApp


def attach(app: ReconApp, topic: BatchTopic, parts: ConsumeParts) -> AgentT[None]:
    """Subscribe to `topic`; the agent lives as long as `app`."""

    async def ledger_balances(batches: StreamT[Batch]) -> None:
        """Anchor the position of each account on what the ledger states."""
        await consume(parts, batches_of(batches))

    return app.agent(topic.channel, name="agents.ledger_balances")(ledger_balances)
