"""Entry point: loads the command that is asked for, or all of them where the help is.

A command line is started often, by people who wait and by scripts in loops. What a daemon needs
takes a second to load, and `status` needs nothing of it.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Final

from recon_streams.runtime.exit_codes import ExitCode

# Command -> the modules that register it, and what it consists of.
MODULES: Final = MappingProxyType(
    {
        "accounts": ("accounts",),
        "alerts": ("alerts",),
        "approvals": ("approvals",),
        "audit": ("audit",),
        "breaker": ("breaker", "breaker_release", "breaker_drill", "approvals"),
        "config": ("config",),
        "degraded": ("degraded",),
        "demo": ("demo",),
        "discrepancies": ("discrepancies", "discrepancy_actions"),
        "eod": ("eod", "eod_sign_off"),
        "explain": ("status",),
        "inspect": ("inspect",),
        "keys": ("keys",),
        "matches": ("matches",),
        "migrate": ("run",),
        "operators": ("operators",),
        "publish": ("records",),
        "publisher": ("run",),
        "quarantine": ("quarantine",),
        "report": ("report",),
        "rules": ("rules",),
        "run": ("sweep",),
        "status": ("status",),
        "tail": ("records",),
        "topics": ("topics", "topics_loss"),
        "up": ("run",),
        "version": ("config",),
        "worker": ("run",),
    }
)


def main() -> None:
    """Run the command line, or say what to install where only the client of payout services is."""
    try:
        app = import_module("agents.cli.app")
        load(sys.argv[1:])
    except ModuleNotFoundError as missing:
        if (missing.name or "").split(".")[0] in {"agents", "recon_streams", "topics"}:
            raise
        sys.stderr.write(
            f"error: {missing.name} is not installed, as only the client for payout services is; "
            "the daemon comes with: pip install 'recon-streams[daemon]'\n"
        )
        sys.exit(ExitCode.CONFIGURATION)
    app.main()


def load(words: Sequence[str]) -> None:
    """Register the command that `words` begin with; every command if they begin with none."""
    known = MODULES.get(words[0]) if words else None
    for module in known or [each for modules in MODULES.values() for each in modules]:
        import_module(f"agents.cli.{module}")
