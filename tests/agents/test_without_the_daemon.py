"""Where only the client of payout services is installed, the command line says what is missing."""

import subprocess
import sys

import pytest

from recon_streams.runtime.exit_codes import ExitCode

SCRIPT = """
import sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == {missing!r}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)
sys.meta_path.insert(0, Wall())
sys.argv = ["recon-streams", "status"]
from agents.cli.main import main
main()
"""


@pytest.mark.parametrize("missing", ["typer", "asyncpg", "structlog", "uvloop"])
def test_without_the_daemon_one_sentence_says_what_to_install(missing: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(missing=missing)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ExitCode.CONFIGURATION
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: {missing} is not installed")
    assert done.stderr.endswith("pip install 'recon-streams[daemon]'\n")
    assert done.stderr.count("\n") == 1


def test_a_module_of_our_own_that_is_missing_is_a_defect() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(missing="topics")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" in done.stderr
