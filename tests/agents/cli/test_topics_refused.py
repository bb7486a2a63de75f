"""A broker that does not make a topic as planned is answered with its own words."""

import os
import subprocess
import sys

import pytest

from recon_streams.runtime.exit_codes import ExitCode
from recon_streams.testing.kafka import TestKafka

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]


def test_more_copies_than_brokers_are_refused_in_a_sentence(hostile_kafka: TestKafka) -> None:
    options = ["--bootstrap", hostile_kafka.bootstrap]
    done = subprocess.run(
        [sys.executable, "-m", "agents.cli", "topics", "apply", *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "RECON__TOPICS__REPLICATION_FACTOR": "3"},
    )
    assert done.returncode == ExitCode.REFUSED, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: topic bank.notifications was refused: ")
    assert "replication" in line.lower()
