"""What files say about each other is found on the files alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from recon_streams.bankfiles.delivery import delivered_in
from recon_streams.bankfiles.inspection import inspect_delivered
from recon_streams.bankfiles.relations import Related


@pytest.fixture(scope="module")
def found(samples: Path) -> set[str]:
    related = Related()
    for delivered in delivered_in([samples]):
        related.add(inspect_delivered(delivered))
    return {_bare(relation, f"{samples}/") for relation in related.found()}


def _bare(relation: dict[str, Any], prefix: str = "") -> str:
    return json.dumps(relation, sort_keys=True).replace(prefix, "")


def test_every_known_relation_is_found(found: set[str], expected: dict[str, Any]) -> None:
    missing = [r for r in expected["relations"] if _bare(r) not in found]
    assert missing == []


def test_a_notification_that_was_cut_off_is_told_by_its_exact_difference(found: set[str]) -> None:
    days = [r for text in found if "notification_net" in (r := json.loads(text))]
    assert [(r["date"], r["difference"]) for r in days if not r["agree"]] == [
        ("2024-10-05", "-759.00")
    ]
