"""What a payout service asks when its guard has no lease: does a paper of two people let it pay?

For `DegradedGuard`, which asks only where every record it knows says CLOSED and no
lease counts; a scope that is OPEN, SUSPENDED or unknown is never let pay by a paper.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from recon_streams.degraded.paper import NotPermitted, Paper, PaperFlaw, Terms, read_paper, verify
from recon_streams.identity.flaw import NotBelieved
from recon_streams.identity.keys import PublicKey, read_public_key
from recon_streams.identity.operators import Operators, read_operators

_LOG: Final = logging.getLogger(__name__)


def _wall() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a payout service has no clock module of ours


class DegradedPermits:
    """Reads the permit file while there is no lease: `DegradedGuard(guard, DegradedPermits(...))`.

    Args:
        file: Where the permit file will be, if there ever is one.
        operators_file: The signed file of operators, a copy beside the service.
        root_key: The public root key that must have signed it; pinned like the breaker's keys.

    Raises:
        NotBelieved: The root key or the file of operators cannot be used.
    """

    def __init__(
        self,
        file: Path,
        *,
        operators_file: Path,
        root_key: Path,
        wall: Callable[[], datetime] = _wall,
        elapsed_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file, self._operators_file = file, operators_file
        self._root: PublicKey = read_public_key(root_key)
        self._version = self._operators().listed.version
        self._wall, self._elapsed_seconds = wall, elapsed_seconds
        self._paper: Paper | None = None
        self._ends_at_seconds = 0.0

    def __call__(self, scopes: Sequence[str]) -> bool:
        """Return whether a paper lets every one of `scopes` pay now; never raises for a bad one."""
        if not self._file.exists():
            return False
        try:
            terms = self._terms()
        except (NotPermitted, NotBelieved) as error:
            _LOG.error("the permit file permits nothing: %s", error)
            return False
        return set(scopes) <= set(terms.scopes)

    def _terms(self) -> Terms:
        paper, now = read_paper(self._file), self._wall()
        operators = self._operators()
        if operators.listed.version < self._version:
            raise NotPermitted(PaperFlaw.UNREADABLE, "the file of operators went back")
        self._version = operators.listed.version
        terms = verify(paper, operators, now)
        elapsed_seconds = self._elapsed_seconds()
        if paper != self._paper:
            self._paper = paper
            left = terms.not_after - now
            self._ends_at_seconds = elapsed_seconds + left.total_seconds()
        if elapsed_seconds >= self._ends_at_seconds:
            # A wall clock that was set back lengthens nothing.
            raise NotPermitted(PaperFlaw.OVER, "it is over by the clock that cannot be set")
        return terms

    def _operators(self) -> Operators:
        return read_operators(self._operators_file, self._root)
