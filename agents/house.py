"""The composition root of a running process: side server, worker, publisher, and their watch."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
import structlog

from agents.consume import exit_code_of
from agents.logs import Logs
from agents.patience import UNAVAILABLE, BookGone
from agents.worker import WorkerParts, make_intakes, run_worker
from recon_streams.kernel.disposition import Outcome
from recon_streams.log.record import Batch
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.publisher import outbox
from recon_streams.publisher.lease import LeaseRefusal, LeaseTerms
from recon_streams.publisher.service import PublisherParts, run_publisher
from recon_streams.runtime.leaving import leave_process
from recon_streams.runtime.settings import Settings

_log = structlog.get_logger()
_STANDBY_SECONDS = 1.0


@dataclass
class SideServerStandIn:
    address: str = "http://127.0.0.1:0"


@dataclass
class House:
    """A process's parts, ready to serve."""

    settings: Settings
    pool: asyncpg.Pool
    logs: Logs
    name: str
    with_worker: bool
    with_publisher: bool
    side_server: SideServerStandIn = field(default_factory=SideServerStandIn)

    async def serve(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; whatever fails before that ends the process."""
        publishing = (
            [asyncio.create_task(self._publish(), name="publisher")] if self.with_publisher else []
        )
        for task in publishing:
            task.add_done_callback(_hear)
        try:
            if self.with_worker:
                await run_worker(self._worker_parts(), stop)
            else:
                await stop.wait()
        finally:
            for task in publishing:
                task.cancel()
            await asyncio.gather(*publishing, return_exceptions=True)

    def _worker_parts(self) -> WorkerParts:
        worker, limits = self.settings.worker, self.settings.limits
        directories = DirectoryCache()
        return WorkerParts(
            pool=self.pool,
            reader=self.logs.reader(),
            probe=self.logs.probe,
            intakes=make_intakes(
                directories,
                validate_schema=limits.validate_schema,
                accept_test_messages=limits.accept_test_messages,
            ),
            directories=directories,
            records_max=worker.batch_records_max,
            wait_seconds=worker.fetch_wait_seconds,
            retry_seconds=worker.database_retry_seconds,
            stop_seconds=worker.stop_deadline_seconds,
            on_committed=self._committed,
        )

    async def _publish(self) -> None:
        """Publish, and wait for a book that went away within the same bound as the worker."""
        bound = self.settings.worker.database_retry_seconds
        loop = asyncio.get_running_loop()
        failing_since: float | None = None
        while True:
            began_at = loop.time()
            try:
                await run_publisher(self._publisher_parts(), self.name)
            except UNAVAILABLE as error:
                # A run that lasted was healthy before: the bound counts one outage, not all.
                if failing_since is None or loop.time() - began_at > bound:
                    failing_since = loop.time()
                if loop.time() - failing_since > bound:
                    raise BookGone(f"no book for {bound} s: {error!r}") from error
                _log.warning("publisher_interrupted", reason=repr(error))
                await asyncio.sleep(_STANDBY_SECONDS)

    def _publisher_parts(self) -> PublisherParts:
        terms = self.settings.publisher
        return PublisherParts(
            pool=self.pool,
            relay=self.logs.relay,
            writer=self.logs.writer,
            probe=self.logs.probe,
            terms=LeaseTerms(
                ttl_seconds=terms.lease_seconds,
                renew_seconds=terms.renew_seconds,
                evaluation_age_seconds_max=terms.evaluation_age_seconds_max,
                outbox_age_seconds_max=terms.outbox_age_seconds_max,
            ),
            on_published=self._published,
            on_lease=self._leased,
            rows_max=terms.rows_max,
        )

    def _committed(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        pass

    def _published(self, sent: list[outbox.Waiting], at: datetime) -> None:
        pass

    def _leased(self, refusal: LeaseRefusal | None, backlog: outbox.Backlog) -> None:
        pass


@asynccontextmanager
async def open_house(
    settings: Settings,
    pool: asyncpg.Pool,
    logs: Logs,
    *,
    name: str,
    with_worker: bool = True,
    with_publisher: bool = True,
) -> AsyncIterator[House]:
    """Open the parts of a process; its side server answers from here on."""
    yield House(
        settings=settings,
        pool=pool,
        logs=logs,
        name=name,
        with_worker=with_worker,
        with_publisher=with_publisher,
    )


def _hear(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        leave_process(f"{task.get_name()}: {error!r}", exit_code_of(error))
