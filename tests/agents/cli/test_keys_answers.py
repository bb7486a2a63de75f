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


def test_a_key_that_was_lost_is_made_anew_only_on_purpose(keys: Keys) -> None:
    keys.run("new")
    (old,) = read_key_set(keys.public)
    (keys.directory / "1.pem").unlink()
    said = keys.run("new", "--if-missing", code=ExitCode.REFUSED)
    assert "1.pem is gone" in said.replace("\n", " ")
    assert not (keys.directory / "1.pem").exists()
    said = keys.run("new").replace("\n", " ")
    assert "deny what this key signs" in said
    first, _ = read_key_set(keys.public)
    assert first == old


class Checked:
    """`recon-streams config check` over a file with these settings."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.file = keys.directory / "recon.yaml"
        self.own = keys.directory / "1.pem"

    def run(self, *words: str, code: int = 0) -> str:
        said = self.keys.bare("config", "check", "--config", str(self.file), *words, code=code)
        return " ".join(said.split())

    def say(self, **settings: object) -> None:
        lines = [f"  {name}: {value}\n" for name, value in settings.items()]
        self.file.write_text("".join(["signing:\n", *lines]) if lines else "{}\n")


@pytest.fixture
def checked(keys: Keys) -> Checked:
    return Checked(keys)


def test_config_check_names_a_key_that_payout_services_do_not_pin(checked: Checked) -> None:
    checked.keys.run("new")
    checked.keys.run("new", key="2.pem")
    checked.say(key_file=checked.own, public_keys_file=checked.keys.public)
    assert "no errors" in checked.run()
    (kid, _) = read_key_set(checked.keys.public)
    checked.keys.run("retire", kid, key="2.pem")
    said = checked.run(code=ExitCode.CONFIGURATION)
    assert "signing.public_keys_file" in said
    assert "no reader would believe" in said
    assert "keys public --add" in said
    checked.keys.public.unlink()
    assert "breaker-keys.json cannot be read" in checked.run(code=ExitCode.CONFIGURATION)
    checked.own.write_text("no key")
    said = checked.run(code=ExitCode.CONFIGURATION)
    assert "signing.key_file" in said
    assert "holds no private key" in said


def test_config_check_says_what_of_the_keys_it_could_not_check(checked: Checked) -> None:
    # On a worker's machine the private key is not, and in the guide it is made after the check.
    checked.say(key_file=checked.own, public_keys_file=checked.keys.public)
    assert "1.pem cannot be read here" in checked.run()
    checked.keys.run("new")
    checked.say(key_file=checked.own)
    assert "signing.public_keys_file names no file" in checked.run()
    checked.say()
    assert "note" not in checked.run()


def test_config_check_looks_at_the_keys_of_a_directory_by_the_rule_of_up(checked: Checked) -> None:
    checked.say()
    data = checked.keys.directory / "data"
    assert "no errors" in checked.run("--data", str(data))
    assert not data.exists()
    checked.keys.bare("keys", "new", "--data", str(data))
    assert "no errors" in checked.run("--data", str(data))
    # Rotated halfway: the settings name a key that the directory's set does not hold.
    checked.keys.run("new")
    checked.say(key_file=checked.own)
    said = checked.run("--data", str(data), code=ExitCode.CONFIGURATION)
    assert f"signing.key_file: {data}/breaker-keys.json does not hold" in said
    checked.keys.bare(
        "keys", "public", "--add", "--key-file", str(checked.own), "--data", str(data)
    )
    assert "no errors" in checked.run("--data", str(data))
    checked.say(key_file=checked.own, public_keys_file=checked.keys.directory / "none.json")
    said = checked.run("--data", str(data), code=ExitCode.CONFIGURATION)
    assert "signing.public_keys_file: " in said
    checked.say(public_keys_file=checked.keys.public)
    said = checked.run("--data", str(data), code=ExitCode.CONFIGURATION)
    assert f"signing.public_keys_file: {checked.keys.public} does not hold" in said
    checked.say()
    (data / "keys/breaker.pem").unlink()
    assert "breaker.pem is gone" in checked.run("--data", str(data), code=ExitCode.CONFIGURATION)
