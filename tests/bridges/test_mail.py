"""What the finance team reads in its letters, and what becomes of a server that takes none."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from recon_streams.alerts.alarm import Covered, Facts, Gone, Raised
from recon_streams.alerts.storm import TOLD_MAX
from recon_streams.bridges.mail import Mail, MailTerms
from topics.alerts import Severity

pytestmark = pytest.mark.postgres
FactsOf = Callable[..., Facts]
BASE = "https://wiki.example/recon"
RUNBOOK = f"{BASE}/docs/runbooks/positions.md#shortage"


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


async def test_a_letter_says_in_its_subject_what_ended_and_after_how_long(
    alerts: Any, letterbox: tuple[Letterbox, int], start: datetime, make_facts: FactsOf
) -> None:
    box, port = letterbox
    facts = make_facts(Severity.CRITICAL)
    await alerts.ends_after_two_hours(alerts.bridge(mail(port)), facts, start, "run 7")
    letter = box.letters[-1]
    assert letter["Subject"] == f"OVER critical: {alerts.over('proven by run 7')}"
    text = letter.get_content()
    for line in ("lasted: 2 h 5 min", "seen: 2x", "ended_by: run 7"):
        assert line in text.splitlines()


async def test_a_letter_does_not_say_over_of_what_is_told_as_another_alert(
    alerts: Any, letterbox: tuple[Letterbox, int], start: datetime, make_facts: FactsOf
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


async def test_the_finance_team_reads_one_thread_for_each_cause(
    alerts: Any, letterbox: tuple[Letterbox, int], start: datetime, make_facts: FactsOf
) -> None:
    box, port = letterbox
    await alerts.lives(alerts.bridge(mail(port)), make_facts(Severity.CRITICAL), start)
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
    await alerts.lives(alerts.bridge(mail(port)), facts, start)
    assert box.letters[0]["Bcc"] is None
    assert "Bcc: thief" in box.letters[0]["Subject"]


async def test_a_mail_server_that_is_not_there_is_down(
    alerts: Any, start: datetime, make_facts: FactsOf
) -> None:
    await alerts.lives(alerts.bridge(mail(1)), make_facts(Severity.CRITICAL), start)
    row = await alerts.pool.fetchrow("SELECT trouble, failures FROM alerts.bridge")
    assert tuple(row) == ("ConnectionRefusedError", 1)
