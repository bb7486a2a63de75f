"""Keys go where Kafka's own clients send them."""

from aiokafka.partitioner import murmur2 as independent_murmur2
from hypothesis import given
from hypothesis import strategies as st

from recon_streams.log.partitioner import murmur2, partition_of


@given(st.binary(max_size=70))
def test_the_hash_is_the_one_of_kafka(key: bytes) -> None:
    assert murmur2(key) == independent_murmur2(key)


def test_the_hash_is_the_one_of_javas_own_test() -> None:
    # From org.apache.kafka.common.utils.UtilsTest.testMurmur2, as unsigned numbers.
    known = {
        b"21": -973932308,
        b"foobar": -790332482,
        b"a-little-bit-long-string": -985981536,
        b"a-little-bit-longer-string": -1486304829,
        b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
        b"abc": 479470107,
    }
    assert {key: murmur2(key) for key in known} == {k: v % 2**32 for k, v in known.items()}


@given(st.binary(max_size=20), st.integers(1, 50))
def test_a_partition_exists(key: bytes, partitions: int) -> None:
    assert 0 <= partition_of(key, partitions) < partitions


def test_no_key_is_the_first_partition() -> None:
    assert partition_of(None, 7) == 0
