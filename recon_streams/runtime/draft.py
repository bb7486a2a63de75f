"""Settings while they are collected: the value that counts, who said it, and what is wrong."""

from typing import Any, Final

from recon_streams.runtime.problems import Problem, did_you_mean, dotted
from recon_streams.runtime.yaml_source import YamlSource

DEFAULT: Final = "default"

# Two spellings of one thing: whoever speaks last says both.
_ALTERNATIVES: Final = (("database.dsn", "database.dsn_file"),)


class Draft:
    """Sections of values, overlaid layer by layer: defaults, file, environment, options."""

    def __init__(self, defaults: dict[str, dict[str, Any]]) -> None:
        """Start from `defaults`, which also say which settings there are."""
        self.values = defaults
        self.problems: list[Problem] = []
        self.names = [f"{section}.{key}" for section, block in defaults.items() for key in block]
        self.origins = dict.fromkeys(self.names, DEFAULT)
        self._layers = dict.fromkeys(self.names, 0)
        self._layer = 0
        self._source: YamlSource | None = None

    def take_file(self, source: YamlSource) -> None:
        """Overlay what a file says."""
        self._source = source
        self.begin_layer()
        for section, block in source.data.items():
            if section not in self.values:
                message = did_you_mean(section, list(self.values))
                self.problems.append(source.problem((section,), message, at_key=True))
            elif isinstance(block, dict):
                self._take_block(source, section, block)
            elif block is not None:  # a section whose lines are all commented out says nothing
                message = "write a block of `key: value` lines"
                self.problems.append(source.problem((section,), message))

    def begin_layer(self) -> None:
        """Let what is taken from now on go before everything taken so far."""
        self._layer += 1

    def take(self, name: str, value: object, origin: str) -> None:
        """Overlay one setting; `origin` is the variable or option it came from."""
        if name not in self.origins:
            message = did_you_mean(name, self.names)
            self.problems.append(Problem(place=origin, path=name, message=message))
            return
        section, key = name.split(".")
        self.values[section][key] = value
        self.origins[name] = origin
        self._layers[name] = self._layer

    def settle(self) -> None:
        """Drop the earlier of two spellings of one thing, and draw the conclusions."""
        for pair in _ALTERNATIVES:
            earlier, later = sorted(pair, key=self._layers.__getitem__)
            if self._layers[earlier] < self._layers[later]:
                section, key = earlier.split(".")
                self.values[section][key] = None
        log, topics = self.values["log"], self.values["topics"]
        servers = "log.bootstrap_servers"
        if not self.is_given("log.kind") and self.is_given(servers) and log["bootstrap_servers"]:
            log["kind"] = "kafka"
            self.origins["log.kind"] = f"{servers} of {self.origins[servers]}"
        if log["kind"] == "postgres":
            for key in ("replication_factor", "min_insync_replicas"):
                if not self.is_given(f"topics.{key}"):
                    topics[key] = 1  # a Postgres log has one copy, the table

    def is_given(self, name: str) -> bool:
        """Return whether somebody said it."""
        return self.origins.get(name, DEFAULT) != DEFAULT

    def blame(self, names: tuple[str, ...], message: str) -> None:
        """Note a problem at the first of `names` that somebody said, or else at the first."""
        name = next((name for name in names if self.is_given(name)), names[0])
        origin = self.origins.get(name, DEFAULT)
        if self._source is not None and origin == self._source.name:
            problem = self._source.problem(tuple(name.split(".")), message)
        else:
            problem = Problem(place=origin, path=name, message=message)
        self.problems.append(problem)

    def _take_block(self, source: YamlSource, section: str, block: dict[str, Any]) -> None:
        for key, value in block.items():
            if key in self.values[section]:
                self.take(dotted((section, key)), value, source.name)
            else:
                message = did_you_mean(key, list(self.values[section]))
                self.problems.append(source.problem((section, key), message, at_key=True))
