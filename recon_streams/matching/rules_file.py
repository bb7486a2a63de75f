"""The rules as a file: checked as a whole, with the line of everything that is wrong."""

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pydantic

from recon_streams.matching.rules import (
    Anchor,
    BatchPass,
    Bounds,
    CompositePass,
    Fee,
    Levels,
    MatchingRules,
    ReferencePass,
    SumPass,
    Tolerance,
)
from recon_streams.matching.rules_blocks import (
    AMOUNT,
    CURRENCY,
    NAME,
    AnchorBlock,
    BatchBlock,
    CompositeBlock,
    FeeBlock,
    LevelsBlock,
    MissingBlock,
    ReferenceBlock,
    RulesBlock,
    SumBlock,
    ToleranceBlock,
    WeightsBlock,
)
from recon_streams.runtime.plain_words import plain_words
from recon_streams.runtime.problems import Problem, did_you_mean
from recon_streams.runtime.yaml_source import Location, YamlSource, parse_yaml, read_yaml

_FORMS: Final = {
    AMOUNT: 'write digits with at most 8 decimals, no sign, in quotes: "0.10"',
    CURRENCY: "write a currency such as EUR",
    NAME: "write a name of a-z, 0-9 and _",
}
_QUOTES: Final = {"string_type": "write it in quotes; a bare number is read as a binary float"}
_ORDER: Final = ("reference", "batch", "composite", "sum")
# What is matched otherwise than by a pass is named so.
_TAKEN: Final = frozenset({"hand", "by_hand", "withdrawn"})


def load_rules(path: Path) -> tuple[MatchingRules, str]:
    """Return the rules of the file `path`, and its text.

    Raises:
        ConfigurationInvalid: With every problem of the file.
    """
    source = read_yaml(path)
    return rules_of(source), source.text


def rules_from_text(name: str, text: str, *, version: int) -> MatchingRules:
    """Return rules that were applied as `version`, from the text that was kept."""
    return rules_of(parse_yaml(name, text), version=version)


def rules_of(source: YamlSource, *, version: int = 0) -> MatchingRules:
    """Return the rules that a parsed file defines.

    Raises:
        ConfigurationInvalid: With every problem of the file.
    """
    try:
        block = RulesBlock.model_validate(_plain(source.data))
    except pydantic.ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        raise source.invalid([_problem(source, each) for each in found]) from None
    problems = [source.problem(where, message) for where, message in _contradictions(block)]
    if problems:
        raise source.invalid(problems)
    return _rules(block, version, hashlib.sha256(source.text.encode()).hexdigest())


def _problem(source: YamlSource, found: Any) -> Problem:  # noqa: ANN401 - pydantic's own dictionary
    # A tagged union puts the tag into the path, where the file has nothing.
    path: Location = tuple(
        step
        for place, step in enumerate(found["loc"])
        if not (place == 2 and found["loc"][0] == "passes")  # noqa: PLR2004 - behind the number
    )
    if found["type"] == "extra_forbidden":
        return source.problem(path, did_you_mean(str(path[-1]), _known(found["loc"])), at_key=True)
    if found["type"].startswith("union_tag"):
        return source.problem((*path, "kind"), f"write kind: one of {', '.join(_ORDER)}")
    form = _FORMS.get(str(found.get("ctx", {}).get("pattern")))
    return source.problem(path, form or plain_words(found, own=_QUOTES))


def _known(location: Location) -> list[str]:
    """Return the keys of the block in which an unknown one stands."""
    block: Any = RulesBlock
    tags = {"reference": ReferenceBlock, "batch": BatchBlock, "composite": CompositeBlock}
    nested = {
        "levels": LevelsBlock,
        "tolerance": ToleranceBlock,
        "currencies": ToleranceBlock,
        "fees": FeeBlock,
        "missing_after_business_days": MissingBlock,
        "anchors": AnchorBlock,
        "weights": WeightsBlock,
        "sum": SumBlock,
        **tags,
    }
    for step in location[:-1]:
        block = nested.get(str(step), block)
    return list(block.model_fields)


