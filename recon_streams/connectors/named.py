"""Connectors that a registry names and nobody has described: found before a sweep is UNKNOWN."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from recon_streams.runtime.problems import Problem, did_you_mean
from recon_streams.runtime.yaml_source import Location, YamlSource, read_yaml


def require_described(accounts: Path, names: Collection[str], connectors: Path) -> None:
    """Refuse the registry file `accounts` if it names a connector that is not in `names`.

    Args:
        accounts: The registry file, which is known to have the right shape.
        names: The connectors that are described.
        connectors: The file in which they are.

    Raises:
        ConfigurationInvalid: With every such name, its line and its column.
    """
    source = read_yaml(accounts)
    problems = list(_unknown(source, names, connectors))
    if problems:
        raise source.invalid(problems)


def _unknown(source: YamlSource, names: Collection[str], connectors: Path) -> Iterator[Problem]:
    for location, name in _named(source.data):
        if name not in names:
            hint = did_you_mean(name, list(names)) if names else "it has none"
            message = f"no connector {name} in {connectors}: {hint.replace('key', 'name')}"
            yield source.problem(location, message)


def _named(data: Any) -> Iterator[tuple[Location, str]]:  # noqa: ANN401 - parsed YAML
    """Yield each connector that is named, and where: in the defaults, or of an account."""
    blocks: list[tuple[Location, Any]] = [(("defaults",), data.get("defaults"))]
    blocks += [(("accounts", n), block) for n, block in enumerate(data.get("accounts") or [])]
    for location, block in blocks:
        sweep = block.get("sweep") if isinstance(block, dict) else None
        name = sweep.get("connector") if isinstance(sweep, dict) else None
        if name is not None:
            yield (*location, "sweep", "connector"), str(name)
