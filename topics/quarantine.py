"""`recon.quarantine`: an input that could not be used, why, and what would have been right.

The bytes themselves stay in the book (`recon-streams quarantine show`), under their hash.
"""

import msgspec

from topics.words import Instant


class QuarantineNotice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tells the sender of one input which field broke which rule."""

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
