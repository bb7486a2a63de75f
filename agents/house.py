"""The composition root of a running process: side server, worker, publisher, and their watch."""

import structlog

_log = structlog.get_logger()
_RETURN_SECONDS = 1.0
