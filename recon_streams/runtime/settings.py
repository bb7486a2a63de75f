"""Everything that can be set: defaults, then a file, then the environment, then options.

A wrong setting is an error that names its line, or its variable, and what to write; all of them at
once, before anything is started.
"""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pydantic

from recon_streams.runtime.bridge_contradictions import bridge_contradictions
from recon_streams.runtime.contradictions import (
    database_contradictions,
    identity_contradictions,
    lease_contradictions,
    log_contradictions,
)
from recon_streams.runtime.draft import DEFAULT, Draft
from recon_streams.runtime.plain_words import plain_words
from recon_streams.runtime.problems import ConfigurationInvalid
from recon_streams.runtime.sections import (
    AlertSettings,
    BreakerSettings,
    BridgeSettings,
    CalendarSettings,
    DatabaseSettings,
    IdentitySettings,
    LimitSettings,
    LogSettings,
    PublisherSettings,
    RedisSettings,
    Section,
    SigningSettings,
    SweepSettings,
    TelemetrySettings,
    TopicSettings,
    WatchSettings,
    WorkerSettings,
)
from recon_streams.runtime.yaml_source import parse_yaml, read_yaml

PREFIX: Final = "RECON__"


class Settings(Section):
    """All settings, frozen."""

    log: LogSettings
    database: DatabaseSettings
    redis: RedisSettings
    worker: WorkerSettings
    publisher: PublisherSettings
    breaker: BreakerSettings
    signing: SigningSettings
    sweeps: SweepSettings
    watch: WatchSettings
    telemetry: TelemetrySettings
    topics: TopicSettings
    limits: LimitSettings
    calendars: CalendarSettings
    alerts: AlertSettings
    bridges: BridgeSettings
    identity: IdentitySettings
    _origins: Mapping[str, str] = pydantic.PrivateAttr(default_factory=dict)

    @property
    def origins(self) -> Mapping[str, str]:
        """Dotted setting -> the file, variable or option that said it, or `default`."""
        return MappingProxyType(dict(self._origins))

    def rows(self) -> list[tuple[str, str, str]]:
        """Return (setting, value, origin) of every setting; secrets stay hidden."""
        return [
            (name, "" if value is None else str(value), self._origins.get(name, DEFAULT))
            for section, values in self
            for key, value in values
            for name in [f"{section}.{key}"]
        ]


def load_settings(
    path: Path | None,
    environment: Mapping[str, str],
    flags: Mapping[str, object] = MappingProxyType({}),
) -> Settings:
    """Return the settings in force.

    Args:
        path: recon.yaml, if there is one.
        environment: Variables `RECON__SECTION__KEY` are read, others ignored. An empty variable
            says nothing, as compose files set those they have no value for.
        flags: Dotted setting -> value, from options of the command line.

    Raises:
        ConfigurationInvalid: Something in any of them cannot be.
    """
    draft = Draft(_defaults())
    source = read_yaml(path) if path is not None else parse_yaml("recon.yaml", "")
    draft.take_file(source)
    draft.begin_layer()
    for variable, text in sorted(environment.items()):
        if variable.startswith(PREFIX) and text:
            name = ".".join(variable.removeprefix(PREFIX).lower().split("__"))
            draft.take(name, text, variable)
    draft.begin_layer()
    for name, value in flags.items():
        draft.take(name, value, f"option {name}")
    draft.settle()
    settings = _validated(draft)
    if draft.problems or settings is None:
        raise source.invalid(draft.problems)
    return settings


def settings_schema() -> dict[str, Any]:
    """Return the JSON Schema of recon.yaml, with every default; nothing in it is required."""
    schema = Settings.model_json_schema()
    schema.pop("required", None)
    for section, block in _defaults().items():
        name = schema["properties"][section]["$ref"].rpartition("/")[2]
        definition = schema["$defs"][name]
        definition.pop("required", None)
        for key, value in block.items():
            definition["properties"][key]["default"] = value
    return schema


def _defaults() -> dict[str, dict[str, Any]]:
    text = files("config").joinpath("defaults.yaml").read_text("utf-8")
    blocks = parse_yaml("defaults.yaml", text).data
    return {
        section: {key: _own_type(value) for key, value in block.items()}
        for section, block in blocks.items()
    }


def _own_type(value: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
    """Return a scalar in Python's own type; the parser's remember how they were spelled."""
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


def _validated(draft: Draft) -> Settings | None:
    try:
        settings = Settings.model_validate(draft.values)
    except pydantic.ValidationError as error:
        for found in error.errors(include_input=False, include_url=False):
            # Of a list the setting is to blame: no layer says one item of it.
            draft.blame((".".join(str(step) for step in found["loc"][:2]),), plain_words(found))
        return None
    settings._origins = MappingProxyType(dict(draft.origins))  # noqa: SLF001 - its own module
    for names, message in (
        *log_contradictions(settings.log),
        *database_contradictions(settings.database),
        *bridge_contradictions(settings.bridges),
        *identity_contradictions(settings.identity),
        *lease_contradictions(settings.publisher.lease_seconds, settings.publisher.renew_seconds),
    ):
        draft.blame(names, message)
    topics = settings.topics
    if topics.min_insync_replicas > topics.replication_factor:
        both = ("topics.min_insync_replicas", "topics.replication_factor")
        draft.blame(both, "min_insync_replicas is more than replication_factor")
    return settings


__all__ = [
    "ConfigurationInvalid",
    "DatabaseSettings",
    "LimitSettings",
    "LogSettings",
    "PublisherSettings",
    "RedisSettings",
    "Settings",
    "SigningSettings",
    "SweepSettings",
    "TelemetrySettings",
    "TopicSettings",
    "WorkerSettings",
    "load_settings",
    "settings_schema",
]
