"""What each place hears, and in which words."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from recon_streams.alerts.alarm import Facts, Gone, Raised
from recon_streams.bridges.alertmanager import PATH, Alertmanager
from recon_streams.bridges.http import Post
from recon_streams.bridges.pagerduty import PagerDuty, incident_key
from recon_streams.bridges.webhook import Webhook
from topics.alerts import Severity

pytestmark = pytest.mark.postgres
FactsOf = Callable[..., Facts]
BASE = "https://wiki.example/recon"
RUNBOOK = f"{BASE}/docs/runbooks/positions.md#shortage"
SECRETS = ["whsec_" + "b2xkc2VjcmV0" * 3, "whsec_" + "bmV3c2VjcmV0" * 3]


async def test_pagerduty_hears_one_incident_with_its_three_actions(
    alerts: Any, receiver: Any, start: datetime, make_facts: FactsOf
) -> None:
    post = Post(f"{receiver.url}/v2/enqueue", timeout_seconds=2)
    sink = PagerDuty(post, routing_key="r0ut1ng", base=BASE)
    facts = make_facts(Severity.CRITICAL, epoch=7, status="OPEN")
    await alerts.lives(alerts.bridge(sink), facts, start)
    first, second, third = receiver.said
    assert [each["event_action"] for each in receiver.said] == ["trigger", "acknowledge", "resolve"]
    assert {each["dedup_key"] for each in receiver.said} == {"a"}
    assert {each["routing_key"] for each in (first, second, third)} == {"r0ut1ng"}
    payload = first["payload"]
    assert (payload["severity"], payload["class"]) == ("critical", "SHORTAGE")
    assert payload["custom_details"]["amount_unexplained"] == "-12.5"
    assert (payload["custom_details"]["tier"], payload["custom_details"]["epoch"]) == (
        "CRITICAL", 7,
    )  # fmt: skip
    assert first["links"] == [{"href": RUNBOOK, "text": "Runbook: SHORTAGE"}]
    rows = await alerts.pool.fetch("SELECT detail FROM alerts.delivery")
    assert not any("r0ut1ng" in row["detail"] for row in rows)


async def test_pagerduty_reads_what_ended_when_and_by_what(
    alerts: Any, receiver: Any, start: datetime, make_facts: FactsOf
) -> None:
    sink = PagerDuty(
        Post(f"{receiver.url}/v2/enqueue", timeout_seconds=2), routing_key="r", base=None
    )
    await alerts.ends_after_two_hours(
        alerts.bridge(sink), make_facts(), start, "bank.statements/0/17"
    )
    payload = receiver.said[-1]["payload"]
    assert receiver.said[-1]["event_action"] == "resolve"
    assert payload["summary"] == alerts.over("proven by bank.statements/0/17")
    assert payload["timestamp"] == "2026-11-21T10:05:00+00:00"
    details = payload["custom_details"]
    assert (details["lasted"], details["seen"], details["ended_by"]) == (
        "2 h 5 min", "2x", "bank.statements/0/17",
    )  # fmt: skip


async def test_alertmanager_reads_the_end_and_ends_it_when_it_was_over(
    alerts: Any, receiver: Any, start: datetime, make_facts: FactsOf
) -> None:
    sink = Alertmanager(Post(receiver.url + PATH, timeout_seconds=2), renew_seconds=60, base=None)
    begun = start - timedelta(days=1)  # whatever the clock of this machine says, it is past
    await alerts.ends_after_two_hours(alerts.bridge(sink), make_facts(), begun, "person")
    (end,) = receiver.said[-1]
    assert end["endsAt"] == "2026-11-20T10:05:00+00:00"
    assert end["startsAt"] == "2026-11-20T08:00:00+00:00"
    assert end["annotations"]["ended_by"] == "person"
    assert "after 2 h 5 min (seen 2x), ended by a person." in end["annotations"]["summary"]


async def test_a_webhook_has_the_end_in_fields_of_its_own(
    alerts: Any, receiver: Any, start: datetime, make_facts: FactsOf
) -> None:
    sink = Webhook(Post(receiver.url, timeout_seconds=2), secrets=SECRETS, base=None)
    await alerts.ends_after_two_hours(alerts.bridge(sink), make_facts(), start, "time")
    data = receiver.said[-1]["data"]
    assert data["summary"] == alerts.over("it went by itself")
    assert (data["ended_at"], data["lasted_seconds"], data["ended_by"], data["count"]) == (
        "2026-11-21T10:05:00Z", 7500, "time", 2,
    )  # fmt: skip


def test_a_key_that_is_too_long_for_pagerduty_is_hashed_and_no_other_is() -> None:
    assert incident_key("a" * 255) == "a" * 255
    assert len(incident_key("a" * 256)) <= 255
    assert incident_key("a" * 256) != incident_key("a" * 257)


async def test_alertmanager_hears_identity_and_an_end_that_is_put_off(
    alerts: Any, receiver: Any, start: datetime, make_facts: FactsOf
) -> None:
    sink = Alertmanager(
        Post(receiver.url + PATH, timeout_seconds=2), renew_seconds=60, base=BASE, token="t0ken"
    )
    bridge = alerts.bridge(sink)
    await bridge.turn()
    await alerts.says(Raised(key="a", at=start, facts=make_facts()))
    await bridge.turn()
    (said,) = receiver.said[-1]
    assert receiver.requests[-1].headers["Authorization"] == "Bearer t0ken"
    assert receiver.requests[-1].path == "/api/v2/alerts"
    assert said["labels"] == {
        "alertname": "SHORTAGE",
        "dedup_key": "a",
        "severity": "error",
        "service": "recon-streams",
        "component": "positions",
        "scope": "account:SAFE:AED",
    }
    assert said["annotations"]["runbook_url"] == RUNBOOK
    assert datetime.fromisoformat(said["endsAt"]) > datetime.fromisoformat(said["startsAt"])
    await alerts.pool.execute("UPDATE alerts.bridge SET renewed_at = '2000-01-01'")
    await bridge.turn()
    (again,) = receiver.said[-1]
    assert again["labels"] == said["labels"]
    assert again["endsAt"] > said["endsAt"]
    await bridge.close()


async def test_what_alertmanager_knew_under_other_labels_ends_with_the_change(
    alerts: Any, receiver: Any, start: datetime, make_facts: FactsOf
) -> None:
    sink = Alertmanager(Post(receiver.url + PATH, timeout_seconds=2), renew_seconds=60, base=None)
    bridge = alerts.bridge(sink)
    await bridge.turn()
    await alerts.says(Raised(key="a", at=start, facts=make_facts()))
    open_ = make_facts(alert_class="BREAKER_OPEN", component="breaker")
    await alerts.says(Raised(key="a", at=start, facts=open_))
    await alerts.says(Gone(key="a", at=start))
    while await bridge.turn():
        pass
    _, changed, ended = [each for each in receiver.said if each]
    assert [each["labels"]["alertname"] for each in changed] == ["SHORTAGE", "BREAKER_OPEN"]
    assert changed[0]["endsAt"] < changed[1]["endsAt"]
    (end,) = ended
    assert end["labels"]["alertname"] == "BREAKER_OPEN"
    await bridge.close()


async def test_each_of_two_living_secrets_verifies_a_webhook_and_a_third_does_not(
    alerts: Any, receiver: Any, start: datetime, make_facts: FactsOf
) -> None:
    sink = Webhook(Post(receiver.url, timeout_seconds=2), secrets=SECRETS, base=BASE)
    await alerts.lives(alerts.bridge(sink), make_facts(), start)
    assert [each["type"] for each in receiver.said] == [
        "recon.alert.trigger", "recon.alert.acknowledge", "recon.alert.resolve",
    ]  # fmt: skip
    for request in receiver.requests:
        for secret in SECRETS:
            said = Verifier(secret).verify(request.body, request.headers)
            assert said["data"]["dedup_key"] == "a"
        with pytest.raises(WebhookVerificationError):
            Verifier("whsec_" + "b3RoZXI=").verify(request.body, request.headers)
        with pytest.raises(WebhookVerificationError):
            Verifier(SECRETS[0]).verify(request.body + b" ", request.headers)
    assert len({each.headers["webhook-id"] for each in receiver.requests}) == 3
