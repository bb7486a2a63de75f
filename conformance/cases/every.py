"""All cases, in the order of the file."""

from cases.case import Case
from cases.catching_up import catching_up
from cases.dating import dating
from cases.deletions import deletions
from cases.keys import keys
from cases.lease_fields import lease_fields
from cases.leases import leases
from cases.other_logs import other_logs
from cases.precedence import precedence
from cases.records import records
from cases.scopes import scopes
from cases.signatures import signatures
from cases.texts import texts

_ABOUT = (
    catching_up,
    other_logs,
    leases,
    lease_fields,
    dating,
    scopes,
    deletions,
    signatures,
    keys,
    texts,
    records,
    precedence,
)


def cases() -> list[Case]:
    """Return every case."""
    return [case for about in _ABOUT for case in about()]
