"""Which partition a key belongs to: the same number in every adapter, and the same as Java's.

Accounts keep their order only while their key stays in one partition, so a log that moves from
Postgres to Kafka, or is written by a Java producer, must not send keys anywhere else.
"""

from functools import lru_cache
from typing import Final

_MULTIPLIER: Final = 0x5BD1E995
_SEED: Final = 0x9747B28C
_BITS_32: Final = 0xFFFFFFFF


@lru_cache(maxsize=65_536)
def partition_of(key: bytes | None, partitions: int) -> int:
    """Return the partition, below `partitions`, of records with `key`; 0 for those without one.

    Kafka's default for keyed records: murmur2 of the key, made positive, modulo the count.
    """
    return 0 if key is None else (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """Return the 32 bits that `org.apache.kafka.common.utils.Utils.murmur2` computes, unsigned."""
    whole = len(data) & ~3
    state = _SEED ^ len(data)
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * _MULTIPLIER & _BITS_32
        word = (word ^ word >> 24) * _MULTIPLIER & _BITS_32
        state = (state * _MULTIPLIER & _BITS_32) ^ word
    if len(data) > whole:
        rest = int.from_bytes(data[whole:], "little")
        state = (state ^ rest) * _MULTIPLIER & _BITS_32
    state = (state ^ state >> 13) * _MULTIPLIER & _BITS_32
    return state ^ state >> 15
