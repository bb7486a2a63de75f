"""Leaving the process at once. Nothing unexpected is survived; a supervisor starts us again."""

import faulthandler
import os
import sys
from typing import NoReturn

import structlog

from recon_streams.runtime.exit_codes import ExitCode

_log = structlog.get_logger()


def leave_process(reason: str, code: ExitCode) -> NoReturn:
    """Say why and end the process without cleaning up.

    Cleaning up would run code in a state nobody foresaw. Everything that counts is either
    committed or will be read again.
    """
    _log.critical("process_left", reason=reason, exit_code=int(code), exit_name=code.name)
    if code in (ExitCode.STALLED, ExitCode.STOP_TOO_SLOW):
        faulthandler.dump_traceback(file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(code))