def _contradictions(block: RulesBlock) -> Iterator[tuple[Location, str]]:
    """Yield what no single value says wrong."""
    if block.levels.suggest > block.levels.auto_confirm:
        yield ("levels", "suggest"), "not more than auto_confirm"
    places = [_ORDER.index(each.kind) for each in block.passes]
    names: set[str] = set()
    for number, each in enumerate(block.passes):
        if number and places[number] < places[number - 1]:
            order = ", then ".join(_ORDER)
            yield ("passes", number, "kind"), f"the order is {order}: the strongest goes first"
        if places[number] and places.count(places[number]) > 1:
            yield ("passes", number, "kind"), f"one {each.kind} pass is enough"
        if each.name in names or each.name in _TAKEN:
            yield ("passes", number, "name"), "another name; this one is taken"
        names.add(each.name)
        yield from _weak(block, number)


def _weak(block: RulesBlock, number: int) -> Iterator[tuple[Location, str]]:
    """Yield where amount and day alone would make a match."""
    each, limit = block.passes[number], block.levels.auto_confirm
    if isinstance(each, CompositeBlock):
        weights = each.weights
        if max(weights.amount, weights.amount_within) + weights.same_day >= limit:
            message = f"amount and day alone would reach auto_confirm {limit}; they prove nothing"
            yield ("passes", number, "weights"), message
        if weights.remittance_alike > weights.remittance:
            message = "not more than remittance: the reference itself says more"
            yield ("passes", number, "weights", "remittance_alike"), message
        if weights.amount_within > weights.amount:
            message = "not more than amount: an equal amount says more"
            yield ("passes", number, "weights", "amount_within"), message
    if isinstance(each, SumBlock) and each.score >= limit:
        message = f"less than auto_confirm {limit}: a sum alone proves nothing"
        yield ("passes", number, "score"), message


def _rules(block: RulesBlock, version: int, sha256: str) -> MatchingRules:
    by_kind: dict[str, Any] = {each.kind: each for each in block.passes}
    return MatchingRules(
        version=version,
        sha256=sha256,
        levels=Levels(**block.levels.model_dump()),
        references=tuple(
            ReferencePass(**each.model_dump(exclude={"kind"}))
            for each in block.passes
            if isinstance(each, ReferenceBlock)
        ),
        batch=_batch(by_kind.get("batch")),
        composite=_composite(by_kind.get("composite")),
        sums=_sums(by_kind.get("sum")),
        tolerance=_tolerance(block.tolerance),
        currencies={name: _tolerance(each) for name, each in sorted(block.currencies.items())},
        fees=tuple(
            Fee(
                name=each.name,
                absolute=Decimal(each.absolute),
                percent=Decimal(each.percent),
                currencies=tuple(each.currencies),
                counterparties=tuple(each.counterparties),
            )
            for each in block.fees
        ),
        missing_bank=block.missing_after_business_days.bank,
        missing_ledger=block.missing_after_business_days.ledger,
        items_max=block.items_max,
    )


def _tolerance(block: ToleranceBlock) -> Tolerance:
    return Tolerance(absolute=Decimal(block.absolute), percent=Decimal(block.percent))


def _bounds(block: BatchBlock | SumBlock) -> Bounds:
    return Bounds(
        days_max=block.days_max,
        legs_max=block.legs_max,
        candidates_max=block.candidates_max,
        steps_max=block.steps_max,
    )


def _batch(block: BatchBlock | None) -> BatchPass | None:
    if block is None:
        return None
    return BatchPass(
        name=block.name,
        anchors=tuple(Anchor(bank=each.bank, ledger=each.ledger) for each in block.anchors),
        cardinalities=tuple(block.cardinalities),
        bounds=_bounds(block),
        score=block.score,
    )


def _composite(block: CompositeBlock | None) -> CompositePass | None:
    if block is None:
        return None
    return CompositePass(
        name=block.name,
        days_max=block.days_max,
        alike_percent_min=block.alike_percent_min,
        **block.weights.model_dump(),
    )


def _sums(block: SumBlock | None) -> SumPass | None:
    if block is None:
        return None
    return SumPass(
        name=block.name,
        cardinalities=tuple(block.cardinalities),
        bounds=_bounds(block),
        score=block.score,
        counterparty=block.counterparty,
    )


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
    """Return `value` in Python's own types; the parser's remember how they were spelled."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value
