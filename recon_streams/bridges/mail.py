"""Alerts by e-mail, for people who are not on call but must know: the finance team, mostly.

Each alert is one message with an id of its own, so that a message that was sent twice is shown
once; all of one cause are one thread.
"""

import asyncio
import smtplib
import ssl
from collections.abc import Collection, Sequence
from email.message import EmailMessage
from hashlib import sha256
from typing import Final, Literal

import msgspec

from recon_streams.bridges.sink import Answer, Delivery, Outcome, runbook_url, story_of
from topics.alerts import Alert, Severity

Security = Literal["starttls", "tls", "none"]
_DOMAIN: Final = "recon-streams.invalid"
_PERMANENT: Final = range(500, 600)
_SUBJECT_CHARACTERS_MAX: Final = 200


class MailTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Where mail goes, and about what.

    Attributes:
        severities: Only these.
        classes: Only these; all if there are none.
    """

    host: str
    port: int
    security: Security
    sender: str
    recipients: tuple[str, ...]
    username: str | None = None
    password: str | None = None
    severities: Collection[Severity] = tuple(Severity)
    classes: Collection[str] = ()
    timeout_seconds: float = 10.0


class Mail:
    """See `Sink`."""

    name = "mail"
    renew_seconds: float | None = None

    def __init__(self, terms: MailTerms, *, base: str | None) -> None:
        """Send as `terms` say; runbooks are at `base`."""
        self._terms = terms
        self._base = base

    def wants(self, delivery: Delivery) -> bool:
        """Return whether it was asked for, or ends what was told."""
        alert, terms = delivery.alert, self._terms
        if delivery.known is not None and delivery.known.action != "resolve":
            return True
        return (
            alert.action == "trigger"
            and alert.severity in terms.severities
            and (not terms.classes or alert.alert_class in terms.classes)
        )

    async def send(self, delivery: Delivery) -> Answer:
        """Send one message to all recipients."""
        message = self._message(delivery)
        try:
            await asyncio.to_thread(self._send, message)
        except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
            return _refused(error.smtp_code)
        except smtplib.SMTPRecipientsRefused as error:
            return _refused(max(code for code, _ in error.recipients.values()))
        except (smtplib.SMTPException, OSError) as error:
            return Answer(outcome=Outcome.LATER, detail=type(error).__name__)
        return Answer(outcome=Outcome.SENT)

    async def renew(self, firing: Sequence[Alert]) -> Answer:
        """Do nothing: people remember."""
        return Answer(outcome=Outcome.SENT, detail=f"{len(firing)} are remembered")

    async def close(self) -> None:
        """Do nothing: each message has a connection of its own."""

    def _send(self, message: EmailMessage) -> None:
        terms = self._terms
        context = ssl.create_default_context()
        timeout = terms.timeout_seconds
        if terms.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                terms.host, terms.port, timeout=timeout, context=context
            )
        else:
            server = smtplib.SMTP(terms.host, terms.port, timeout=timeout)
        with server:
            if terms.security == "starttls":
                server.starttls(context=context)
            if terms.username is not None:
                server.login(terms.username, terms.password or "")
            server.send_message(message)

    def _message(self, delivery: Delivery) -> EmailMessage:
        alert = delivery.alert
        cause = sha256(alert.dedup_key.encode()).hexdigest()[:32]
        message = EmailMessage()
        title = _TITLES[alert.action] if alert.instead is None else "TOLD ELSEWHERE"
        subject = f"{title} {alert.severity.value}: {alert.summary}"
        message["Subject"] = _one_line(subject)[:_SUBJECT_CHARACTERS_MAX]
        message["From"] = self._terms.sender
        message["To"] = ", ".join(self._terms.recipients)
        message["Date"] = alert.at
        message["Message-ID"] = f"<{delivery.id}@{_DOMAIN}>"
        message["References"] = f"<cause.{cause}@{_DOMAIN}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        message.set_content("\n".join(self._lines(alert)) + "\n")
        return message

    def _lines(self, alert: Alert) -> list[str]:
        lines = [_one_line(alert.summary), ""]
        said = {
            "class": alert.alert_class,
            "severity": alert.severity.value,
            "scope": alert.scope,
            "tier": alert.tier,
            "status": alert.status,
            **alert.amounts,
            **story_of(alert),
            "evidence": alert.links.evidence if alert.links else None,
            "runbook": runbook_url(alert, self._base)
            or (alert.links.runbook if alert.links else None),
            "alert": alert.dedup_key,
        }
        return lines + [f"{name}: {_one_line(str(value))}" for name, value in said.items() if value]


_TITLES: Final = {"trigger": "ALERT", "acknowledge": "IN HAND", "resolve": "OVER"}


def _refused(code: int) -> Answer:
    """Return what a reply to this one message says: RFC 5321 keeps 5 for what stays so."""
    outcome = Outcome.PARKED if code in _PERMANENT else Outcome.LATER
    return Answer(outcome=outcome, detail=f"SMTP {code}")


def _one_line(text: str) -> str:
    """Return `text` without what could begin a header or a line of its own."""
    return "".join(each if each.isprintable() else " " for each in text)
