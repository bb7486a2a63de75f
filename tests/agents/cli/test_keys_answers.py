"""How the keys of the breaker are made, shown and rotated by command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recon_streams.runtime.exit_codes import ExitCode
from recon_streams.signing.public_keys import read_key_set

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def keys(tmp_path: Path) -> "Keys":
    return Keys(tmp_path)


class Keys:
    """`recon-streams keys`, on the files of one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.public = directory / "breaker-keys.json"

    def run(self, *words: str, key: str = "1.pem", code: int = 0) -> str:
        """Run a command with the private key `key`; return what it printed."""
        files = ["--key-file", str(self.directory / key), "--public-keys", str(self.public)]
        return self.bare("keys", *words, *files, code=code)

    def bare(self, *words: str, code: int = 0, **environment: str) -> str:
        own = {name: value for name, value in os.environ.items() if not name.startswith("RECON")}
        done = subprocess.run(
            [sys.executable, "-m", "agents.cli", *words],
            cwd=ROOT,
            env={**own, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr


def test_a_new_key_is_for_its_owner_alone_and_its_public_half_for_all(keys: Keys) -> None:
    said = keys.run("new")
    (kid,) = read_key_set(keys.public)
    assert kid in said
    assert (keys.directory / "1.pem").stat().st_mode & 0o777 == 0o600
    assert "never overwritten" in keys.run("new", code=ExitCode.REFUSED)
    assert kid in keys.run("new", "--if-missing")
    assert json.loads(keys.run("public"))["keys"][0]["kid"] == kid


def test_keys_are_rotated_with_two_of_them_live(keys: Keys) -> None:
    keys.run("new")
    keys.run("new", key="2.pem")
    old, young = read_key_set(keys.public)
    listed = json.loads(keys.run("list", "-o", "json", key="2.pem"))
    assert listed == [{"kid": old, "signs": False}, {"kid": young, "signs": True}]
    assert "signs" in keys.run("retire", young, key="2.pem", code=ExitCode.REFUSED)
    keys.run("retire", old, key="2.pem")
    assert list(read_key_set(keys.public)) == [young]
    assert "only key" in keys.run("retire", young, key="1.pem", code=ExitCode.REFUSED)


def test_a_publisher_without_a_key_is_told_the_setting_and_the_command(keys: Keys) -> None:
    said = keys.bare(
        "publisher", "--dsn", "postgresql://x@127.0.0.1:1/x", code=ExitCode.CONFIGURATION
    )
    assert "signing.key_file" in said
    assert "recon-streams keys new --key-file" in said


def test_a_publisher_whose_key_others_may_read_does_not_start(keys: Keys) -> None:
    keys.run("new")
    file = keys.directory / "1.pem"
    file.chmod(0o644)
    said = keys.bare(
        "publisher",
        "--dsn",
        "postgresql://x@127.0.0.1:1/x",
        code=ExitCode.CONFIGURATION,
        RECON__SIGNING__KEY_FILE=str(file),
    )
    assert "chmod 600" in said


def test_a_publisher_whose_key_nobody_pins_does_not_start(keys: Keys) -> None:
    keys.run("new", key="2.pem")
    keys.bare("keys", "new", "--data", str(keys.directory / "elsewhere"))
    said = keys.bare(
        "publisher",
        "--dsn",
        "postgresql://x@127.0.0.1:1/x",
        code=ExitCode.CONFIGURATION,
        RECON__SIGNING__KEY_FILE=str(keys.directory / "elsewhere/keys/breaker.pem"),
        RECON__SIGNING__PUBLIC_KEYS_FILE=str(keys.public),
    )
    assert "no reader would believe" in said


def test_an_address_that_is_no_redis_is_told_before_a_publisher_starts(keys: Keys) -> None:
    said = keys.bare(
        "publisher",
        "--dsn",
        "postgresql://x@127.0.0.1:1/x",
        code=ExitCode.CONFIGURATION,
        RECON__REDIS__URL="http://somewhere",
    )
    assert "redis.url" in said
    assert "redis://host:6379/0" in said
