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
        description="A signed decimal amount as text; negative means short at the bank.",
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
LedgerSequence = Annotated[
    int,
    Meta(
        ge=1,
        le=9_007_199_254_740_991,  # 2^53 - 1: what every JSON reader keeps exactly
        description="The ledger's own counter for this account: strictly rising, gaps allowed. "
        "It says which movements a balance already contains.",
    ),
]
Instant = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset.")]
