"""`recon.quarantine`: an input that could not be used, why, and what would have been right.

The bytes themselves stay in the book (`recon-streams quarantine show`), under their hash.
"""

import msgspec

from topics.words import Instant


class QuarantineNotice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tells the sender of one input which field broke which rule.

    Attributes:
        quarantine_id: The number to quote, and to pass to `recon-streams quarantine show`.
        topic: The topic of the input.
        partition: Its partition.
        offset: Its offset.
        code: The reason, one of the refusal codes.
        field: Where it is: a JSON pointer, a path of XML elements, or empty for the whole input.
        rule: What would have been right.
        payload_sha256: SHA-256 of the input's bytes, in hexadecimal.
        payload_bytes: How many bytes the input has.
        at: When it was refused.
        detail: What was found. Never a name or an account number.
        schema_version: The major version of the contract.
    """

    quarantine_id: int
    topic: str
    partition: int
    offset: int
    code: str
    field: str
    rule: str
    payload_sha256: str
    payload_bytes: int
    at: Instant
    detail: str = ""
    schema_version: int = 1
