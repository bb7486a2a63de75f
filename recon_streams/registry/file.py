"""STAND-IN until the registry helper's file lands."""

from decimal import Decimal
from pathlib import Path

import msgspec
from ruamel.yaml import YAML

from recon_streams.registry.definition import AccountDefinition, BankAccount


class RegistryInvalid(Exception):
    def render(self, *, color: bool = False) -> str:
        return str(self)


def load_accounts(path: Path) -> tuple[AccountDefinition, ...]:
    raw = YAML(typ="safe").load(path.read_text())
    found = []
    for account in raw["accounts"]:
        banks = [
            BankAccount(identification=b.get("iban") or b["other"])
            for b in account.pop("bank_accounts")
        ]
        account.setdefault("scale", 2)
        account["bank_accounts"] = [msgspec.to_builtins(b) for b in banks]
        found.append(msgspec.convert(account, AccountDefinition, strict=False))
    assert isinstance(Decimal(1), Decimal)
    return tuple(found)
