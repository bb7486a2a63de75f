"""A guard that asks for the paper of two people where no lease counts, and nowhere else."""

from msgspec.structs import replace

from recon_streams.client.follower import Follower
from recon_streams.client.guard import AsyncBreakerGuard
from recon_streams.client.permit import Permit
from recon_streams.degraded.grants import DegradedPermits

GRANTED_DEGRADED = "GRANTED_DEGRADED"
# Nobody says that all is well. A guard that does not run or has not read the log knows nothing of
# what was stopped, and no paper helps it.
_NOBODY_SAYS = frozenset({"NO_LEASE", "LEASE_EXPIRED"})


class DegradedGuard:
    """Answers as `guard` does; without a lease, what every record and the paper allow.

    A permit by paper has the reason `GRANTED_DEGRADED`, and `guard.on_permit` is called with it
    after it was called with the denial. A scope that is OPEN, SUSPENDED or not known, itself or by
    one of its parents, is denied whatever a paper says.
    """

    def __init__(self, guard: AsyncBreakerGuard, papers: DegradedPermits) -> None:
        """Ask `guard` first, then `papers`."""
        self._guard = guard
        self._papers = papers

    def permit(self, scope: str, *others: str, payout_id: str | None = None) -> Permit:
        """Return whether a payout that needs `scope` and all `others` may leave, now."""
        answer = self._guard.permit(scope, *others, payout_id=payout_id)
        if answer.reason not in _NOBODY_SAYS:
            return answer
        scopes = (scope, *others)
        relied_on = _closed(self._guard._follower, scopes)  # noqa: SLF001 - both are of one client
        if relied_on is None or not self._papers(scopes):
            return answer
        granted = replace(answer, granted=True, reason=GRANTED_DEGRADED, relied_on=relied_on)
        self._guard.on_permit(granted)
        return granted


def _closed(follower: Follower, scopes: tuple[str, ...]) -> tuple[tuple[str, int, int], ...] | None:
    """Return (scope, epoch, seq) of `scopes` and their parents if all are CLOSED; None if not."""
    with follower._lock:  # noqa: SLF001 - the records of one moment
        wanted, relied_on = list(dict.fromkeys(scopes)), []
        for scope in wanted:  # parents join its end while it is read
            known = follower._scopes.get(scope)  # noqa: SLF001 - as above
            if known is None or known.verdict != "CLOSED":
                return None
            relied_on.append((scope, *known.number))
            wanted += [each for each in known.parents if each not in wanted]
    return tuple(relied_on)
