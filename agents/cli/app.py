"""The commands as one program, and the one place where an error becomes a message and a code."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

import typer
import uvloop

from agents.address import NotRunning
from agents.cli.output import talk
from agents.patience import UNAVAILABLE, BookGone
from agents.sole_owner import AlreadyRunning
from recon_streams.approvals.refusals import NoSuchRequest, NotAllowed
from recon_streams.approvals.subject import NotAskable
from recon_streams.book.connection import DatabaseUnreachable
from recon_streams.book.dismissal import HalfDismissed
from recon_streams.book.quarantine import NotWaiting
from recon_streams.book.revision import WrongRevision
from recon_streams.book.streams import ForeignLog
from recon_streams.degraded.paper import NotPermitted
from recon_streams.discrepancies.life import NotPossible
from recon_streams.discrepancies.register import NotThere
from recon_streams.embedded.access import DoorNotOurs
from recon_streams.embedded.binaries import NoPostgres
from recon_streams.embedded.postgres import EmbeddedPostgresFailed
from recon_streams.embedded.service_user import DirectoryClosed
from recon_streams.identity.flaw import NotBelieved
from recon_streams.log.errors import (
    LogUnreachable,
    LostRecords,
    OffsetOutOfRange,
    RecordRefused,
    TopicRefused,
    UnknownTopic,
)
from recon_streams.positions.authorship import TakesTwo
from recon_streams.positions.registry_store import OpeningChanged
from recon_streams.runtime.exit_codes import ExitCode
from recon_streams.runtime.problems import AddressInUse, ConfigurationInvalid
from recon_streams.runtime.telemetry import configure_logging

T = TypeVar("T")

# The log or somebody else moved on meanwhile, or it was meant differently.
_ASK_AGAIN: Final = (
    HalfDismissed,
    LostRecords,
    NoSuchRequest,
    NotPossible,
    NotThere,
    NotWaiting,
    OffsetOutOfRange,
)
_REFUSED: Final = (
    AlreadyRunning,
    DirectoryClosed,
    DoorNotOurs,
    ForeignLog,
    NotAllowed,
    NotAskable,
    NotBelieved,
    NotPermitted,
    OpeningChanged,
    RecordRefused,
    TakesTwo,
    TopicRefused,
    WrongRevision,
)
_UNREACHABLE: Final = (
    AddressInUse,
    NotRunning,
    NoPostgres,
    EmbeddedPostgresFailed,
    DatabaseUnreachable,
    LogUnreachable,
    UnknownTopic,
    BookGone,
)

app = typer.Typer(
    name="recon-streams",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _program() -> None:
    """Proves that the money a ledger says exists is at the bank, and stops payouts when not."""
    # Without this a command that is loaded alone would be the whole program.


class Ended(Exception):
    """A command has answered and ends with a code of its own."""

    def __init__(self, code: ExitCode) -> None:
        super().__init__(code.name)
        self.code = code


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` on a fast loop and return what it returns."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def main() -> None:
    """Run the command line; every foreseen failure is a sentence and an exit code."""
    # What libraries have to say is for a daemon's log, which says so when it starts.
    configure_logging("critical", "auto")
    try:
        app(standalone_mode=True)
    except Ended as ended:
        sys.exit(ended.code)
    except ConfigurationInvalid as error:
        talk.print(error.render(), markup=False)
        sys.exit(ExitCode.CONFIGURATION)
    except _ASK_AGAIN as error:
        _say(error)
        sys.exit(ExitCode.FAILURE)
    except _REFUSED as error:
        _say(error)
        sys.exit(ExitCode.REFUSED)
    except _UNREACHABLE as error:
        _say(error)
        sys.exit(ExitCode.UNREACHABLE)
    except UNAVAILABLE as error:
        talk.print(f"error: the book went away: {error!r}", markup=False)
        sys.exit(ExitCode.UNREACHABLE)


def _say(error: Exception) -> None:
    talk.print(f"error: {error}", markup=False)
