"""How an alert looks on `recon.alerts`. Pure."""

from datetime import datetime
from typing import Final

import msgspec

from recon_streams.alerts.alarm import SUMMARY_CHARACTERS_MAX, Alarm
from recon_streams.alerts.classes import runbook_of
from recon_streams.alerts.ending import ending_of
from recon_streams.log.record import OutgoingRecord
from topics.alerts import Alert, AlertAction, AlertLinks

TOPIC: Final = "recon.alerts"
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


def record_of(key: str, alarm: Alarm, action: AlertAction, at: datetime) -> OutgoingRecord:
    """Return the record that tells `action` of the cause `key`."""
    alert = alert_of(key, alarm, action, at)
    return OutgoingRecord(TOPIC, key.encode(), _ENCODER.encode(alert))


def alert_of(key: str, alarm: Alarm, action: AlertAction, at: datetime) -> Alert:
    """Return what is published of the cause `key`."""
    facts = alarm.facts
    alert = Alert(
        dedup_key=key,
        action=action,
        severity=facts.severity,
        alert_class=facts.alert_class,
        summary=facts.summary[:SUMMARY_CHARACTERS_MAX],
        source=facts.source,
        at=at,
        scope=facts.scope,
        tier=facts.tier,
        amounts=facts.amounts,
        version=alarm.version,
        status=facts.status,
        epoch=facts.epoch,
        component=facts.component,
        first_seen=alarm.first_seen,
        last_seen=alarm.last_seen,
        count=alarm.count,
        life=alarm.lives,
        links=AlertLinks(
            runbook=runbook_of(facts.component, facts.alert_class), evidence=facts.evidence
        ),
    )
    if action != "resolve":
        return alert
    ending = ending_of(alarm)
    return msgspec.structs.replace(
        alert,
        summary=ending.words[:SUMMARY_CHARACTERS_MAX],
        ended_at=ending.ended_at,
        lasted_seconds=ending.lasted_seconds,
        ended_by=ending.ended_by,
        instead=alarm.inhibited_by,
    )
