"""The words every contract is spelled with: amounts, identifiers, instants.

Patterns end in a negative look-ahead instead of `$`, which in Python also matches before a
trailing line break; the form is valid in JSON Schema (ECMA-262) too.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

_END = r"(?![\s\S])"

AmountText = Annotated[
    str,
    Meta(
        pattern=rf"^(0|[1-9][0-9]{{0,17}})(\.[0-9]{{1,8}})?{_END}",
        description="An unsigned decimal amount as text, at most 18 digits and 8 decimals. "
        "A JSON number is refused: readers turn it into a binary float.",
        examples=["1500.00", "0.00000001"],
    ),
]
SignedAmountText = Annotated[
    str,
    Meta(
        pattern=rf"^-?(0|[1-9][0-9]{{0,23}})(\.[0-9]{{1,8}})?{_END}",
        description="A signed decimal amount as text, at most 24 digits and 8 decimals.",
        examples=["-913", "12.5"],
    ),
]
CurrencyCode = Annotated[
    str,
    Meta(
        pattern=rf"^[A-Z][A-Z0-9]{{2,5}}{_END}",
        description="ISO 4217 in capitals, or the registered code of a token.",
        examples=["AED", "ZMW"],
    ),
]
AccountId = Annotated[
    str,
    Meta(
        pattern=rf"^[A-Za-z0-9._:-]{{1,64}}{_END}",
        description="The ledger account as the account registry names it.",
        examples=["AE-SAFEGUARDING"],
    ),
]
RecordId = Annotated[
    str,
    Meta(
        pattern=rf"^[A-Za-z0-9._:/-]{{1,64}}{_END}",
        description="Made by the producer and stored before sending; the same record sent "
        "again carries the same id.",
        examples=["mv-2026-11-20-000017"],
    ),
]
Reference = Annotated[
    str,
    Meta(
        pattern=rf"^[\x21-\x7e]([\x20-\x7e]{{0,33}}[\x21-\x7e])?{_END}",
        description="The reference the payment carries to the bank (end-to-end id), 1 to 35 "
        "printable ASCII characters.",
        examples=["PAYOUT-8841"],
    ),
]
Uetr = Annotated[
    str,
    Meta(
        pattern=rf"^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}{_END}",
        description="Unique end-to-end transaction reference: a UUID in lower case.",
        examples=["eb6305c9-1f7a-4a2e-9d3a-6d7a0e2f1c55"],
    ),
]
Rail = Annotated[
    str,
    Meta(
        pattern=rf"^[\x21-\x7e]([\x20-\x7e]{{0,30}}[\x21-\x7e])?{_END}",
        description="The payment rail as the account registry names it: 1 to 32 printable ASCII "
        "characters. A rail nobody registered has the account's default due time.",
        examples=["UAEFTS"],
    ),
]
Reason = Annotated[
    str,
    Meta(
        pattern=rf"^[^\x00-\x1f\x7f]{{1,140}}{_END}",
        description="Text of 1 to 140 characters, no control characters and no names of people.",
        examples=["Rounding of the October fees"],
    ),
]
LedgerSequence = Annotated[
    int,
    Meta(
        ge=1,
        le=9_007_199_254_740_991,  # 2^53 - 1: what every JSON reader keeps exactly
        description="The ledger's own counter for this account: strictly rising, gaps allowed. "
        "It says which movements a balance already contains.",
    ),
]
# RFC 3339, section 5.6. The years are bounded because the ends of the calendar have no UTC instant.
INSTANT_PATTERN = (
    r"^(19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}"
    rf"(\.[0-9]{{1,9}})?([Zz]|[+-][0-9]{{2}}:[0-9]{{2}}){_END}"
)
Instant = Annotated[
    datetime,
    Meta(
        tz=True,
        description="RFC 3339 with an offset, years 1900 to 2999; kept to the microsecond.",
        extra_json_schema={"pattern": INSTANT_PATTERN, "examples": ["2026-11-20T08:15:30.250Z"]},
    ),
]
