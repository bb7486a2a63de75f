"""The registry as a file: accounts.yaml, checked as a whole, with the line of everything wrong."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
import pydantic

from recon_streams.kernel.money import normal
from recon_streams.registry.blocks import (
    AccountBlock,
    BankBlock,
    ClearingBlock,
    InFlightBlock,
    LimitsBlock,
    OpeningBlock,
    SilenceBlock,
)
from recon_streams.registry.checks import problems_of, repetitions_of, scale_of
from recon_streams.registry.definition import (
    AccountClearing,
    AccountDefinition,
    AccountInFlight,
    AccountLimits,
    AccountSilence,
    BankAccount,
    Opening,
)
from recon_streams.runtime.problems import Problem, did_you_mean
from recon_streams.runtime.yaml_source import Location, YamlSource, read_yaml

_SHARED: Final = ("limits", "clearing", "silence", "in_flight", "calendar", "time_zone")
_PLAIN_WORDS: Final = {
    "string_type": "write it in quotes; a bare number is read as a binary float",
    "string_pattern_mismatch": "not of the form the registry's reference page describes",
    "missing": "is required",
    "timezone_aware": 'an instant with its offset, in quotes: "2026-11-20T08:00:00Z"',
}


def load_accounts(path: Path) -> tuple[AccountDefinition, ...]:
    """Return the accounts that the file `path` defines.

    Raises:
        ConfigurationInvalid: With every problem of the file.
    """
    return accounts_of(read_yaml(path))


def accounts_of(source: YamlSource) -> tuple[AccountDefinition, ...]:
    """Return the accounts that a parsed file defines."""
    problems: list[Problem] = []
    for key in source.data:
        if key not in ("accounts", "defaults"):
            message = did_you_mean(str(key), ["accounts", "defaults"])
            problems.append(source.problem((key,), message, at_key=True))
    defaults = _block(source, ("defaults",), source.data.get("defaults", {}), problems)
    for key in defaults:
        if key not in _SHARED:
            message = did_you_mean(str(key), list(_SHARED))
            problems.append(source.problem(("defaults", key), message, at_key=True))
    blocks = source.data.get("accounts")
    if not isinstance(blocks, list) or not blocks:
        problems.append(source.problem(("accounts",), "write a list of accounts"))
        blocks = []
    found: list[tuple[Location, AccountDefinition]] = [
        (("accounts", number), definition)
        for number, block in enumerate(blocks)
        if (definition := _definition(source, number, (block, defaults), problems)) is not None
    ]
    problems.extend(source.problem(path, message) for path, message in repetitions_of(found))
    if problems:
        raise source.invalid(problems)
    return tuple(definition for _, definition in found)


def _definition(
    source: YamlSource, number: int, blocks: tuple[Any, Any], problems: list[Problem]
) -> AccountDefinition | None:
    location: Location = ("accounts", number)
    block, defaults = _block(source, location, blocks[0], problems), blocks[1]
    merged = {key: _merged(defaults.get(key), block.get(key)) for key in {*defaults, *block}}
    merged = {key: value for key, value in merged.items() if key in (*_SHARED, *block)}
    try:
        account = AccountBlock.model_validate(_plain(merged))
    except pydantic.ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        problems.extend(_problem(source, location, each) for each in found)
        return None
    wrong = [source.problem((*location, *path), message) for path, message in problems_of(account)]
    problems.extend(wrong)
    return None if wrong else _converted(account)


def _converted(account: AccountBlock) -> AccountDefinition:
    opening = account.opening
    return AccountDefinition(
        account_id=account.account_id,
        currency=account.currency,
        scale=scale_of(account),
        bank_accounts=tuple(
            BankAccount(
                identification=(bank.iban or bank.other or "").replace(" ", ""),
                scheme="IBAN" if bank.iban else "OTHER",
                servicer_bic=bank.servicer_bic,
            )
            for bank in account.bank_accounts
        ),
        limits=AccountLimits(**_decimals(account.limits.model_dump())),
        clearing=AccountClearing(
            clean_evaluations_min=account.clearing.clean_evaluations_min,
            dwell_seconds_min=account.clearing.dwell_seconds_min,
            clear_below_ratio=_decimal(account.clearing.clear_below_ratio),
        ),
        silence=msgspec.convert(account.silence.model_dump(), AccountSilence),
        in_flight=msgspec.convert(account.in_flight.model_dump(), AccountInFlight),
        calendar=account.calendar,
        time_zone=account.time_zone,
        opening=None
        if opening is None
        else Opening(
            as_of=opening.as_of,
            bank=None if opening.bank is None else _decimal(opening.bank),
            ledger=None if opening.ledger is None else _decimal(opening.ledger),
            ledger_sequence=opening.ledger_sequence,
        ),
    )


def _decimal(text: str) -> Decimal:
    return normal(Decimal(text))


def _decimals(values: dict[str, str | None]) -> dict[str, Any]:
    return {name: None if text is None else _decimal(text) for name, text in values.items()}


def _block(
    source: YamlSource,
    location: Location,
    block: object,
    problems: list[Problem],
) -> dict[str, Any]:
    if isinstance(block, dict):
        return block
    problems.append(source.problem(location, "write a block of `key: value` lines"))
    return {}


def _merged(default: Any, own: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
    if isinstance(default, dict) and isinstance(own, dict):
        return {**default, **own}
    return default if own is None else own


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
    """Return `value` in Python's own types; the parser's remember where they stood."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool) or value is None:
        return value
    return int(value) if isinstance(value, int) else float(value)


def _problem(source: YamlSource, location: Location, found: Any) -> Problem:  # noqa: ANN401
    path: Location = (*location, *found["loc"])
    if found["type"] == "extra_forbidden":
        known = _known_keys(tuple(found["loc"][:-1]))
        return source.problem(path, did_you_mean(str(path[-1]), known), at_key=True)
    return source.problem(path, _PLAIN_WORDS.get(found["type"], found["msg"]))


def _known_keys(path: Location) -> list[str]:
    blocks: dict[str, type[pydantic.BaseModel]] = {
        "limits": LimitsBlock,
        "clearing": ClearingBlock,
        "silence": SilenceBlock,
        "in_flight": InFlightBlock,
        "opening": OpeningBlock,
        "bank_accounts": BankBlock,
    }
    model = blocks.get(str(path[0]), AccountBlock) if path else AccountBlock
    return list(model.model_fields)
