"""What each section of the settings may hold; a value outside its bounds is told before a start."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field, SecretStr
from pydantic_core import PydanticCustomError

from topics.alerts import Severity


class Section(pydantic.BaseModel):
    """Frozen, complete, and without a word about what stood in a wrong value."""

    model_config = pydantic.ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False
    )

    @pydantic.field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, info: pydantic.ValidationInfo) -> Any:  # noqa: ANN401 - whatever was written
        # Python counts with True; a person who writes `true` for a bound means something else.
        is_truth = (
            info.field_name is not None and cls.model_fields[info.field_name].annotation is bool
        )
        if isinstance(value, bool) and not is_truth:
            raise PydanticCustomError("truth", "this is not a yes or no; write its value")
        return value


class LogSettings(Section):
    """Where inputs come from and outputs go to."""

    kind: Literal["postgres", "kafka"]
    bootstrap_servers: str
    group_id: str = Field(min_length=1, max_length=200)
    group_instance_id: str | None = Field(min_length=1, max_length=200)
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_SSL"]
    insecure_dev: bool
    sasl_mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"]
    sasl_username: str | None
    sasl_password_file: Path | None
    ssl_cafile: Path | None


class DatabaseSettings(Section):
    """Where the book is."""

    dsn: SecretStr | None
    dsn_file: Path | None
    pool_size_max: int = Field(ge=6, le=100)


class RedisSettings(Section):
    """Where the breaker's expiring copy goes."""

    url: SecretStr | None


class WorkerSettings(Section):
    """The bounds of a worker."""

    batch_records_max: int = Field(ge=1, le=10_000)
    fetch_wait_seconds: float = Field(gt=0, le=10)
    watchdog_seconds: int = Field(ge=5, le=3600)
    stop_deadline_seconds: int = Field(ge=1, le=600)
    database_retry_seconds: int = Field(ge=1, le=3600)


class PublisherSettings(Section):
    """The bounds of a publisher, and the terms of the lease."""

    lease_seconds: int = Field(ge=3, le=15)
    renew_seconds: int = Field(ge=1, le=60)
    evaluation_age_seconds_max: int = Field(ge=1, le=300)
    outbox_age_seconds_max: int = Field(ge=1, le=300)
    full_state_seconds: int = Field(ge=5, le=86_400)
    rows_max: int = Field(ge=1, le=10_000)


class BreakerSettings(Section):
    """Who must hear of the breaker, and how soon."""

    clients: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9._:/-]{1,64}$")], ...]
    ack_seconds_max: int = Field(ge=1, le=300)

    @pydantic.field_validator("clients", mode="before")
    @classmethod
    def _one_line(cls, value: Any) -> Any:  # noqa: ANN401 - whatever was written
        # A variable has no lists: their ids stand between commas.
        return [each.strip() for each in value.split(",")] if isinstance(value, str) else value


class SigningSettings(Section):
    """The keys of what the breaker says."""

    key_file: Path | None
    public_keys_file: Path | None


class SweepSettings(Section):
    """How accounts are swept, banks are asked, and windows are reported."""

    connectors_file: Path | None
    concurrency: int = Field(ge=1, le=1_000)
    warning_hours: int = Field(ge=1, le=720)
    confirm_after_seconds: int = Field(ge=1, le=600)
    give_up_seconds: int = Field(ge=5, le=600)
    window_minutes: Literal[15, 20, 30, 60]
    window_grace_seconds: int = Field(ge=1, le=800)


class WatchSettings(Section):
    """The folder into which bank files are dropped."""

    directory: Path | None
    poll_seconds: float = Field(gt=0, le=3600)


class TelemetrySettings(Section):
    """Where metrics and health are served, and how the log is written."""

    host: str = Field(min_length=1)
    port: int = Field(ge=0, le=65_535)
    log_level: Literal["debug", "info", "warning", "error", "critical"]
    log_format: Literal["auto", "json", "console"]


class TopicSettings(Section):
    """How topics are declared."""

    partitions: int | None = Field(ge=1, le=1000)
    replication_factor: int = Field(ge=1, le=10)
    min_insync_replicas: int = Field(ge=1, le=10)


class CalendarSettings(Section):
    """What the operator knows of the days of banks."""

    file: Path | None


class LimitSettings(Section):
    """What is taken in."""

    message_bytes_max: int = Field(ge=1_000, le=1_000_000_000)
    accept_test_messages: bool
    validate_schema: bool


class IdentitySettings(Section):
    """Who the operators are, and which key vouches for them."""

    operators_file: Path | None
    root_key: Path | None


class AlertSettings(Section):
    """How patient alerts are."""

    repeat_minutes: int = Field(ge=1, le=10_080)
    feed_hold_seconds: int = Field(ge=1, le=3_600)
    kept_days: int = Field(ge=31, le=3_650)


class BridgeSettings(Section):
    """Where alerts go, beside their topic."""

    runbooks_url: str | None
    timeout_seconds: int = Field(ge=1, le=20)
    down_after_seconds: int = Field(ge=1, le=3_600)
    alertmanager_url: str | None
    alertmanager_token_file: Path | None
    alertmanager_renew_seconds: int = Field(ge=5, le=3_600)
    pagerduty_routing_key_file: Path | None
    pagerduty_url: str
    webhook_url: str | None
    webhook_secret_file: Path | None
    webhook_private_network: bool
    smtp_host: str | None
    smtp_port: int = Field(ge=1, le=65_535)
    smtp_security: Literal["starttls", "tls", "none"]
    smtp_username: str | None
    smtp_password_file: Path | None
    mail_from: str
    mail_to: tuple[str, ...]
    mail_severities: tuple[Severity, ...]
    mail_classes: tuple[str, ...]

    @pydantic.field_validator("mail_to", "mail_severities", "mail_classes", mode="before")
    @classmethod
    def _one_line(cls, value: Any) -> Any:  # noqa: ANN401 - whatever was written
        # A variable has no lists: what it says stands between commas.
        if not isinstance(value, str):
            return value
        return [each.strip() for each in value.split(",") if each.strip()]
