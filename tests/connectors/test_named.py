"""A connector that accounts name and nobody describes is found when files are checked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from recon_streams.connectors.named import require_described
from recon_streams.runtime.exit_codes import ExitCode
from recon_streams.runtime.problems import ConfigurationInvalid

ACCOUNTS = """\
defaults:
  sweep: {connector: house-bank}
accounts:
  - account_id: A
    currency: AED
    bank_accounts: [{iban: AE070331234567890123456}]
    sweep: {connector: huose-bank}
"""
CONNECTORS = "connectors:\n  house-bank:\n    address: https://bank.example/\n"


def _files(folder: Path, connectors: str) -> tuple[Path, Path]:
    accounts, settings = folder / "accounts.yaml", folder / "recon.yaml"
    accounts.write_text(ACCOUNTS)
    (folder / "connectors.yaml").write_text(connectors)
    settings.write_text(f"sweeps:\n  connectors_file: {folder}/connectors.yaml\n")
    return accounts, settings


def _command(*words: str | Path, code: int) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "agents.cli", *map(str, words)],
        env={name: value for name, value in os.environ.items() if not name.startswith("RECON")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, (done.stdout, done.stderr)
    return done.stdout + done.stderr


def test_the_line_of_an_unknown_connector_is_shown_with_what_was_meant(tmp_path: Path) -> None:
    accounts, _ = _files(tmp_path, CONNECTORS)
    with pytest.raises(ConfigurationInvalid) as refused:
        require_described(accounts, {"house-bank"}, Path("connectors.yaml"))
    said = refused.value.render()
    assert "accounts.yaml:7:24" in said
    assert "accounts[0].sweep.connector: no connector huose-bank in connectors.yaml" in said
    assert "did you mean house-bank?" in said
    assert "1 error" in said


def test_without_a_file_of_connectors_it_is_said_that_names_were_not_checked(
    tmp_path: Path,
) -> None:
    accounts, _ = _files(tmp_path, CONNECTORS)
    said = _command("accounts", "check", accounts, code=0)
    assert "1 accounts, no errors" in said
    assert "note: 1 accounts name a connector; whether it is described was not checked" in said


def test_checking_accounts_finds_a_connector_that_is_not_described(tmp_path: Path) -> None:
    accounts, settings = _files(tmp_path, CONNECTORS)
    words = ("accounts", "check", accounts, "--config", settings)
    said = _command(*words, code=ExitCode.CONFIGURATION)
    assert "no connector huose-bank" in said
    accounts.write_text(ACCOUNTS.replace("huose", "house"))
    assert "no errors" in _command(*words, code=0)


def test_an_installation_does_not_start_with_a_connector_that_is_not_described(
    tmp_path: Path,
) -> None:
    accounts, settings = _files(tmp_path, CONNECTORS)
    words = ("up", "--data", tmp_path / "data", "--accounts", accounts, "--config", settings)
    assert "no connector huose-bank" in _command(*words, code=ExitCode.CONFIGURATION)
    assert not (tmp_path / "data").exists()


def test_checking_settings_reads_the_file_of_connectors(tmp_path: Path) -> None:
    accounts, settings = _files(tmp_path, CONNECTORS.replace("address", "adress"))
    said = _command("config", "check", "--config", settings, code=ExitCode.CONFIGURATION)
    assert "connectors.yaml:3:5" in said
    assert "did you mean address?" in said
    words = ("accounts", "check", accounts, "--config", settings)
    assert "did you mean address?" in _command(*words, code=ExitCode.CONFIGURATION)
    (tmp_path / "connectors.yaml").unlink()
    said = _command("config", "check", "--config", settings, code=ExitCode.CONFIGURATION)
    assert "connectors.yaml  error  the file cannot be read: No such file or directory" in said
