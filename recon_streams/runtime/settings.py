"""STAND-IN until the settings helper's file lands; same interface, no positions in errors."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pydantic
from ruamel.yaml import YAML


class _Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class LogSettings(_Model):
    kind: str = "postgres"
    bootstrap_servers: str = ""
    group_id: str = "recon-streams"
    group_instance_id: str | None = None
    insecure_dev: bool = False

    def client_security(self) -> dict[str, Any]:
        return {}


class DatabaseSettings(_Model):
    dsn: str = ""
    pool_size_max: int = 12


class WorkerSettings(_Model):
    batch_records_max: int = 500
    fetch_wait_seconds: float = 0.5
    watchdog_seconds: int = 60
    stop_deadline_seconds: int = 20
    database_retry_seconds: int = 60


class PublisherSettings(_Model):
    lease_seconds: int = 15
    renew_seconds: int = 3
    evaluation_age_seconds_max: int = 10
    outbox_age_seconds_max: int = 5
    rows_max: int = 1000


class TelemetrySettings(_Model):
    host: str = "127.0.0.1"
    port: int = 9464
    log_level: str = "info"
    log_format: str = "auto"


class TopicSettings(_Model):
    partitions: int | None = None
    replication_factor: int = 3
    min_insync_replicas: int = 2


class LimitSettings(_Model):
    message_bytes_max: int = 50_000_000
    accept_test_messages: bool = False
    validate_schema: bool = True


class Settings(_Model):
    log: LogSettings = LogSettings()
    database: DatabaseSettings = DatabaseSettings()
    worker: WorkerSettings = WorkerSettings()
    publisher: PublisherSettings = PublisherSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    topics: TopicSettings = TopicSettings()
    limits: LimitSettings = LimitSettings()

    def rows(self) -> list[tuple[str, str, str]]:
        return [
            (f"{s}.{k}", str(v), "") for s, m in self.model_dump().items() for k, v in m.items()
        ]


class ConfigurationInvalid(Exception):
    def render(self, *, color: bool = False) -> str:
        return str(self)


def load_settings(
    path: Path | None, environment: Mapping[str, str], flags: Mapping[str, object] | None = None
) -> Settings:
    values: dict[str, dict[str, Any]] = {}
    if path is not None:
        values.update(YAML(typ="safe").load(path.read_text()) or {})
    for name, value in environment.items():
        if name.startswith("RECON__"):
            _, section, key = name.lower().split("__")
            values.setdefault(section, {})[key] = value
    for dotted, flag in (flags or {}).items():
        section, key = dotted.split(".")
        values.setdefault(section, {})[key] = flag
    try:
        return Settings.model_validate(values)
    except pydantic.ValidationError as error:
        raise ConfigurationInvalid(str(error)) from error


def settings_schema() -> dict[str, Any]:
    return Settings.model_json_schema()
