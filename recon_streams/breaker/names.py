"""The names of scopes: what can be stopped, and what stands above it."""

import re
from collections.abc import Iterable
from enum import StrEnum, unique
from typing import Final

ALL: Final = "all"
_FORM: Final = re.compile(
    r"all|account:[A-Za-z0-9._:-]{1,64}:[A-Z][A-Z0-9]{2,5}"
    r"|corridor:[A-Za-z0-9._-]{1,32}|drill:[A-Za-z0-9._-]{1,64}"
)


@unique
class ScopeKind(StrEnum):
    """What a scope is."""

    ACCOUNT = "account"  # heals by proof when suspended
    CORRIDOR = "corridor"  # a road of payments over several accounts; stopped by people only
    ALL = "all"  # everything; stopped by people only
    DRILL = "drill"  # an exercise, above and below nothing; no payout hangs on it


class NoScope(ValueError):
    """A text is not the name of a scope."""


def kind_of(scope: str) -> ScopeKind:
    """Return what `scope` is, by its name.

    Raises:
        NoScope: It is no name of a scope.
    """
    if _FORM.fullmatch(scope) is None:
        raise NoScope(
            f"{scope!r} names no scope; write all, account:<id>:<currency>, corridor:<id> or "
            "drill:<id>"
        )
    return ScopeKind(scope.partition(":")[0])


def account_scope(account_id: str, currency: str) -> str:
    """Return the scope of one account."""
    return f"account:{account_id}:{currency}"


def corridor_scope(corridor: str) -> str:
    """Return the scope of one corridor."""
    return f"corridor:{corridor}"


def parents_of_account(corridors: Iterable[str]) -> tuple[str, ...]:
    """Return what must be CLOSED too before an account on `corridors` may pay."""
    return (ALL, *(corridor_scope(each) for each in corridors))


def parents_of(kind: ScopeKind) -> tuple[str, ...]:
    """Return the parents of a scope that is not an account."""
    return (ALL,) if kind is ScopeKind.CORRIDOR else ()
