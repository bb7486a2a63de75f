"""Why somebody or something is not believed: one word for programs, one sentence for people."""

from enum import StrEnum, unique


@unique
class IdentityFlaw(StrEnum):
    """Everything that can be wrong with a key, a file of operators or a signed statement."""

    UNREADABLE = "UNREADABLE"
    WRONG_MODE = "WRONG_MODE"
    NOT_A_KEY = "NOT_A_KEY"
    UNKNOWN_ROOT = "UNKNOWN_ROOT"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    OLDER_VERSION = "OLDER_VERSION"
    OTHER_CONTENT = "OTHER_CONTENT"
    KEY_OF_TWO = "KEY_OF_TWO"
    SUBJECT_TWICE = "SUBJECT_TWICE"
    BAD_SUBJECT = "BAD_SUBJECT"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    REVOKED = "REVOKED"
    OTHER_SIGNER = "OTHER_SIGNER"


class NotBelieved(Exception):
    """A key, a file of operators or a statement was not believed; says which flaw and why."""

    def __init__(self, flaw: IdentityFlaw, words: str) -> None:
        super().__init__(f"{flaw}: {words}")
        self.flaw = flaw
