"""What each place hears, and in which words."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from recon_streams.alerts.alarm import Acknowledged, Covered, Facts, Gone, Raised
from recon_streams.alerts.storm import TOLD_MAX
from recon_streams.bridges.alertmanager import PATH, Alertmanager
from recon_streams.bridges.http import Post
from recon_streams.bridges.mail import Mail, MailTerms
from recon_streams.bridges.pagerduty import PagerDuty, incident_key
from recon_streams.bridges.webhook import Webhook
from topics.alerts import Severity

pytestmark = pytest.mark.postgres
FactsOf = Callable[..., Facts]
BASE = "https://wiki.example/recon"
RUNBOOK = f"{BASE}/docs/runbooks/positions.md#shortage"
SECRETS = ["whsec_" + "b2xkc2VjcmV0" * 3, "whsec_" + "bmV3c2VjcmV0" * 3]


async def all_of(alerts: Any, bridge: Any, facts: Facts, start: datetime) -> None:
    """Begin, take in hand and end one cause, and let the bridge tell it."""
    await bridge.turn()
    await alerts.says(
        Raised(key="a", at=start, facts=facts),
        Acknowledged(key="a", at=start, actor="ana"),
        Gone(key="a", at=start),
    )
    while await bridge.turn():
        pass
    await bridge.close()


async def test_pagerduty_hears_one_incident_with_its_three_actions(
    alerts: Any, receiver: Any, start: datetime, make_facts: FactsOf
) -> None:
    post = Post(f"{receiver.url}/v2/enqueue", timeout_seconds=2)
    sink = PagerDuty(post, routing_key="r0ut1ng", base=BASE)
    facts = make_facts(Severity.CRITICAL, epoch=7, status="OPEN")
    await all_of(alerts, alerts.bridge(sink), facts, start)
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


async def ended_after_two_hours(
    alerts: Any, bridge: Any, facts: Facts, start: datetime, source: str
) -> None:
    """Begin a cause, find it again, and end it two hours later by `source`."""
    await bridge.turn()
    await alerts.says(
        Raised(key="a", at=start, facts=facts),
        Raised(key="a", at=start + timedelta(minutes=7), facts=facts),
        Gone(key="a", at=start + timedelta(hours=2, minutes=5), source=source),
    )
    while await bridge.turn():
        pass
    await bridge.close()


OVER = (
    "SHORTAGE is over since 2026-11-21 10:05:00Z, after 2 h 5 min (seen 2x), {by}. "
    "It was: SAFE AED: CRITICAL by SHORTAGE"
)


async def test_pagerduty_reads_what_ended_when_and_by_what(
    alerts: Any, receiver: Any, start: datetime, make_facts: FactsOf
) -> None:
    sink = PagerDuty(
        Post(f"{receiver.url}/v2/enqueue", timeout_seconds=2), routing_key="r", base=None
    )
    await ended_after_two_hours(
        alerts, alerts.bridge(sink), make_facts(), start, "bank.statements/0/17"
    )
    payload = receiver.said[-1]["payload"]
    assert receiver.said[-1]["event_action"] == "resolve"
    assert payload["summary"] == OVER.format(by="proven by bank.statements/0/17")
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
    await ended_after_two_hours(alerts, alerts.bridge(sink), make_facts(), begun, "person")
    (end,) = receiver.said[-1]
    assert end["endsAt"] == "2026-11-20T10:05:00+00:00"
    assert end["startsAt"] == "2026-11-20T08:00:00+00:00"
    assert end["annotations"]["ended_by"] == "person"
    assert "after 2 h 5 min (seen 2x), ended by a person." in end["annotations"]["summary"]


async def test_a_webhook_has_the_end_in_fields_of_its_own(
    alerts: Any, receiver: Any, start: datetime, make_facts: FactsOf
) -> None:
    sink = Webhook(Post(receiver.url, timeout_seconds=2), secrets=SECRETS, base=None)
    await ended_after_two_hours(alerts, alerts.bridge(sink), make_facts(), start, "time")
    data = receiver.said[-1]["data"]
    assert data["summary"] == OVER.format(by="it went by itself")
    assert (data["ended_at"], data["lasted_seconds"], data["ended_by"], data["count"]) == (
        "2026-11-21T10:05:00Z", 7500, "time", 2,
    )  # fmt: skip


async def test_a_letter_says_in_its_subject_what_ended_and_after_how_long(
    alerts: Any, letterbox: tuple["Letterbox", int], start: datetime, make_facts: FactsOf
) -> None:
    box, port = letterbox
    facts = make_facts(Severity.CRITICAL)
    await ended_after_two_hours(alerts, alerts.bridge(mail(port)), facts, start, "run 7")
    letter = box.letters[-1]
    assert letter["Subject"] == f"OVER critical: {OVER.format(by='proven by run 7')}"
    text = letter.get_content()
    for line in ("lasted: 2 h 5 min", "seen: 2x", "ended_by: run 7"):
        assert line in text.splitlines()


async def test_a_letter_does_not_say_over_of_what_is_told_as_another_alert(
    alerts: Any, letterbox: tuple["Letterbox", int], start: datetime, make_facts: FactsOf
) -> None:
    box, port = letterbox
    bridge = alerts.bridge(mail(port, severities=(Severity.ERROR,)))
    await bridge.turn()
    await alerts.says(
        Raised(key="a", at=start, facts=make_facts()),
        Covered(key="a", at=start, by="storm:SHORTAGE"),
    )
    while await bridge.turn():
        pass
    assert box.letters[-1]["Subject"].startswith("TOLD ELSEWHERE error: SHORTAGE is not over")
    assert "told_as: storm:SHORTAGE" in box.letters[-1].get_content()


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
    await all_of(alerts, alerts.bridge(sink), make_facts(), start)
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


class Letterbox:
    """A mail server's desk: keeps letters, and refuses what it was told to."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.replies: list[str] = []

    async def handle_DATA(  # noqa: N802 - the server's name for it
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        reply = self.replies.pop(0) if self.replies else "250 kept"
        if reply.startswith("250"):
            letter = message_from_bytes(envelope.original_content or b"", policy=policy.default)
            assert isinstance(letter, EmailMessage)
            self.letters.append(letter)
        return reply


@pytest.fixture
async def letterbox() -> AsyncIterator[tuple[Letterbox, int]]:
    box = Letterbox()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(box, hostname="mail.example"), "127.0.0.1", 0
    )
    yield box, server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


