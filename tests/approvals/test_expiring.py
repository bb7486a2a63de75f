"""A request that nobody agreed to ends by itself, and its alert with it."""

import msgspec
import pytest
from approval_people import Office

from agents.expiring import end_overdue
from recon_streams.approvals import store
from recon_streams.approvals.machine import RequestState

pytestmark = pytest.mark.postgres


async def test_an_expired_request_ends_once_and_so_does_its_alert(office: Office) -> None:
    await office.write("7", "as it was")
    late, other = await office.ask("ada", "7"), await office.ask("ada", "7")
    await office.past_expiry(late)
    assert await end_overdue(office.pool) == 1
    assert await end_overdue(office.pool) == 0
    found = await store.find(office.pool, late.request_id)
    assert found is not None
    assert found.state is RequestState.EXPIRED
    rows = await office.pool.fetch(
        "SELECT payload FROM book.outbox WHERE topic = 'recon.alerts' ORDER BY outbox_id"
    )
    alerts = [msgspec.json.decode(row["payload"]) for row in rows]
    told = [(each["dedup_key"], each["action"]) for each in alerts]
    assert told == [
        (f"approval_waiting:{late.request_id}", "trigger"),
        (f"approval_waiting:{other.request_id}", "trigger"),
        (f"approval_waiting:{late.request_id}", "resolve"),
    ]
    assert alerts[-1]["ended_by"] == "time"
    assert "it went by itself" in alerts[-1]["summary"]
