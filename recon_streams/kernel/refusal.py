"""Why an input cannot be used, as a value its sender can act on.

A refusal is *theirs*: the message is unusable, its bytes are kept in quarantine with the code,
the field and the rule below, and its neighbours go on. What is *ours* is an assertion and stops
the process; what is *the world's* is the adapter's own error. The set of codes is closed because
each one is a metric label and a row of the reference page.
"""

from enum import StrEnum, unique


@unique
class RefusalCode(StrEnum):
    """The closed set of reasons for quarantine."""

    # The envelope
    EMPTY_VALUE = "EMPTY_VALUE"
    TOO_LARGE = "TOO_LARGE"
    TOO_DEEP = "TOO_DEEP"
    UNREADABLE_FILE = "UNREADABLE_FILE"
    # XML
    NOT_WELL_FORMED = "NOT_WELL_FORMED"
    DOCTYPE_FORBIDDEN = "DOCTYPE_FORBIDDEN"
    ENTITY_FORBIDDEN = "ENTITY_FORBIDDEN"
    MARKUP_IN_VALUE = "MARKUP_IN_VALUE"
    UNKNOWN_MESSAGE = "UNKNOWN_MESSAGE"
    TEST_MESSAGE = "TEST_MESSAGE"
    # JSON
    NOT_JSON = "NOT_JSON"
    DUPLICATE_KEY = "DUPLICATE_KEY"
    UNKNOWN_SCHEMA_VERSION = "UNKNOWN_SCHEMA_VERSION"
    UNKNOWN_KIND = "UNKNOWN_KIND"
    WRONG_TYPE = "WRONG_TYPE"
    # Fields, whatever the syntax around them
    MISSING_FIELD = "MISSING_FIELD"
    DUPLICATE_FIELD = "DUPLICATE_FIELD"
    INVALID_AMOUNT = "INVALID_AMOUNT"
    NEGATIVE_AMOUNT = "NEGATIVE_AMOUNT"
    AMOUNT_TOO_PRECISE = "AMOUNT_TOO_PRECISE"
    INVALID_CURRENCY = "INVALID_CURRENCY"
    CURRENCY_MISMATCH = "CURRENCY_MISMATCH"
    INVALID_DIRECTION = "INVALID_DIRECTION"
    INVALID_STATUS = "INVALID_STATUS"
    INVALID_DATE = "INVALID_DATE"
    FUTURE_INSTANT = "FUTURE_INSTANT"
    INVALID_BOOLEAN = "INVALID_BOOLEAN"
    INVALID_IDENTIFIER = "INVALID_IDENTIFIER"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    # Meaning
    UNKNOWN_ACCOUNT = "UNKNOWN_ACCOUNT"
    UNKNOWN_SCOPE = "UNKNOWN_SCOPE"
    UNKNOWN_CLIENT = "UNKNOWN_CLIENT"
    ID_CONFLICT = "ID_CONFLICT"
    WRONG_TOPIC = "WRONG_TOPIC"
    STATEMENT_UNBALANCED = "STATEMENT_UNBALANCED"
    LIMIT_REACHED = "LIMIT_REACHED"
    # Ours: the core asserted on this input. Kept apart so that it pages.
    DECISION_FAILED = "DECISION_FAILED"


class Refused(Exception):
    """One input, or one part of it, cannot be used.

    Attributes:
        code: The reason, from the closed set.
        field: Where it is: an XPath-like path of element names with 1-based positions
            (`Ntfctn[1]/Ntry[2]/Amt`), a JSON pointer (`/amount`), or "" for the whole input.
        rule: What would have been right, in one sentence its sender can act on.
        detail: What was found. Never a name, an address or an account number: it reaches alerts.
    """

    def __init__(self, code: RefusalCode, field: str, rule: str, detail: str = "") -> None:
        super().__init__(f"{code} at {field or 'the message'}: {rule}")
        self.code = code
        self.field = field
        self.rule = rule
        self.detail = detail


def excerpt(text: str, length_max: int = 40) -> str:
    """Return `text` as printable ASCII, cut, for the `detail` of a refusal.

    For amounts, dates and codes only. Controls and other scripts come out escaped, so that a
    full-width digit or a line break can be seen for what it is.
    """
    shown = text[:length_max].encode("ascii", "backslashreplace").decode("ascii")
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in shown)
    return f"{shown}…" if len(text) > length_max else shown
