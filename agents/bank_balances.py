"""The agent for `bank.balances`: what banks answered when they were asked."""

from faust.types import AgentT, StreamT

from agents.consume import ConsumeParts, consume
from recon_streams.log.record import Batch
from recon_streams.runtime.batch_topic import BatchTopic, batches_of
from recon_streams.runtime.faust_app import ReconApp


def attach(app: ReconApp, topic: BatchTopic, parts: ConsumeParts) -> AgentT[None]:
    """Subscribe to `topic`; the agent lives as long as `app`."""

    async def bank_balances(batches: StreamT[Batch]) -> None:
        """Compare what each bank names with the position, as of the same instant."""
        await consume(parts, batches_of(batches))

    return app.agent(topic.channel, name="agents.bank_balances")(bank_balances)
