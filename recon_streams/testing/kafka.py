"""An Apache Kafka of one or more brokers on loopback, started from its published jars.

Claims about fencing, compaction, transactions and restarts are only worth what the server behind
them is worth, so tests meet the real one. KRaft, no Docker, about four seconds to start.
"""

import base64
import contextlib
import secrets
import socket
import struct
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from recon_streams.testing.kafka_jars import KafkaUnavailable, java, kafka_jars
from recon_streams.testing.leash import Leash

_START_SECONDS_MAX: Final = 60.0
_STOP_SECONDS_MAX: Final = 20.0
# Metadata version 4: a throttle time, then the brokers. Old enough to have a fixed layout.
_METADATA_REQUEST: Final = struct.pack(">hhih0sib", 3, 4, 1, -1, b"", 0, 0)


class TestKafka:
    """One Kafka cluster that lives no longer than the process that made it.

    Ports are chosen once, so a restarted broker is found where it was. `kill` is SIGKILL; `stop`
    lets brokers shut down in order. All methods block and are meant for fixtures.

    Attributes:
        bootstrap: `host:port` of every broker, separated by commas.
        brokers: How many brokers there are; numbered from 0 in `kill` and `start`.
    """

    __test__ = False  # the name is about what it is, not about pytest collecting it

    def __init__(
        self, data_dir: Path, brokers: int = 1, *, properties: Mapping[str, str] | None = None
    ) -> None:
        self._data_dir = data_dir
        self._properties = dict(properties or {})
        name = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        # One that began with a dash would be read as an option of the tool that formats.
        self._cluster_id = name.replace("-", "A")
        ports = _free_ports(2 * brokers)
        self._broker_ports, self._controller_ports = ports[:brokers], ports[brokers:]
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._leashes: dict[int, Leash] = {}
        self.brokers = brokers
        self.bootstrap = ",".join(f"127.0.0.1:{port}" for port in self._broker_ports)

    def start(self, broker: int | None = None) -> None:
        """Start one broker, or all that are not running, and wait until all of them answer.

        Raises:
            KafkaUnavailable: Java or the jars cannot be had, or no answer within a minute.
        """
        chosen = range(self.brokers) if broker is None else [broker]
        for number in chosen:
            if number not in self._processes:
                self._processes[number] = self._launch(number)
                self._leashes[number] = Leash(self._processes[number].pid)
        deadline = time.monotonic() + _START_SECONDS_MAX
        for number in chosen:
            self._await_broker(number, deadline)

    def stop(self) -> None:
        """Shut all brokers down in order; one that does not end in time is killed."""
        for process in self._processes.values():
            process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS_MAX
        with contextlib.suppress(subprocess.TimeoutExpired):
            for process in self._processes.values():
                process.wait(max(0.1, deadline - time.monotonic()))
        self.kill()

    def kill(self, broker: int | None = None) -> None:
        """SIGKILL one broker, or all of them."""
        for number in list(self._processes) if broker is None else [broker]:
            process = self._processes.pop(number)
            process.kill()
            self._leashes.pop(number).release()
            process.wait()

    def restart(self) -> None:
        """Stop in order and start again, with the same ports and data."""
        self.stop()
        self.start()

    def pid(self, broker: int = 0) -> int:
        """Return the process id of a running broker, for signals."""
        return self._processes[broker].pid

    def _launch(self, number: int) -> "subprocess.Popen[bytes]":
        home = self._data_dir / f"broker-{number}"
        settings = home / "server.properties"
        if not settings.exists():
            home.mkdir(parents=True)
            settings.write_text(self._settings(number, home / "data"))
            self._format(settings)
        with (home / "broker.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - a fixed command
                [*self._java_command(), "kafka.Kafka", str(settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _java_command(self) -> list[str]:
        heap = 512 if self.brokers == 1 else 400
        # The quick compiler and the small collector: a test's broker lives for minutes.
        tuning = [f"-Xmx{heap}m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"]
        logging = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"
        return [java(), *tuning, logging, "-cp", f"{kafka_jars()}/*"]

    def _settings(self, number: int, logs: Path) -> str:
        voters = (f"{i + 1}@127.0.0.1:{port}" for i, port in enumerate(self._controller_ports))
        mine = f"PLAINTEXT://127.0.0.1:{self._broker_ports[number]}"
        replicas = str(min(self.brokers, 3))
        in_sync = str(min(self.brokers, 2))
        settings = {
            "process.roles": "broker,controller",
            "node.id": str(number + 1),
            "controller.quorum.voters": ",".join(voters),
            "listeners": f"{mine},CONTROLLER://127.0.0.1:{self._controller_ports[number]}",
            "advertised.listeners": mine,
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": str(logs),
            "offsets.topic.replication.factor": replicas,
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": in_sync,
            "transaction.state.log.num.partitions": "4",
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "500",
            # A killed broker that comes back waits for its old registration to lapse.
            "broker.session.timeout.ms": "2000",
            "broker.heartbeat.interval.ms": "500",
            "log.cleaner.backoff.ms": "200",
            "auto.create.topics.enable": "false",
            "log.message.timestamp.type": "LogAppendTime",
            **self._properties,
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())

    def _format(self, settings: Path) -> None:
        tool = ["kafka.tools.StorageTool", "format", "-t", self._cluster_id, "-c", str(settings)]
        done = subprocess.run(  # noqa: S603 - a fixed command
            [*self._java_command(), *tool],
            capture_output=True,
            text=True,
            timeout=_START_SECONDS_MAX,
            check=False,
        )
        if done.returncode != 0:
            raise KafkaUnavailable(f"format failed: {(done.stderr or done.stdout).strip()[-300:]}")

    def _await_broker(self, number: int, deadline: float) -> None:
        process = self._processes[number]
        while _brokers_known(self._broker_ports[number]) < len(self._processes):
            log = self._data_dir / f"broker-{number}" / "broker.log"
            if process.poll() is not None:
                raise KafkaUnavailable(f"the broker left: {log.read_text()[-500:]}")
            if time.monotonic() > deadline:
                raise KafkaUnavailable(f"no answer from {self.bootstrap} within a minute")
            time.sleep(0.05)


class ExternalKafka:
    """A Kafka that somebody else runs: it has an address and is not ours to stop."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _brokers_known(port: int) -> int:
    """Return how many brokers the one at `port` lists; 0 while it does not answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.settimeout(5)
            connection.sendall(struct.pack(">i", len(_METADATA_REQUEST)) + _METADATA_REQUEST)
            # Length, correlation id, throttle time, number of brokers.
            answer = connection.recv(16, socket.MSG_WAITALL)
    except OSError:
        return 0
    return int(struct.unpack(">4i", answer)[3]) if len(answer) == 16 else 0  # noqa: PLR2004
