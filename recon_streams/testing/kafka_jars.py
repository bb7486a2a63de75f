"""Where the jars of Apache Kafka are: fetched once per user and version, then found again."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

KAFKA_VERSION: Final = "4.1.1"
_POM: Final = Path(__file__).with_name("kafka_jars.pom.xml")
_FETCH_SECONDS_MAX: Final = 300


class KafkaUnavailable(Exception):
    """A Kafka cannot be started on this machine; the message says what is missing."""


def kafka_availability() -> str | None:
    """Return why no Kafka can be had here, in one line, or None when its jars are at hand.

    Fetches the jars if they are not there yet, which takes about ten seconds once per user.
    """
    try:
        kafka_jars()
    except KafkaUnavailable as reason:
        return str(reason)
    return None


def java() -> str:
    """Return the path of the Java that runs Kafka. Raises `KafkaUnavailable`."""
    home = os.environ.get("JAVA_HOME")
    candidate = Path(home, "bin", "java") if home else None
    found = str(candidate) if candidate and candidate.exists() else shutil.which("java")
    if found is None:
        raise KafkaUnavailable("no java on the path (Kafka needs Java 17 or later)")
    return found


def kafka_jars() -> Path:
    """Return the directory of the jars, fetching them by Maven if need be.

    Raises:
        KafkaUnavailable: Java or Maven is missing, or Maven could not fetch.
    """
    java()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "recon-streams"
    jars = cache / f"kafka-{KAFKA_VERSION}"
    if jars.is_dir():
        return jars
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"kafka-{KAFKA_VERSION}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs may start at the same moment
        if not jars.is_dir():
            _fetch(jars)
    return jars


def _fetch(jars: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaUnavailable("no mvn on the path (Maven fetches the jars of Kafka once)")
    with tempfile.TemporaryDirectory(dir=jars.parent) as directory:
        fetched = Path(directory) / "jars"
        # The pom is copied because Maven may write beside it, and the package may be read-only.
        pom = shutil.copy(_POM, Path(directory) / "pom.xml")
        command = [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
        command += [f"-DoutputDirectory={fetched}", "-DincludeScope=runtime"]
        try:
            done = subprocess.run(  # noqa: S603 - a fixed command, found on the user's own path
                command,
                capture_output=True,
                text=True,
                timeout=_FETCH_SECONDS_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired as expired:
            raise KafkaUnavailable(f"mvn did not end in {_FETCH_SECONDS_MAX} s") from expired
        if done.returncode != 0 or not any(fetched.glob("kafka_*.jar")):
            last = (done.stdout + done.stderr).strip().splitlines()[:1]
            raise KafkaUnavailable(f"mvn failed with {done.returncode}: {' '.join(last)[:200]}")
        # Renamed whole, so that a directory with this name is always complete.
        fetched.rename(jars)
