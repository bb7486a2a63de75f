"""Everything of Faust that is touched below its surface, in one file, guarded by a test.

Faust gives the house its shape: an app, agents, channels, tables. Its own Kafka consumer, producer,
offset commits and changelogs are not started: they lose events (docs/adr/0002). Agents run on
channels that `LogSource` fills, and an agent's failure ends the process instead of being skipped.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import faust
from faust.app.base import BootStrategy
from typing_extensions import override

AgentFailureListener = Callable[[BaseException], Awaitable[None]]

# Named only because an app must have one; with `enable_kafka` off nothing connects to it.
_NO_BROKER: Final = "kafka://127.0.0.1:1"


class ChannelsOnly(BootStrategy):
    """Start agents and tables; no consumer, no producer, no web server."""

    enable_kafka = False
    enable_web = False


class ReconApp(faust.App):
    """A Faust app whose agents live on channels and whose failures are heard."""

    BootStrategy = ChannelsOnly
    on_agent_failure: AgentFailureListener | None = None

    @override
    async def _on_agent_error(self, agent: Any, exc: BaseException) -> None:
        # Faust would mark the event as done, restart the agent and go on past what failed.
        assert self.on_agent_failure is not None, "somebody must hear an agent fail"
        await self.on_agent_failure(exc)

    @override
    def _create_directories(self) -> None:
        """Create none: tables live in memory, and the working directory may be read-only."""


class MemoryTable(faust.Table[Any, Any]):
    """A table of this process alone: no changelog, so nothing to lose or to recover from.

    Made directly instead of by `app.Table`, which would hand it to Faust's own recovery.
    """

    @override
    def on_key_set(self, key: Any, value: Any) -> None:
        """Write no changelog."""

    @override
    def on_key_del(self, key: Any) -> None:
        """Write no changelog."""


def make_app(name: str, on_agent_failure: AgentFailureListener) -> ReconApp:
    """Return an app that is not started.

    Args:
        name: Shown in Faust's own log lines.
        on_agent_failure: Called with whatever an agent raised; it should end the process.
    """
    app = ReconApp(
        name,
        broker=_NO_BROKER,
        store="memory://",
        autodiscover=False,
        web_enabled=False,
        # A stop must not wait for events that nobody will acknowledge.
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        worker_redirect_stdouts=False,
    )
    app.on_agent_failure = on_agent_failure
    return app


async def start_app(app: ReconApp) -> None:
    """Start the agents of `app` on the running loop."""
    await app.start()
    # Faust resumes the flow after its first rebalance; without its consumer there is none.
    app.flow_control.resume()


async def stop_app(app: ReconApp) -> None:
    """Stop the agents of `app`."""
    await app.stop()
