"""Everybody who has the book counts the days that the operator's file says."""

from datetime import date

import pytest
from closing_stories import OPENING, REGISTRY, Story

from recon_streams.discrepancies import store
from recon_streams.kernel.calendars import Calendars, Overlay, calendars_from
from recon_streams.registry.calendar_store import (
    calendars_in_force,
    note_calendars,
    put_in_force,
)

pytestmark = pytest.mark.postgres

TUESDAY = date(2026, 11, 17)
OWN = Calendars({"OWN": Overlay(combines=("AE",), holidays=frozenset({TUESDAY}))})


def test_calendars_are_made_again_from_what_was_kept() -> None:
    again = calendars_from(OWN.content)
    assert again.version == OWN.version
    assert not again.named("OWN").is_business_day(TUESDAY)


async def test_the_calendars_put_in_force_last_count(unregistered: Story) -> None:
    pool = unregistered.pool
    assert not (await calendars_in_force(pool)).overlays
    await note_calendars(pool, OWN)
    assert (await calendars_in_force(pool)).version == OWN.version, "the first there are"
    for each in (OWN, Calendars(), Calendars(), OWN):
        await put_in_force(pool, each)
        await note_calendars(pool, Calendars())
        assert (await calendars_in_force(pool)).version == each.version
    assert len(await unregistered.fetch("SELECT 1 FROM closing.calendar_in_force")) == 3


async def test_a_discrepancy_is_due_by_the_operators_calendar(unregistered: Story) -> None:
    text = REGISTRY.replace("calendar: AE", "calendar: OWN") + OPENING
    await unregistered.registered(text, OWN)
    (account,) = (await store.accounts(unregistered.pool, [1])).values()
    assert account.working.days.is_business_day(TUESDAY), "nobody has said otherwise yet"
    await put_in_force(unregistered.pool, OWN)
    (account,) = (await store.accounts(unregistered.pool, [1])).values()
    assert not account.working.days.is_business_day(TUESDAY)
