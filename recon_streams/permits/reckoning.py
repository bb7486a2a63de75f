"""Which scopes have a permit: CLOSED with all above them, and not denied since. Pure."""

from collections.abc import Mapping

from recon_streams.publisher.newest import ScopeStanding
from topics.breaker import BreakerState

Version = tuple[int, int]


def is_granted(
    scope: str, standings: Mapping[str, ScopeStanding], denied: Mapping[str, Version]
) -> bool:
    """Return whether `scope` has a permit.

    A parent that nobody knows is not CLOSED.

    Args:
        scope: One of `standings`.
        standings: Where every scope stands in the book.
        denied: The newest denial of a scope that was announced; the book may have been read before.
    """
    return all(
        standing is not None
        and standing.state is BreakerState.CLOSED
        and denied.get(each, (0, 0)) < standing.version
        for each in (scope, *standings[scope].parents)
        for standing in [standings.get(each)]
    )


def below(scope: str, standings: Mapping[str, ScopeStanding]) -> list[str]:
    """Return the scopes that have no permit while `scope` is not CLOSED, itself among them."""
    return [scope, *(each.scope for each in standings.values() if scope in each.parents)]
