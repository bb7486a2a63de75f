"""Entry point: names every group of commands once, so that the help shows them all."""

from agents.cli import (  # noqa: F401 - importing a group registers its commands
    accounts,
    audit,
    config,
    demo,
    discrepancies,
    discrepancy_actions,
    eod,
    inspect,
    matches,
    quarantine,
    records,
    report,
    rules,
    run,
    status,
    sweep,
    topics,
    topics_loss,
)
from agents.cli.app import main

__all__ = ["main"]
