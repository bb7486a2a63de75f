"""What the desk answers to an attempt that it does not take; everything is left as it was."""

from recon_streams.approvals.machine import WORDS, Ruling


class NotAllowed(Exception):
    """An attempt that leaves everything as it was; says which rule forbids it."""

    def __init__(self, ruling: Ruling, words: str = "") -> None:
        super().__init__(f"{ruling}: {words or WORDS[ruling]}")
        self.ruling = ruling


class NoSuchRequest(Exception):
    """There is no request of that number."""

    def __init__(self, request_id: int) -> None:
        super().__init__(f"there is no request {request_id}")
