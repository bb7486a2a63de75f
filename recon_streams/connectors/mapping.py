"""From a bank's JSON to a balance: which field says what, by JSON pointers (RFC 6901). Pure.

A number is read by its digits and never becomes a binary float. What does not say clearly what it
is, currency, sign, instant, is no balance.
"""

import json
import re
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from recon_streams.connectors.port import NoBalance, Said
from recon_streams.kernel.json_text import DEPTH_MAX
from recon_streams.kernel.money import normal, parse_amount
from recon_streams.kernel.refusal import Refused
from topics.words import INSTANT_PATTERN

_INSTANT: Final = re.compile(INSTANT_PATTERN)
_POINTER: Final = re.compile(r"(/([^~/]|~[01])*)*")


class BalanceMapping(msgspec.Struct, frozen=True, kw_only=True):
    """Which field says what. Pointers below `balances` are of one of its items.

    Attributes:
        balances: The list of balances, or the object that is the only one.
        kind: What type a balance is of; None where all are booked.
        kinds: The types that mean booked, the preferred first.
        amount: The amount, as text or as a JSON number.
        currency: Its currency.
        as_of: The instant it is true for, RFC 3339 with an offset.
        direction: Credit or debit; None where the amount has a sign.
        credits: The words for a credit.
        debits: The words for a debit.
    """

    balances: str = "/balances"
    kind: str | None = "/type"
    kinds: tuple[str, ...] = ("booked",)
    amount: str = "/amount"
    currency: str = "/currency"
    as_of: str = "/as_of"
    direction: str | None = None
    credits: tuple[str, ...] = ("CRDT", "credit", "CR", "C")
    debits: tuple[str, ...] = ("DBIT", "debit", "DR", "D")


class _Digits(str):
    """A JSON number as it was written."""

    __slots__ = ()


def is_pointer(text: str) -> bool:
    """Return whether `text` is a JSON pointer."""
    return _POINTER.fullmatch(text) is not None


def said_by(payload: bytes, mapping: BalanceMapping, *, currency: str) -> Said:
    """Return the booked balance in `currency` that `payload` names.

    Raises:
        NoBalance: It names none, or not clearly.
    """
    document = _document(payload)
    found = _at(document, mapping.balances)
    items = found if isinstance(found, list) else [found]
    # Other currencies of the account are other balances; none in ours is none at all.
    mine = [item for item in items if _at(item, mapping.currency) == currency]
    if not mine:
        raise NoBalance("WRONG_CURRENCY", f"no balance in {currency}")
    chosen = _booked(mine, mapping)
    return Said(balance=_amount(chosen, mapping), as_of=_instant(_at(chosen, mapping.as_of)))


def _booked(items: list[Any], mapping: BalanceMapping) -> object:
    if mapping.kind is None:
        return _only(items)
    for kind in mapping.kinds:
        of_kind = [item for item in items if _at(item, mapping.kind or "") == kind]
        if of_kind:
            return _only(of_kind)
    raise NoBalance("NO_BOOKED_BALANCE", f"none of type {', '.join(mapping.kinds)}")


def _only(items: list[Any]) -> object:
    if len(items) > 1:
        raise NoBalance("AMBIGUOUS", f"{len(items)} balances, and nothing says which")
    return items[0]


def _amount(item: object, mapping: BalanceMapping) -> Decimal:
    text = _at(item, mapping.amount)
    if not isinstance(text, str):
        raise NoBalance("NO_AMOUNT", f"{mapping.amount} is no amount")
    negative = text.startswith("-")
    if negative and mapping.direction is not None:
        raise NoBalance("NO_AMOUNT", "a sign beside a direction means two things")
    try:
        amount = parse_amount(text.removeprefix("-"), field=mapping.amount)
    except Refused as refusal:
        raise NoBalance("NO_AMOUNT", f"{mapping.amount}: {refusal.rule}") from refusal
    if mapping.direction is not None:
        word = _at(item, mapping.direction)
        if word not in mapping.credits and word not in mapping.debits:
            raise NoBalance("NO_DIRECTION", f"{mapping.direction} is neither credit nor debit")
        negative = word in mapping.debits
    return normal(-amount if negative else amount)


def _instant(text: object) -> datetime:
    if not isinstance(text, str) or not _INSTANT.match(text):
        raise NoBalance("NO_INSTANT", "the balance has no instant with an offset")
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError as error:
        raise NoBalance("NO_INSTANT", "the balance has no instant that exists") from error


def _document(payload: bytes) -> object:
    if payload.count(b"[") + payload.count(b"{") > 100 * DEPTH_MAX:
        raise NoBalance("NOT_JSON", "too many brackets for a balance")
    try:
        return json.loads(
            payload.decode(),
            object_pairs_hook=_as_object,
            parse_int=_Digits,
            parse_float=_Digits,
            parse_constant=_no_constant,
        )
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise NoBalance("NOT_JSON", "the answer is no JSON in UTF-8") from error


def _as_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NoBalance("NOT_JSON", "a key stands twice in one object")
    return found


def _no_constant(_name: str) -> None:
    raise NoBalance("NOT_JSON", "JSON has no NaN and no Infinity")


def _at(document: object, pointer: str) -> object:
    """Return what `pointer` leads to, None where nothing is."""
    node: Any = document
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict):
            node = node.get(name)
        elif isinstance(node, list) and name.isascii() and name.isdecimal():
            node = node[int(name)] if len(name) < 6 and int(name) < len(node) else None  # noqa: PLR2004 - no list of balances is longer
        else:
            return None
    return node
