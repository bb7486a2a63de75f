"""The composition root of a running process: side server, worker, publisher, and their watch."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
import structlog

from agents.consume import exit_code_of
from agents.logs import Logs
from agents.patience import UNAVAILABLE, BookGone
from agents.worker import WorkerParts, make_intakes, run_worker
from recon_streams.kernel.disposition import Outcome
from recon_streams.log.errors import LogUnreachable
from recon_streams.log.record import Batch
from recon_streams.positions.registry_store import DirectoryCache
from recon_streams.publisher import outbox
from recon_streams.publisher.lease import LeaseRefusal, LeaseTerms
from recon_streams.publisher.service import PublisherParts, run_publisher
from recon_streams.runtime.leaving import leave_process
from recon_streams.runtime.settings import Settings

_log = structlog.get_logger()
_RETURN_SECONDS = 1.0
