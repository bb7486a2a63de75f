"""The composition root of a running process: side server, worker, publisher, and their watch."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic

import asyncpg
import structlog

from agents.bridging import alert_loops
from agents.closing import run_days_for_ever
from agents.consume import exit_code_of
from agents.gauges import check_invariants, show_gauges
from agents.hearing import Hearing, watch_hearing_for_ever
from agents.instants import Beside, make_planners, sweep_terms
from agents.intakes import canonical, make_intakes
from agents.logs import Logs
from agents.parts import WorkerParts
from agents.patience import UNAVAILABLE, BookGone
from agents.publishing import Told, key_ring_of, publish_for_ever, redis_line_of
from agents.registration import admit_operators
from agents.upkeep import keep_log_for_ever
from agents.verifying import approval_loops
from agents.watching import watch_folder
from agents.worker import run_worker
from recon_streams.book.sessions import end_stuck_sessions
from recon_streams.closing.by_matching import ByMatching
from recon_streams.closing.rules_in_force import RulesInForce
from recon_streams.connectors.file import load_connectors
from recon_streams.connectors.http import HttpConnector, lease_of
from recon_streams.connectors.poller import PollerParts, poll_for_ever
from recon_streams.kernel.clock import utc_now
from recon_streams.kernel.disposition import Outcome
from recon_streams.log.record import Batch
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.registry.calendar_file import load_calendars
from recon_streams.runtime.health import SideServer
from recon_streams.runtime.leaving import leave_process
from recon_streams.runtime.metrics import Metrics
from recon_streams.runtime.settings import Settings
from recon_streams.runtime.source import LogSource
from recon_streams.runtime.telemetry import Telemetry
from recon_streams.runtime.watchdog import watch_progress
from recon_streams.schedule.scheduler import keep_schedule_for_ever
from recon_streams.signing.key_ring import KeyRing, KeySetFile
from recon_streams.sweeps.table import RollingView

_log = structlog.get_logger()
_AGAIN_SECONDS = 1.0
_BOOK_SECONDS_MAX = 5.0
_SESSIONS_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Duties:
    """What a process does, and with which keys; without them those of the settings."""

    worker: bool = True
    publisher: bool = True
    keys: KeyRing | None = None


class House:
    """A process's parts, ready to serve."""

    def __init__(
        self, settings: Settings, pool: asyncpg.Pool, logs: Logs, *, name: str, duties: Duties
    ) -> None:
        """Put the parts together; nothing runs before `serve`."""
        self._settings = settings
        self._pool = pool
        self._logs = logs
        self._name = name
        self._duties = duties
        self._keys = duties.keys
        if duties.publisher:
            self._keys = self._keys or key_ring_of(settings)
            redis_line_of(settings)  # an address that is none is told before anything runs
        self._metrics = Metrics()
        self._telemetry = Telemetry(self._metrics)
        self._book_answered_at = monotonic()
        self._source: LogSource | None = None
        self._on_started: Callable[[], None] = lambda: None
        connectors = settings.sweeps.connectors_file
        self._connectors = () if connectors is None else load_connectors(connectors)
        self.side_server = SideServer(
            settings.telemetry.host, settings.telemetry.port, self._metrics
        )
        self.side_server.add_check("book", self._why_no_book)
        self.side_server.add_check("worker", self._why_not_ready)

    async def serve(
        self, stop: asyncio.Event, *, on_started: Callable[[], None] = lambda: None
    ) -> None:
        """Work until `stop` is set; whatever fails before that ends the process.

        Args:
            stop: Set by whoever wants an end.
            on_started: Called once everything is at work.
        """
        self._on_started = on_started
        tasks = [
            self._task("book", self._ask_the_book),
            self._task("sessions", self._end_stuck_sessions),
            self._task("gauges", lambda: show_gauges(self._pool, self._metrics)),
            self._task("invariants", lambda: check_invariants(self._pool, self._telemetry)),
            # Beside workers too: a publisher that is dead does not say so itself.
            self._task("hearing", self._hear_services),
        ]
        if self._duties.publisher:
            tasks.append(self._task("publisher", self._publish))
            tasks.append(self._task("schedule", self._keep_schedule))
            tasks.append(self._task("upkeep", lambda: keep_log_for_ever(self._pool, self._logs)))
            people = approval_loops(self._settings, self._pool)
            alerts, probe = self._metrics.alerts, self._logs.probe
            loops = alert_loops(self._settings, self._pool, probe, name=self._name, metrics=alerts)
            tasks += [self._task(*loop) for loop in (*people, *loops)]
            if self._settings.watch.directory is not None:
                tasks.append(self._task("watch", self._watch_folder))
        if self._duties.worker:
            tasks.append(self._task("days", self._run_days))
            tasks.append(self._task("poller", self._poll))
        try:
            if self._duties.worker:
                await run_worker(self._worker_parts(), stop)
            else:
                self._started()
                tasks.append(self._task("turning", self._turn))
                await stop.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _task(self, name: str, work: Callable[[], Awaitable[None]]) -> "asyncio.Task[None]":
        async def patiently() -> None:
            """Run again when the book was away, within the bound of one outage."""
            bound = self._settings.worker.database_retry_seconds
            loop = asyncio.get_running_loop()
            failing_since = loop.time()
            while True:
                began_at = loop.time()
                try:
                    await work()
                except UNAVAILABLE as error:
                    # A run that lasted was healthy: the bound counts one outage, not all of them.
                    if loop.time() - began_at > bound / 4:
                        failing_since = loop.time()
                    if loop.time() - failing_since > bound:
                        raise BookGone(f"{name}: no book for {bound} s: {error!r}") from error
                    _log.warning("interrupted", source=name, reason=type(error).__name__)
                    await asyncio.sleep(_AGAIN_SECONDS)

        task = asyncio.create_task(patiently(), name=name)
        task.add_done_callback(_hear)
        return task

    def _worker_parts(self) -> WorkerParts:
        worker = self._settings.worker
        directories = DirectoryCache()
        beside = Beside(
            terms=sweep_terms(self._settings.sweeps),
            view=RollingView(self._telemetry.table_compared),
            calendars=load_calendars(self._settings.calendars.file),
            clients=self._settings.breaker.clients,
        )
        return WorkerParts(
            pool=self._pool,
            reader=self._logs.reader(),
            probe=self._logs.probe,
            intakes=make_intakes(directories, self._settings.limits, beside),
            directories=directories,
            view=beside.view,
            records_max=worker.batch_records_max,
            wait_seconds=worker.fetch_wait_seconds,
            retry_seconds=worker.database_retry_seconds,
            stop_seconds=worker.stop_deadline_seconds,
            on_committed=self._committed,
            watch=self._watch,
        )

    async def _watch(self, source: LogSource) -> None:
        self._source = source
        self._started()
        await watch_progress(
            source,
            self._metrics,
            self.side_server,
            limit_seconds=self._settings.worker.watchdog_seconds,
        )

    def _started(self) -> None:
        self.side_server.has_started = True
        self._on_started()

    async def _turn(self) -> None:
        while True:
            self.side_server.turned_at = asyncio.get_running_loop().time()
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _publish(self) -> None:
        assert self._keys is not None, "a publisher has keys from the start"
        told = Told(self._name, self._telemetry)
        await publish_for_ever(
            self._settings, self._pool, self._logs, keys=self._keys, as_whom=told
        )

    async def _hear_services(self) -> None:
        pinned = self._settings.signing.public_keys_file
        keys = self._keys or (None if pinned is None else KeySetFile(public_keys_file=pinned))
        pool, probe, terms = self._pool, self._logs.probe, self._settings.breaker
        hearing = Hearing(pool, probe, terms, keys=keys, telemetry=self._telemetry)
        await watch_hearing_for_ever(hearing)

    async def _keep_schedule(self) -> None:
        await keep_schedule_for_ever(
            self._pool,
            make_planners(self._settings.sweeps, load_calendars(self._settings.calendars.file)),
        )

    async def _run_days(self) -> None:
        await run_days_for_ever(
            self._pool,
            load_calendars(self._settings.calendars.file),
            ByMatching(RulesInForce()),
            every_seconds=_AGAIN_SECONDS,
            retry_seconds=self._settings.worker.database_retry_seconds,
        )

    async def _poll(self) -> None:
        await poll_for_ever(
            PollerParts(
                pool=self._pool,
                writer=self._logs.writer,
                # New ones each time: what was closed is not opened again.
                connectors={terms.name: HttpConnector(terms) for terms in self._connectors},
                concurrency=self._settings.sweeps.concurrency,
                lease=lease_of(self._connectors),
                on_answered=self._telemetry.bank_answered,
            )
        )

    async def _watch_folder(self) -> None:
        directory = self._settings.watch.directory
        assert directory is not None, "nothing is watched without a folder"
        seconds = self._settings.watch.poll_seconds
        await watch_folder(directory, self._logs.writer, poll_seconds=seconds)

    async def _ask_the_book(self) -> None:
        while True:
            await self._pool.fetchval("SELECT 1")
            self._book_answered_at = monotonic()
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _end_stuck_sessions(self) -> None:
        while True:
            ended = await end_stuck_sessions(self._pool)
            if ended:
                _log.warning("stuck_sessions_ended", count=ended)
            await asyncio.sleep(_SESSIONS_SECONDS)

    def _why_no_book(self) -> str | None:
        # Not asked here: a question to a server that hangs cannot even be given up in time.
        silent = monotonic() - self._book_answered_at
        return f"no answer for {silent:.0f} s" if silent > _BOOK_SECONDS_MAX else None

    def _why_not_ready(self) -> str | None:
        if not self._duties.worker:
            return None
        if self._source is None:
            return "not started"
        waiting = sum(self._source.lag().values())
        return (
            f"{waiting} records wait" if waiting > self._settings.worker.batch_records_max else None
        )

    def _committed(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        self._telemetry.batch_committed(canonical(batch.topic), batch, outcomes, utc_now())


@asynccontextmanager
async def open_house(
    settings: Settings, pool: asyncpg.Pool, logs: Logs, *, name: str, duties: Duties | None = None
) -> AsyncIterator[House]:
    """Open the parts of a process; its side server answers from here on."""
    house = House(settings, pool, logs, name=name, duties=duties or Duties())
    await admit_operators(settings, pool)
    await house.side_server.start()
    try:
        yield house
    finally:
        await house.side_server.stop()


def _hear(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        leave_process(f"{task.get_name()}: {error!r}", exit_code_of(error))
