"""What is left of an account whose shape is wrong, so that the rest of it is checked all the same.

Without it a person mends the first error of a file only to be told of the next one.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pydantic

from recon_streams.registry.blocks import AccountBlock

Location = tuple[str | int, ...]

# What an account cannot do without, in values that break no rule of their own.
_STAND_INS: Final[Mapping[Location, object]] = {
    ("account_id",): "-",
    ("currency",): "AAA",
    ("bank_accounts",): [{"other": "-"}],
    ("opening", "as_of"): "1970-01-01T00:00:00Z",
}
_BANK: Final = {"other": "-"}
_NAMES: Final = ("account_id", "currency", "bank_accounts")
_KEY: Final = "[key]"  # pydantic's name of the key itself
# Of one without the other nothing can be concluded.
_TOGETHER: Final[Sequence[Location]] = (("currency",), ("scale",))


class Remainder:
    """The part of an account that has a shape, and the places that have none.

    Attributes:
        account: What is left; None if even that is no account.
        is_named: Whether account and bank accounts have their own names still.
    """

    def __init__(self, said: Mapping[str, Any], wrong: Sequence[Location]) -> None:
        """Take what stands at `wrong` out of `said`; neither is changed."""
        places = {path[:-1] if path[-1:] == (_KEY,) else path for path in wrong}
        self._places = places | set(_TOGETHER) if places & set(_TOGETHER) else places
        self.is_named = not any(place[0] in _NAMES for place in places)
        content = copy.deepcopy(dict(said))
        for place in places:
            _take_out(content, place)
        try:
            self.account: AccountBlock | None = AccountBlock.model_validate(content)
        except pydantic.ValidationError:
            self.account = None

    def concerns(self, path: Location) -> bool:
        """Return whether something at, above or below `path` was taken out."""
        return any(
            path[: len(place)] == place or place[: len(path)] == path for place in self._places
        )


def _take_out(content: Any, place: Location) -> None:  # noqa: ANN401 - whatever YAML holds
    *above, last = place
    for step in above:
        is_there = step in content if isinstance(content, dict) else isinstance(content, list)
        if not is_there:
            return  # what stands above was taken out already
        content = content[step]
    if place in _STAND_INS:
        content[last] = _STAND_INS[place]
    elif isinstance(content, list) and isinstance(last, int):
        # In its stead, for the places after it keep their numbers.
        content[last] = _BANK
    elif isinstance(content, dict):
        content.pop(last, None)
