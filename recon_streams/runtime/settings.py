"""Everything that can be set: defaults, then a file, then the environment, then options.

A wrong setting is an error that names its line, or its variable, and what to write; all of them at
once, before anything is started.
"""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

import pydantic
from pydantic import Field, SecretStr

from recon_streams.runtime.problems import ConfigurationInvalid, Problem, did_you_mean, dotted
from recon_streams.runtime.yaml_source import YamlSource, parse_yaml, read_yaml

PREFIX: Final = "RECON__"

_LOOPBACK: Final = ("127.", "localhost", "[::1]", "::1")


class _Section(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class LogSettings(_Section):
    """Where inputs come from and outputs go to."""

    kind: Literal["postgres", "kafka"]
    bootstrap_servers: str
    group_id: str = Field(min_length=1, max_length=200)
    group_instance_id: str | None
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_SSL"]
    insecure_dev: bool
    sasl_mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"]
    sasl_username: str | None
    sasl_password_file: Path | None
    ssl_cafile: Path | None


class DatabaseSettings(_Section):
    """Where the book is."""

    dsn: SecretStr | None
    dsn_file: Path | None
    pool_size_max: int = Field(ge=6, le=100)


class RedisSettings(_Section):
    """Where the breaker's expiring copy will go."""

    url: SecretStr | None


class WorkerSettings(_Section):
    """The bounds of a worker."""

    batch_records_max: int = Field(ge=1, le=10_000)
    fetch_wait_seconds: float = Field(gt=0, le=10)
    watchdog_seconds: int = Field(ge=5, le=3600)
    stop_deadline_seconds: int = Field(ge=1, le=600)
    database_retry_seconds: int = Field(ge=1, le=3600)


class PublisherSettings(_Section):
    """The bounds of a publisher, and the terms of the lease."""

    lease_seconds: int = Field(ge=3, le=300)
    renew_seconds: int = Field(ge=1, le=60)
    evaluation_age_seconds_max: int = Field(ge=1, le=300)
    outbox_age_seconds_max: int = Field(ge=1, le=300)
    rows_max: int = Field(ge=1, le=10_000)


class TelemetrySettings(_Section):
    """Where metrics and health are served, and how the log is written."""

    host: str
    port: int = Field(ge=0, le=65_535)
    log_level: Literal["debug", "info", "warning", "error", "critical"]
    log_format: Literal["auto", "json", "console"]


class TopicSettings(_Section):
    """How topics are declared."""

    partitions: int | None = Field(ge=1, le=1000)
    replication_factor: int = Field(ge=1, le=10)
    min_insync_replicas: int = Field(ge=1, le=10)


class LimitSettings(_Section):
    """What is taken in."""

    message_bytes_max: int = Field(ge=1_000, le=1_000_000_000)
    accept_test_messages: bool
    validate_schema: bool


class Settings(_Section):
    """All settings, frozen."""

    log: LogSettings
    database: DatabaseSettings
    redis: RedisSettings
    worker: WorkerSettings
    publisher: PublisherSettings
    telemetry: TelemetrySettings
    topics: TopicSettings
    limits: LimitSettings
    _origins: dict[str, str] = pydantic.PrivateAttr(default_factory=dict)

    def rows(self) -> list[tuple[str, str, str]]:
        """Return (setting, value, origin) of every setting; secrets stay hidden."""
        return [
            (f"{section}.{key}", "" if value is None else str(value), self._origin(section, key))
            for section, values in self
            for key, value in values
        ]

    def _origin(self, section: str, key: str) -> str:
        return self._origins.get(f"{section}.{key}", "default")


def load_settings(
    path: Path | None, environment: Mapping[str, str], flags: Mapping[str, object] | None = None
) -> Settings:
    """Return the settings in force.

    Args:
        path: recon.yaml, if there is one.
        environment: Variables `RECON__SECTION__KEY` are read, others ignored.
        flags: Dotted setting -> value, from options of the command line.

    Raises:
        ConfigurationInvalid: Something in any of them cannot be.
    """
    text = files("config").joinpath("defaults.yaml").read_text("utf-8")
    values = {name: dict(section) for name, section in parse_yaml("defaults", text).data.items()}
    source = read_yaml(path) if path is not None else parse_yaml("recon.yaml", "")
    origins: dict[str, str] = {}
    problems: list[Problem] = []
    _merge_file(values, source, origins, problems)
    for name, value in sorted(environment.items()):
        if name.startswith(PREFIX):
            location = tuple(name[len(PREFIX) :].lower().split("__"))
            _merge_one(values, (location, value, name), origins, problems)
    for setting, flag in (flags or {}).items():
        _merge_one(values, (tuple(setting.split(".")), flag, "an option"), origins, problems)
    settings = _validated(values, source, origins, problems)
    problems += _contradictions(settings, source, origins) if settings is not None else []
    if problems or settings is None:
        raise source.invalid(problems)
    settings._origins.update(origins)  # noqa: SLF001 - its own module
    return settings


def settings_schema() -> dict[str, Any]:
    """Return the JSON Schema of recon.yaml."""
    return Settings.model_json_schema()


def _merge_file(
    values: dict[str, dict[str, Any]],
    source: YamlSource,
    origins: dict[str, str],
    problems: list[Problem],
) -> None:
    for section, block in source.data.items():
        if section not in values:
            message = did_you_mean(str(section), list(values))
            problems.append(source.problem((section,), message, at_key=True))
            continue
        if not isinstance(block, dict):
            problems.append(source.problem((section,), "write a block of `key: value` lines"))
            continue
        for key, value in block.items():
            if key not in values[section]:
                message = did_you_mean(str(key), list(values[section]))
                problems.append(source.problem((section, key), message, at_key=True))
            else:
                values[section][key] = value
                origins[f"{section}.{key}"] = source.name


def _merge_one(
    values: dict[str, dict[str, Any]],
    given: tuple[tuple[str, ...], object, str],
    origins: dict[str, str],
    problems: list[Problem],
) -> None:
    location, value, origin = given
    known = values.get(location[0], {})
    if len(location) != 2 or location[-1] not in known:  # noqa: PLR2004 - section and key
        names = [f"{section}.{key}" for section, block in values.items() for key in block]
        message = did_you_mean(".".join(location), names)
        problems.append(Problem(place=origin, path=".".join(location), message=message))
        return
    known[location[-1]] = value
    origins[".".join(location)] = origin


def _validated(
    values: dict[str, dict[str, Any]],
    source: YamlSource,
    origins: dict[str, str],
    problems: list[Problem],
) -> Settings | None:
    try:
        return Settings.model_validate(values)
    except pydantic.ValidationError as error:
        for found in error.errors(include_input=False, include_url=False):
            location = tuple(found["loc"])
            problems.append(_problem(location, found["msg"], source, origins))
        return None


def _problem(
    location: tuple[str | int, ...], message: str, source: YamlSource, origins: dict[str, str]
) -> Problem:
    name = dotted(location)
    origin = origins.get(name, "default")
    if origin == source.name:
        return source.problem(location, message)
    return Problem(place=origin, path=name, message=message)


def _contradictions(
    settings: Settings, source: YamlSource, origins: dict[str, str]
) -> list[Problem]:
    """Return what each setting alone may be, but not together with the others."""
    found: list[tuple[tuple[str, str], str]] = []
    log, publisher = settings.log, settings.publisher
    if log.kind == "kafka":
        hosts = [host.strip() for host in log.bootstrap_servers.split(",") if host.strip()]
        if not hosts:
            found.append((("log", "bootstrap_servers"), "kafka needs host:port of some brokers"))
        is_local = all(host.startswith(_LOOPBACK) for host in hosts)
        if log.security_protocol == "PLAINTEXT" and not is_local and not log.insecure_dev:
            message = (
                "PLAINTEXT leaves the machine unprotected; use SASL_SSL, or insecure_dev: true"
            )
            found.append((("log", "security_protocol"), message))
    if settings.database.dsn is not None and settings.database.dsn_file is not None:
        found.append((("database", "dsn_file"), "give dsn or dsn_file, not both"))
    if publisher.renew_seconds * 3 > publisher.lease_seconds:
        message = "at most a third of lease_seconds, or one late renewal stops all payouts"
        found.append((("publisher", "renew_seconds"), message))
    if settings.topics.min_insync_replicas > settings.topics.replication_factor:
        message = "not more than replication_factor"
        found.append((("topics", "min_insync_replicas"), message))
    return [_problem(location, message, source, origins) for location, message in found]


__all__ = ["ConfigurationInvalid", "Settings", "load_settings", "settings_schema"]
