"""What a person is told where pydantic would speak of inputs and instances."""

from collections.abc import Mapping
from typing import Any, Final

_BLOCK: Final = "write a block of `key: value` lines"
_WHOLE: Final = "write a whole number"
_NUMBER: Final = "write a number"
_TRUTH: Final = "write true or false"

_WORDS: Final[Mapping[str, str]] = {
    "string_type": "write text; in quotes if it looks like a number, a date or true/false",
    "string_too_short": "write something, it is empty",
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "model_type": _BLOCK,
    "dict_type": _BLOCK,
    "list_type": "write a list",
    "tuple_type": "write a list",
    "string_pattern_mismatch": "write what fits {pattern}",
    "path_type": "write the path of a file",
    "missing": "is required",
    "timezone_aware": 'write an instant with its offset, in quotes: "2026-11-20T08:00:00Z"',
    "literal_error": "write {expected}",
    "greater_than_equal": "not less than {ge}",
    "greater_than": "more than {gt}",
    "less_than": "less than {lt}",
    "less_than_equal": "not more than {le}",
    "string_too_long": "not longer than {max_length} characters",
    "too_short": "write at least {min_length}",
}


def plain_words(found: Mapping[str, Any], *, own: Mapping[str, str] | None = None) -> str:
    """Return what to write instead, for one entry of `ValidationError.errors()`.

    Args:
        found: The entry; what was written is not repeated, as it may be a secret.
        own: Words for error types that mean something special to the caller.
    """
    kind = str(found["type"])
    words = (own or {}).get(kind) or _WORDS.get(kind)
    if words is None:
        return str(found["msg"])
    return words.format_map(found.get("ctx", {}))
