"""Registries for the tests of their file, and what is said of one that is wrong."""

from importlib.resources import files

import pytest

from recon_streams.registry.file import accounts_of
from recon_streams.runtime.problems import ConfigurationInvalid
from recon_streams.runtime.yaml_source import parse_yaml

EXAMPLE = files("config").joinpath("accounts.yaml").read_text("utf-8")
SHORT = "\n".join(line for line in EXAMPLE.splitlines() if "#" not in line)
ONE = """accounts:
  - account_id: A-1
    currency: AED
    bank_accounts: [{other: BANK-1}]
"""


def refusal(text: str) -> str:
    with pytest.raises(ConfigurationInvalid) as caught:
        accounts_of(parse_yaml("a.yaml", text))
    return caught.value.render()
