"""The agent for `recon.breaker.acks`: what payout services say they have heard."""

from faust.types import AgentT, StreamT

from agents.consume import ConsumeParts, consume
from recon_streams.log.record import Batch
from recon_streams.runtime.batch_topic import BatchTopic, batches_of
from recon_streams.runtime.faust_app import ReconApp


def attach(app: ReconApp, topic: BatchTopic, parts: ConsumeParts) -> AgentT[None]:
    """Subscribe to `topic`; the agent lives as long as `app`."""

    async def breaker_acks(batches: StreamT[Batch]) -> None:
        """Note how far each payout service has followed the breaker."""
        await consume(parts, batches_of(batches))

    return app.agent(topic.channel, name="agents.breaker_acks")(breaker_acks)
