"""What a change of an account's rules loosens: what would be said later, or not at all. Pure.

Whatever is not known to be a tightening counts as loosening, so that a rule which is added later
takes two people until somebody says here which way it goes.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum, unique
from typing import Final

import msgspec

from recon_streams.kernel.calendar import minutes_of
from recon_streams.kernel.money import amount_text
from recon_streams.registry.definition import AccountDefinition, BankAccount

_Value = object
_UNBOUNDED: Final = Decimal("Infinity")


@unique
class Direction(StrEnum):
    """Which way a change goes."""

    LOOSENED = "LOOSENED"
    TIGHTENED = "TIGHTENED"


class RuleChange(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that is not what it was; `before` and `after` are for people."""

    path: str
    before: str
    after: str
    direction: Direction


# More of these is looser; an amount that is not given is no bound at all.
_MORE_IS_LOOSER: Final = frozenset(
    {
        "limits.minor_percent",
        "limits.significant_percent",
        "limits.critical_percent",
        "limits.minor_amount",
        "limits.significant_amount",
        "limits.critical_amount",
        "limits.unallocated_amount",
        "clearing.clear_below_ratio",
        "silence.bank_seconds_max",
        "silence.ledger_seconds_max",
        "in_flight.due_seconds_default",
        "in_flight.due_seconds_max",
        "in_flight.open_items_max",
        "statements.expected_by",
        "statements.expected_after_business_days",
        "statements.late_after_minutes",
        "sweep.every_minutes",
        "sweep.answer_age_seconds_max",
    }
)
_LESS_IS_LOOSER: Final = frozenset(
    {"clearing.clean_evaluations_min", "clearing.dwell_seconds_min", "statements.required"}
)
_CLOCKS: Final = frozenset({"statements.expected_by"})
_NEVER_SET: Final = frozenset({"account_id", "currency", "opening"})


def changes_of(before: AccountDefinition, after: AccountDefinition) -> tuple[RuleChange, ...]:
    """Return what `after` changes of the rules of the account `before`, by path.

    The opening is left out: it cannot change.
    """
    assert (before.account_id, before.currency) == (after.account_id, after.currency)
    old, new = dict(_flat(before)), dict(_flat(after))
    return tuple(
        RuleChange(
            path=path,
            before=_text(old.get(path)),
            after=_text(new.get(path)),
            direction=_direction(path, old, new),
        )
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    )


def loosened(before: AccountDefinition, after: AccountDefinition) -> tuple[RuleChange, ...]:
    """Return what `after` loosens of the rules of the account `before`."""
    return tuple(each for each in changes_of(before, after) if each.direction is Direction.LOOSENED)


def _direction(path: str, old: Mapping[str, _Value], new: Mapping[str, _Value]) -> Direction:
    before, after = old.get(path), new.get(path)
    if path.startswith("in_flight.rails."):
        # A rail without its own time has the default one.
        default = "in_flight.due_seconds_default"
        before = old[default] if before is None else before
        after = new[default] if after is None else after
        return _by_size(before, after, more_is_looser=True)
    if path == "corridors":
        # Each of them is one more way to be stopped.
        assert isinstance(before, tuple)
        assert isinstance(after, tuple)
        return _verdict(is_looser=not set(before) <= set(after))
    if path in _CLOCKS:
        return _by_size(minutes_of(str(before)), minutes_of(str(after)), more_is_looser=True)
    if path in _MORE_IS_LOOSER or path in _LESS_IS_LOOSER:
        return _by_size(before, after, more_is_looser=path in _MORE_IS_LOOSER)
    # Somebody is asked now where nobody was; a balance without a direction proves nothing again.
    is_stricter = (path == "sweep.connector" and before is None) or (
        path == "statements.unsigned_balances" and after == "unknown"
    )
    return _verdict(is_looser=not is_stricter)


def _by_size(before: _Value, after: _Value, *, more_is_looser: bool) -> Direction:
    less, more = _size(before), _size(after)
    return _verdict(is_looser=(more > less) if more_is_looser else (more < less))


def _verdict(*, is_looser: bool) -> Direction:
    return Direction.LOOSENED if is_looser else Direction.TIGHTENED


def _size(value: _Value) -> Decimal:
    if value is None:
        return _UNBOUNDED
    assert isinstance(value, Decimal | int), "only numbers have a size"
    return Decimal(value)


def _flat(value: _Value, path: str = "") -> Iterator[tuple[str, _Value]]:
    """Yield every rule by its path; a list is one rule."""
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            if path or name not in _NEVER_SET:
                yield from _flat(getattr(value, name), f"{path}.{name}" if path else name)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _flat(item, f"{path}.{name}")
    else:
        yield path, value


def _text(value: _Value) -> str:
    match value:
        case None:
            return "-"
        case Decimal():
            return amount_text(value)
        case bool():
            return "true" if value else "false"
        case BankAccount():
            return " ".join((value.scheme, value.identification, value.servicer_bic or "-"))
        case tuple():
            return ", ".join(_text(item) for item in value) or "-"
        case _:
            return str(value)
