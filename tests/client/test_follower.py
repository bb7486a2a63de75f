"""What the guard counts of the records that it leaves out."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from recon_streams.client.follower import Follower
from recon_streams.client.records import LogRecord
from recon_streams.client_drivers.keys import load_keys

DOCUMENT = json.loads(
    (Path(__file__).parents[2] / "conformance" / "breaker-guard.json").read_text()
)


@pytest.fixture
def follower(tmp_path: Path) -> Follower:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(DOCUMENT["keys"]))
    return Follower(load_keys(keys))


def records(name: str) -> list[dict[str, Any]]:
    (case,) = (case for case in DOCUMENT["cases"] if case["name"] == name)
    return [step["record"] for step in case["steps"] if "record" in step]


def taken_in(follower: Follower, name: str) -> dict[str, int]:
    """Return what was counted of the records of the case `name`."""
    for said in records(name):
        key, value = (said[part] and b64decode(said[part]) for part in ("key", "value"))
        headers = [(header, b64decode(each)) for header, each in said["headers"]]
        follower.apply(LogRecord(said["offset"], key, value, headers))
    return dict(follower.counts)


def test_a_lease_by_a_key_that_is_not_pinned_is_counted_as_one(follower: Follower) -> None:
    # All that the payout service sees of it is that its lease runs out.
    counts = taken_in(follower, "a lease signed by a stranger is as if it were not there")
    assert counts["dropped:LEASE_UNKNOWN_KEY"] == 1
    assert "dropped:UNKNOWN_KEY" not in counts


def test_a_lease_that_is_not_signed_is_counted_as_one(follower: Follower) -> None:
    counts = taken_in(follower, "a lease that is not signed is as if it were not there")
    assert counts["dropped:LEASE_BAD_SIGNATURE"] == 1


def test_a_record_without_a_usable_key_is_counted(follower: Follower) -> None:
    assert taken_in(follower, "a deletion without a key is nobody's")["dropped:TOMBSTONE"] == 1
