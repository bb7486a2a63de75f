"""A recon.yaml in few words: what it is read as, or how it is refused."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from recon_streams.runtime.problems import ConfigurationInvalid
from recon_streams.runtime.settings import Settings, load_settings


def loaded(
    directory: Path,
    text: str,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Settings:
    path = directory / "recon.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return load_settings(path, environment or {}, flags or {})


@contextmanager
def only_clear_errors() -> Iterator[None]:
    """Let nothing pass but an error that can be shown."""
    try:
        yield
    except ConfigurationInvalid as error:
        if not error.render(color=True):
            pytest.fail("nothing is shown")


def refusal(
    directory: Path,
    text: str,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> str:
    with pytest.raises(ConfigurationInvalid) as caught:
        loaded(directory, text, environment, flags)
    assert caught.value.__cause__ is None, "a cause would repeat what may be a secret"
    return caught.value.render()
