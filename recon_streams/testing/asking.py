"""Asks a guard until it gives the answer that a test waits for."""

from typing import Any

from recon_streams.client.permit import Permit
from recon_streams.testing.logs import until


async def reason_is(
    guard: Any,  # noqa: ANN401 - a guard of either kind
    reason: str,
    *scopes: str,
    seconds_max: float = 15,
) -> Permit:
    """Return the first permit with `reason`; of account A where no scope is named.

    Raises:
        AssertionError: It is not given within `seconds_max`; says what is, and the counts.
    """
    asked, last = scopes or ("account:A:AED",), ""

    def holds() -> bool:
        nonlocal last
        last = guard.permit(*asked).reason
        return bool(last == reason)

    try:
        await until(holds, seconds_max)
    except TimeoutError as late:
        raise AssertionError(f"it is still {last}, not {reason}: {guard.counts()}") from late
    answer: Permit = guard.permit(*asked, payout_id="p-1")
    return answer