def mail(port: int, **changes: Any) -> Mail:
    terms: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "recon@bank.example",
        "recipients": ("finance@bank.example", "cfo@bank.example"),
        "severities": (Severity.CRITICAL,),
        "timeout_seconds": 2.0,
    }
    return Mail(MailTerms(**terms | changes), base=BASE)


async def test_the_finance_team_reads_one_thread_for_each_cause(
    alerts: Any, letterbox: tuple[Letterbox, int], start: datetime, make_facts: FactsOf
) -> None:
    box, port = letterbox
    await all_of(alerts, alerts.bridge(mail(port)), make_facts(Severity.CRITICAL), start)
    assert [letter["Subject"].split()[0] for letter in box.letters] == ["ALERT", "IN", "OVER"]
    assert len({letter["Message-ID"] for letter in box.letters}) == 3
    assert len({letter["References"] for letter in box.letters}) == 1
    text = box.letters[0].get_content()
    assert "unexplained: -12.5" in text
    assert f"runbook: {RUNBOOK}" in text
    assert box.letters[0]["To"] == "finance@bank.example, cfo@bank.example"


async def test_mail_is_sent_about_what_was_asked_for_and_its_end(
    alerts: Any, letterbox: tuple[Letterbox, int], start: datetime, make_facts: FactsOf
) -> None:
    box, port = letterbox
    bridge = alerts.bridge(mail(port, classes=("SHORTAGE",)))
    await bridge.turn()
    await alerts.says(
        Raised(key="mild", at=start, facts=make_facts()),
        Raised(key="other", at=start, facts=make_facts(Severity.CRITICAL, alert_class="X")),
        Raised(key="short", at=start, facts=make_facts(Severity.CRITICAL)),
        # It is not as urgent any more, and its end is still news to whoever was told.
        Raised(key="short", at=start, facts=make_facts(Severity.WARNING)),
        Gone(key="mild", at=start),
        Gone(key="short", at=start),
    )
    while await bridge.turn():
        pass
    keys = [letter.get_content().rsplit("alert: ", 1)[1].strip() for letter in box.letters]
    assert keys == ["short"] * 3


async def test_a_storm_of_missing_money_fills_no_letterbox(
    alerts: Any, letterbox: tuple[Letterbox, int], start: datetime, make_facts: FactsOf
) -> None:
    box, port = letterbox
    bridge = alerts.bridge(mail(port))
    await bridge.turn()
    await alerts.says(
        *[
            Raised(
                key=f"position:{number}",
                at=start,
                facts=make_facts(Severity.CRITICAL, scope=f"account:A{number}:AED"),
            )
            for number in range(300)
        ]
    )
    while await bridge.turn():
        pass
    assert len(box.letters) == TOLD_MAX + 1
    letter = box.letters[-1]
    assert letter["Subject"] == (
        "ALERT critical: SHORTAGE: 300 alerts at once, 250 told only here, 250 of "
        "these critical; 300 scopes; short AED -3750"
    )
    text = letter.get_content()
    assert "evidence: recon-streams alerts list --class SHORTAGE" in text
    assert "short_AED: -3750" in text


@pytest.mark.parametrize(
    ("reply", "outcomes"), [("451 later", ["SENT"]), ("554 never", ["PARKED"])]
)
async def test_a_mail_server_says_later_or_never(
    alerts: Any, letterbox: tuple[Letterbox, int], make_facts: FactsOf, reply: str,
    outcomes: list[str],
) -> None:  # fmt: skip
    box, port = letterbox
    box.replies.append(reply)
    bridge = alerts.bridge(mail(port))
    await bridge.turn()
    at = datetime.fromisoformat("2026-11-21T08:00:00Z")
    await alerts.says(Raised(key="a", at=at, facts=make_facts(Severity.CRITICAL)))
    for _ in range(2):
        await bridge.turn()
        await alerts.forgets_to_wait()
    assert [row["outcome"] for row in await alerts.deliveries("mail")] == outcomes
    assert len(box.letters) == (outcomes == ["SENT"])


async def test_a_line_break_in_a_summary_makes_no_header(
    alerts: Any, letterbox: tuple[Letterbox, int], start: datetime, make_facts: FactsOf
) -> None:
    box, port = letterbox
    facts = make_facts(Severity.CRITICAL, summary="short\r\nBcc: thief@example.org\r\n\r\nhello")
    await all_of(alerts, alerts.bridge(mail(port)), facts, start)
    assert box.letters[0]["Bcc"] is None
    assert "Bcc: thief" in box.letters[0]["Subject"]


async def test_a_mail_server_that_is_not_there_is_down(
    alerts: Any, start: datetime, make_facts: FactsOf
) -> None:
    await all_of(alerts, alerts.bridge(mail(1)), make_facts(Severity.CRITICAL), start)
    row = await alerts.pool.fetchrow("SELECT trouble, failures FROM alerts.bridge")
    assert tuple(row) == ("ConnectionRefusedError", 1)
