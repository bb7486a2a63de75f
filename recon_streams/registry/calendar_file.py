"""The operator's words on calendars: calendars.yaml, with the line of everything wrong in it.

No list of holidays knows what a bank announces a week before; what it does not know stands here.
"""

from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Final

import pydantic
from pydantic import BeforeValidator, StringConstraints

from recon_streams.kernel.calendar import minutes_of
from recon_streams.kernel.calendars import Calendars, Overlay, circles_of, is_known
from recon_streams.runtime.plain_words import plain_words
from recon_streams.runtime.problems import Problem, did_you_mean
from recon_streams.runtime.yaml_source import Location, YamlSource, parse_yaml, read_yaml

_CLOCK: Final = r"^(([01][0-9]|2[0-3]):[0-5][0-9])$"
_DATE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_NAME: Final = r"^[A-Za-z0-9._-]{1,64}$"
_FORMS: Final = {_CLOCK: 'write a time of the bank\'s clock, in quotes: "14:00"'}
_BAD_DATE: Final = "write a date such as 2026-03-23"


def _written_date(value: object) -> object:
    # A parser of YAML may already have made a date of it.
    return value.isoformat() if isinstance(value, date) else value


def _date_of(text: str) -> str:
    date.fromisoformat(text)
    return text


_On = Annotated[
    str,
    BeforeValidator(_written_date),
    StringConstraints(pattern=_DATE),
    pydantic.AfterValidator(_date_of),
]
_Name = Annotated[str, StringConstraints(pattern=_NAME)]


class _Block(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", hide_input_in_errors=True, strict=True)


class CalendarBlock(_Block):
    """One calendar as the file writes it: dates, each with the reason a person reads."""

    combines: list[_Name] = []
    holidays: dict[_On, str] = {}
    working_days: dict[_On, str] = {}
    early_cut_offs: dict[_On, Annotated[str, StringConstraints(pattern=_CLOCK)]] = {}


def load_calendars(path: Path | None = None) -> Calendars:
    """Return all calendars under the words of `path`; without a path, of the file that is shipped.

    Raises:
        ConfigurationInvalid: With every problem of the file.
    """
    if path is not None:
        return calendars_of(read_yaml(path))
    text = files("config").joinpath("calendars.yaml").read_text("utf-8")
    return calendars_of(parse_yaml("calendars.yaml", text))


def calendars_of(source: YamlSource) -> Calendars:
    """Return all calendars under the words of a parsed file.

    Raises:
        ConfigurationInvalid: With every problem of the file.
    """
    problems = [
        source.problem((key,), did_you_mean(key, ["calendars"]), at_key=True)
        for key in source.data
        if key != "calendars"
    ]
    blocks = source.data.get("calendars")
    blocks = {} if blocks is None else blocks
    if not isinstance(blocks, dict):
        problems.append(source.problem(("calendars",), "write a block of `name: ...` lines"))
        blocks = {}
    found = {
        str(name): block
        for name in blocks
        if (block := _block_of(source, str(name), blocks[name], problems)) is not None
    }
    for name, block in found.items():
        problems += _contradictions(source, name, block, known=set(map(str, blocks)))
    overlays = {name: _overlay_of(block) for name, block in found.items()}
    problems += [
        source.problem(("calendars", name, "combines"), "it is made of itself, in the end")
        for name in circles_of(overlays)
    ]
    if problems:
        raise source.invalid(problems)
    return Calendars(overlays)


def _block_of(
    source: YamlSource,
    name: str,
    said: Any,  # noqa: ANN401 - whatever YAML holds
    problems: list[Problem],
) -> CalendarBlock | None:
    where: Location = ("calendars", name)
    try:
        return CalendarBlock.model_validate(_plain(said if said is not None else {}))
    except pydantic.ValidationError as error:
        errors = error.errors(include_input=False, include_url=False)
        problems.extend(_problem(source, where, found) for found in errors)
        return None


def _problem(source: YamlSource, where: Location, found: Any) -> Problem:  # noqa: ANN401 - pydantic's own dictionary
    path: Location = found["loc"]
    is_key = path[-1:] == ("[key]",)
    path = path[:-1] if is_key else path
    if found["type"] == "extra_forbidden":
        message = did_you_mean(str(path[-1]), list(CalendarBlock.model_fields))
        return source.problem((*where, *path), message, at_key=True)
    pattern = str(found.get("ctx", {}).get("pattern"))
    is_date = is_key or pattern == _DATE
    message = _BAD_DATE if is_date else _FORMS.get(pattern) or plain_words(found)
    return source.problem((*where, *path), message, at_key=is_key)


def _contradictions(
    source: YamlSource, name: str, block: CalendarBlock, *, known: set[str]
) -> list[Problem]:
    where: Location = ("calendars", name)
    wrong: list[Problem] = []
    if block.combines and is_known(name):
        message = f"{name} is a calendar of its own; give what is combined another name"
        wrong.append(source.problem((*where, "combines"), message))
    if not block.combines and not is_known(name):
        message = "no country, part of a country (DE-BY) or financial centre; say what it combines"
        wrong.append(source.problem(where, message, at_key=True))
    for number, part in enumerate(block.combines):
        if part not in known and not is_known(part):
            place = (*where, "combines", number)
            wrong.append(source.problem(place, f"no calendar {part}"))
    kinds = [("holidays", block.holidays), ("working_days", block.working_days)]
    for (_, one), (other_name, other) in pairwise(kinds):
        for on in one.keys() & other.keys():
            message = "the same day is a holiday and a working day"
            wrong.append(source.problem((*where, other_name, on), message, at_key=True))
    return wrong


def _overlay_of(block: CalendarBlock) -> Overlay:
    return Overlay(
        combines=tuple(block.combines),
        holidays=_dates(block.holidays),
        working_days=_dates(block.working_days),
        early_cut_offs={
            date.fromisoformat(on): minutes_of(clock) for on, clock in block.early_cut_offs.items()
        },
    )


def _dates(said: Mapping[str, str]) -> frozenset[date]:
    return frozenset(map(date.fromisoformat, said))


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
    """Return `value` in Python's own types; the parser's remember how they were spelled."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value
