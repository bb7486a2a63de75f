"""An installation with payout services that ask all the time, whatever is done to it.

Everything is a process of its own, so that each can be killed, stopped or cut off by itself. All
instants are nanoseconds of the machine's monotonic clock, which every process shares and which no
test moves.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiokafka import TopicPartition as AioTopicPartition

from recon_streams.acks.intake import DRILL_CLIENT
from recon_streams.log import aiokafka_untyped as untyped
from recon_streams.log.kafka_connection import KafkaConnection
from recon_streams.log.kafka_writer import KafkaWriter
from recon_streams.log.record import OutgoingRecord
from recon_streams.testing.commits import Commits, Committed
from recon_streams.testing.kafka import TestKafka
from recon_streams.testing.keys import PUBLIC_KEYS_FILE, signing_environment
from recon_streams.testing.payout_ledger import PayoutLedger
from recon_streams.testing.payout_service import Service
from recon_streams.testing.payouts import stretches
from recon_streams.testing.pipes import Pipes
from recon_streams.testing.postgres import TestPostgres
from recon_streams.testing.redis import TestRedis
from recon_streams.testing.storm import Process, process

NS: Final = 1_000_000_000


@dataclass
class PayoutSite:
    """A book, brokers, a worker, a publisher, and services that pay.

    Attributes:
        accounts: One for each thing that is going to be tried.
        environment: What the worker and the publisher are told beside the usual.
    """

    directory: Path
    accounts: Sequence[str]
    brokers: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    daemons: tuple[Process, ...] = ()
    started: list[Service] = field(default_factory=list)

    def start(self, services: Sequence[str], *, cut_off: Sequence[str] = ()) -> None:
        """Start everything; those of `services` in `cut_off` are reached through pipes."""
        self.kafka = TestKafka(self.directory / "kafka", self.brokers)
        self.postgres = TestPostgres()
        (self.directory / "redis").mkdir()
        self.redis = TestRedis(self.directory / "redis")
        self.redis.start()
        self.kafka.start()
        asyncio.run(self.postgres.start())
        self.dsn = self.postgres.dsn
        self.commits = Commits(self.dsn)
        self.options = ["--dsn", self.dsn, "--bootstrap", self.kafka.bootstrap]
        self._ledger = PayoutLedger()
        copies = str(self.brokers)
        self.settings = {
            "RECON__TOPICS__REPLICATION_FACTOR": copies,
            "RECON__TOPICS__MIN_INSYNC_REPLICAS": str(min(self.brokers, 2)),
            "RECON__TOPICS__PARTITIONS": "2",
            **signing_environment(self.directory),
            "RECON__BREAKER__CLIENTS": ",".join(services),
            "RECON__REDIS__URL": self.redis.url,
            **self.environment,
        }
        self.command("migrate", "--dsn", self.dsn)
        self.command("topics", "apply", *self.options)
        registry = self.directory / "accounts.yaml"
        registry.write_text(self._ledger.registry(self.accounts))
        self.command("accounts", "apply", str(registry), "--dsn", self.dsn)
        self.commits.start()
        self.worker, self.publisher = self.daemons = (self.make("worker"), self.make("publisher"))
        self.worker.start(None)
        self.publisher.start(None)
        for name in services:
            self.services[name] = self._serve(name, is_piped=name in cut_off)
        # So many clean evaluations let an account pay.
        self.append([self._ledger.balance(each) for each in self.accounts for _ in range(3)])

    def stop(self) -> None:
        """End everything that still runs."""
        for service in self.started:
            service.end()
        for each in self.daemons:
            each.signal(signal.SIGCONT)
            each.signal(signal.SIGKILL)
            if each.running is not None:
                each.running.wait(10)
        if self.commits.is_alive():
            self.commits.end()
        self.redis.kill()
        self.kafka.kill()
        asyncio.run(self.postgres.remove())

    @property
    def keys(self) -> Path:
        """Where the public keys are that services pin."""
        return self.directory / PUBLIC_KEYS_FILE

    def scope(self, account: str) -> str:
        """Return the scope of `account`."""
        return f"account:{account}:AED"

    def make(self, kind: str, environment: Mapping[str, str] | None = None) -> Process:
        """Return a process of `kind`, not started."""
        member = {"RECON__LOG__GROUP_INSTANCE_ID": kind} if kind == "worker" else {}
        told = {**self.settings, **member, **(environment or {})}
        return process(kind, kind, self.options, told, self.directory)

    def command(self, *words: str) -> str:
        """Run a command and return what it printed."""
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "agents.cli", *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, **self.settings},
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def issue(self, account: str) -> None:
        """Let the ledger issue money that nobody paid in: from here on `account` is short."""
        self.append([self._ledger.issue(account)])

    def append(self, records: Sequence[OutgoingRecord]) -> None:
        """Publish `records` as another system would."""

        async def send() -> None:
            writer = KafkaWriter(KafkaConnection(bootstrap=self.kafka.bootstrap))
            await writer.start()
            await writer.append(records)
            await writer.stop()

        asyncio.run(send())

    def join(self, name: str) -> Service:
        """Start one more service, which nobody waits for: it speaks as a drill's does."""
        return self._serve(name, is_piped=False, client_id=DRILL_CLIENT)

    def heal(self) -> None:
        """Let everything run that should."""
        for service in self.services.values():
            if service.pipes is not None:
                service.pipes.heal()
        self.redis.heal()
        self.kafka.start()
        asyncio.run(self.postgres.start())
        for each in self.daemons:
            each.signal(signal.SIGCONT)
        self.revive()

    def replace(self, worker: Process, publisher: Process) -> None:
        """End the worker and the publisher, and start others in their place."""
        for each in self.daemons:
            each.signal(signal.SIGKILL)
        for each in self.daemons:
            self.until(each.has_ended, f"{each.name} has ended")
        self.worker, self.publisher = self.daemons = (worker, publisher)
        self.revive()

    def revive(self) -> None:
        """Do what a service manager does: start again what has left."""
        for each in self.daemons:
            if each.has_ended():
                each.start(None)

    def restart_postgres(self) -> None:
        """Start the server that was killed, where it was."""
        asyncio.run(self.postgres.start())

    def leader_of(self, topic: str) -> int:
        """Return which broker leads partition 0 of `topic`, numbered as `kafka` numbers them."""

        async def ask() -> int:
            client = untyped.client(bootstrap_servers=self.kafka.bootstrap)
            try:
                await client.bootstrap()
                metadata = await client.fetch_all_metadata()
                return int(metadata.leader_for_partition(AioTopicPartition(topic, 0))) - 1
            finally:
                await client.close()

        return asyncio.run(ask())

    def until(self, is_so: Callable[[], bool], what: str, *, seconds_max: float = 30) -> float:
        """Wait until `is_so`; return how long that took."""
        began_at = time.monotonic()
        while not is_so():
            assert time.monotonic() - began_at < seconds_max, f"{what}: not within {seconds_max} s"
            time.sleep(0.05)
        return time.monotonic() - began_at

    def until_all_pay(self, account: str, *, seconds_max: float = 60) -> float:
        """Wait until every service may pay from `account`."""
        scope = self.scope(account)
        return self.until(
            lambda: all(each.is_granted(scope) for each in self.services.values()),
            f"every service may pay from {account}",
            seconds_max=seconds_max,
        )

    def denied_at(self, account: str, *, seconds_max: float = 30) -> Committed:
        """Wait until the book has denied `account`, and return that."""
        scope = self.scope(account)

        def newest() -> Committed | None:
            assert self.commits.is_alive(), "nobody watches the book any more"
            found = self.commits.of(scope)
            return found[-1] if found and found[-1].state != "CLOSED" else None

        self.until(lambda: newest() is not None, f"{scope} is denied", seconds_max=seconds_max)
        found = newest()
        assert found is not None
        return found

    def last_granted_ns(self, account: str) -> int:
        """Return when any service was last told that it may pay from `account`."""
        scope = self.scope(account)
        found = (each.last_granted_ns(scope) for each in self.services.values())
        return max((each for each in found if each is not None), default=0)

    def asked(self, scope: str) -> int:
        """Return how many permits were asked for `scope`, by all services."""
        told = (stretch for each in self.services.values() for stretch in each.told(scope))
        return sum(stretch.count for stretch in told)

    def late_permits(self, limit_ns: int) -> list[str]:
        """Return every permit given later than `limit_ns` after a newer denial was committed."""
        late = []
        denials = [each for each in self.commits.all() if each.state != "CLOSED"]
        for service in self.services.values():
            for stretch in stretches(service.log):
                if not stretch.granted or stretch.epoch is None:
                    continue
                for denial in denials:
                    if denial.scope != stretch.scope or denial.epoch <= stretch.epoch:
                        continue
                    by_ns = stretch.last_ns - denial.seen_ns
                    if by_ns > limit_ns:
                        late.append(f"{service.name} {stretch.scope}: {by_ns / NS:.3f} s late")
        return late

    def _serve(self, name: str, *, is_piped: bool, client_id: str | None = None) -> Service:
        log = self.directory / f"{name}.permits"
        words = [sys.executable, "-m", "recon_streams.testing.payouts"]
        words += ["--bootstrap", self.kafka.bootstrap, "--keys", str(self.keys)]
        words += ["--client-id", client_id or name, "--log", str(log)]
        words += [self.scope(account) for account in self.accounts]
        pipes = None
        if is_piped:
            ports = [int(each.rsplit(":", 1)[1]) for each in self.kafka.bootstrap.split(",")]
            sockets = self.directory / f"{name}-pipes"
            sockets.mkdir()
            pipes = Pipes(sockets, ports)
            pipes.start()
            words = pipes.command(words)
        with (self.directory / f"{name}.log").open("ab") as said:
            running = subprocess.Popen(  # noqa: S603 - our own command
                words, stdout=said, stderr=said, stdin=subprocess.DEVNULL, start_new_session=True
            )
        self.started.append(Service(name, running, log, pipes))
        return self.started[-1]
