"""Each class of alert has its section, and each section its class."""

import re
from pathlib import Path

import pytest

from recon_streams.alerts.classes import RUNBOOKS, AlertClass, Component, runbook_of
from recon_streams.discrepancies.finding import Kind
from recon_streams.positions.tiers import Rule

ROOT = Path(__file__).parents[2]
PARTS = ("Meaning", "Impact", "Check", "Act", "Escalate", "Undo")
# They are no trouble: the verdict is OK, and says nothing to on-call.
_CALM = {Rule.EQUAL, Rule.WITHIN_MINOR}
_BREAKER = {
    AlertClass.BREAKER_OPEN,
    AlertClass.BREAKER_SUSPENDED,
    AlertClass.FLAPPING,
    AlertClass.OVERRIDE_ACTIVE,
    AlertClass.BREAKER_NOT_ACKNOWLEDGED,
    AlertClass.LEASE_LAPSED,
    AlertClass.AGREEMENT_UNPROVEN,
    AlertClass.APPROVAL_WAITING,
}
_INPUTS = {AlertClass.QUARANTINE, AlertClass.INPUTS_LOST, AlertClass.BANK_FEED_STALE}
CLASSES = {
    Component.POSITIONS: {rule.value for rule in Rule if rule not in _CALM},
    Component.DISCREPANCIES: {kind.value for kind in Kind},
    Component.BREAKER: {each.value for each in _BREAKER},
    Component.INPUTS: {each.value for each in _INPUTS},
    Component.ALERTS: {each.value for each in set(AlertClass) - _BREAKER - _INPUTS},
}


def _sections(component: Component) -> dict[str, str]:
    text = (ROOT / RUNBOOKS / f"{component.value}.md").read_text()
    parts = re.split(r"^## (.*)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("component", list(Component))
def test_every_class_has_its_section_and_every_section_its_class(component: Component) -> None:
    assert set(_sections(component)) == CLASSES[component]


@pytest.mark.parametrize("component", list(Component))
def test_every_section_says_all_that_somebody_at_night_must_know(component: Component) -> None:
    for name, text in _sections(component).items():
        found = re.findall(r"^\*\*(\w+)\.\*\* \S", text, flags=re.MULTILINE)
        assert tuple(found) == PARTS, name


def test_the_first_page_names_every_section() -> None:
    text = (ROOT / RUNBOOKS / "README.md").read_text()
    for component, classes in CLASSES.items():
        for name in classes:
            anchor = runbook_of(component.value, name).removeprefix(f"{RUNBOOKS}/")
            assert f"[{name}]({anchor})" in text
