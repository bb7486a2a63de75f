"""stub"""


def is_mt(payload: bytes) -> bool:
    return False


def inspect_mt(payload: bytes):
    raise AssertionError
