"""Accounts are looked at, banks are asked, and what differs is told: on a real book and bank."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from agents.instants import make_planners
from recon_streams.book.connection import open_pool
from recon_streams.kernel.clock import utc_now
from recon_streams.registry.calendar_file import load_calendars
from recon_streams.reports.dataset import dataset_from_bytes
from recon_streams.runtime.settings import load_settings
from recon_streams.schedule.scheduler import emit_due
from recon_streams.sweeps.terms import SweepTerms
from topics.ticks import SweepTick, WindowTick

pytestmark = pytest.mark.postgres
_SETTINGS = load_settings(None, {}).sweeps


async def test_a_sweep_keeps_the_figures_the_verdict_and_what_the_table_says(
    desk: Any, make_account: Any
) -> None:
    await desk.register(make_account(bank="1000100", ledger="1000000"))
    row = await desk.sweep()
    assert (row["bank"], row["ledger"], row["difference"]) == (1000100, 1000000, 100)
    assert (row["tier"], row["verdict"], row["table_state"]) == ("OK", "OK", "EQUAL")
    assert row["bank_state"] == "NOT_ASKED"
    assert await desk.found() == {}


async def test_a_tick_that_comes_twice_is_one_sweep(desk: Any, make_account: Any) -> None:
    await desk.register(make_account())
    tick = SweepTick(account_id="A", currency="AED", due_at=utc_now())
    for _ in range(2):
        await desk.tick(tick, "account:A:AED")
    assert len(await desk.sweeps()) == 1
    rows = await desk.pool.fetch("SELECT disposition FROM book.input ORDER BY off")
    assert [row["disposition"] for row in rows] == ["OBSERVATION", "DUPLICATE"]


async def test_a_bank_that_names_our_figure_confirms_it(desk: Any, make_account: Any) -> None:
    await desk.register(make_account(connector="stub"))
    desk.bank.balances["A"] = "1000000.00"
    desk.poll()
    row = await desk.sweep()
    assert (row["bank_state"], row["verdict"]) == ("AGREES", "OK")
    assert row["bank_balance"] == row["bank_ours"] == row["bank_ledger"] == 1000000
    assert await desk.found() == {}


async def test_a_bank_that_names_another_figure_twice_disagrees(
    desk: Any, make_account: Any
) -> None:
    await desk.register(make_account(connector="stub"))
    desk.bank.balances["A"] = "999999.99"
    desk.poll()
    row = await desk.sweep()
    assert (row["bank_state"], row["verdict"], row["tier"]) == ("DIFFERS", "CRITICAL", "OK")
    assert await desk.found() == {"SOURCE_DISAGREEMENT": "OPEN"}
    assert desk.bank.asked == ["A", "A"]
    # Its figure is evidence beside the position and never in its place.
    status = await desk.pool.fetchrow("SELECT bank, breaker FROM positions.account_state")
    assert status["bank"] == 1000000
    desk.bank.balances["A"] = "1000000"
    await desk.sweep()
    assert await desk.found() == {"SOURCE_DISAGREEMENT": "RESOLVED"}


async def test_a_bank_that_is_right_the_second_time_alarms_nobody(
    desk: Any, make_account: Any
) -> None:
    await desk.register(make_account(connector="stub"))
    answers = iter(["1000050", "1000000"])

    async def moving(_request: web.Request) -> web.StreamResponse:
        balance = {
            "type": "booked", "amount": next(answers), "currency": "AED",
            "as_of": utc_now().isoformat(),
        }  # fmt: skip
        return web.json_response({"balances": [balance]})

    desk.bank.answering = moving
    desk.poll()
    row = await desk.sweep()
    assert (row["bank_state"], row["verdict"]) == ("AGREES", "OK")
    assert await desk.found() == {}


async def test_a_figure_that_is_too_old_proves_nothing(desk: Any, make_account: Any) -> None:
    await desk.register(make_account(connector="stub"))
    desk.bank.balances["A"] = "1000000"
    desk.bank.as_of = utc_now() - timedelta(hours=1)
    desk.poll()
    row = await desk.sweep()
    assert (row["bank_state"], row["verdict"]) == ("STALE", "UNKNOWN")
    assert await desk.found() == {"BANK_UNREACHABLE": "OPEN"}
    desk.bank.as_of = None
    assert (await desk.sweep())["bank_state"] == "AGREES"
    assert await desk.found() == {"BANK_UNREACHABLE": "RESOLVED"}


async def test_a_bank_without_an_answer_leaves_the_sweep_unknown(
    desk: Any, make_account: Any
) -> None:
    await desk.register(make_account(connector="stub"))
    desk.poll()
    row = await desk.sweep()
    assert (row["bank_state"], row["verdict"]) == ("REFUSED", "UNKNOWN")
    assert row["bank_detail"] == "HTTP_REFUSED 404"
    assert await desk.found() == {"BANK_UNREACHABLE": "OPEN"}


async def test_a_shortage_stays_critical_though_the_bank_is_silent(
    desk: Any, make_account: Any
) -> None:
    await desk.register(make_account(bank="999999", connector="stub"))
    desk.poll()
    row = await desk.sweep()
    assert (row["tier"], row["verdict"]) == ("CRITICAL", "CRITICAL")


async def test_what_moved_after_the_banks_instant_is_no_difference(
    desk: Any, make_account: Any
) -> None:
    await desk.register(make_account(connector="stub"))
    desk.bank.balances["A"] = "1000000"
    desk.bank.as_of = utc_now()
    await asyncio.sleep(0.02)
    await desk.moved("A", "-300")
    desk.poll()
    row = await desk.sweep()
    assert row["bank_state"] == "AGREES"
    assert (row["ledger"], row["bank_ledger"]) == (999700, 1000000)


async def test_an_account_whose_breaker_is_open_is_swept_like_any_other(
    desk: Any, make_account: Any
) -> None:
    await desk.register(make_account(bank="1", ledger="1000"))
    await desk.moved("A", "1")
    row = await desk.sweep()
    assert (row["breaker"], row["tier"]) == ("OPEN", "CRITICAL")


async def test_a_worker_that_does_not_have_the_account_compares_nothing(
    desk: Any, make_account: Any
) -> None:
    await desk.register(make_account())
    desk.table.rows.clear()
    row = await desk.sweep()
    assert (row["table_state"], row["tier"]) == ("ABSENT", "OK")
    assert await desk.found() == {}
    assert [state.value for state in desk.compared] == ["ABSENT"]


async def test_a_table_with_other_figures_at_the_same_version_is_our_error_and_told(
    desk: Any, make_account: Any
) -> None:
    await desk.register(make_account())
    scope = "account:A:AED"
    rolling = desk.table.rows[scope]
    import msgspec  # noqa: PLC0415 - beside its use

    wrong = msgspec.structs.replace(rolling.position, bank="999")
    desk.table.rows[scope] = msgspec.structs.replace(rolling, position=wrong)
    assert (await desk.sweep())["table_state"] == "DISAGREES"
    assert await desk.found() == {"TABLE_DISAGREEMENT": "OPEN"}
    desk.table.rows[scope] = rolling
    assert (await desk.sweep())["table_state"] == "EQUAL"
    assert await desk.found() == {"TABLE_DISAGREEMENT": "RESOLVED"}


async def test_an_instant_long_past_is_swept_late_and_the_bank_is_not_asked(
    desk: Any, make_account: Any
) -> None:
    await desk.register(make_account(connector="stub"))
    row = await desk.sweep(due_at=utc_now() - timedelta(minutes=31))
    assert (row["late"], row["bank_state"], row["state"]) == (True, "NOT_ASKED", "DECIDED")


async def test_a_window_ends_the_waiting_for_a_bank_that_nobody_asks(
    desk: Any, make_account: Any
) -> None:
    await desk.register(make_account(connector="nobody"))
    now = utc_now()
    past = now - timedelta(minutes=29)
    tick = SweepTick(account_id="A", currency="AED", due_at=past)
    await desk.tick(tick, "account:A:AED")
    (row,) = await desk.sweeps()
    assert (row["state"], row["bank_state"]) == ("WAITING", "ASKED")
    for _ in range(2):
        await desk.tick(WindowTick(due_at=past + timedelta(minutes=30)), "all")
    (row,) = await desk.sweeps()
    assert (row["state"], row["bank_state"], row["verdict"]) == (
        "DECIDED", "UNREACHABLE", "UNKNOWN",
    )  # fmt: skip
    assert await desk.found() == {"BANK_UNREACHABLE": "OPEN"}


async def test_an_answer_that_comes_twice_counts_once(desk: Any, make_account: Any) -> None:
    await desk.register(make_account(connector="stub"))
    desk.bank.balances["A"] = "1000000"
    desk.poll()
    await desk.sweep()
    (record,) = [r for r in await _answers(desk) if r is not None]
    await desk.append("bank.balances", "A", record)
    await desk.decide("bank.balances")
    dispositions = await desk.pool.fetch(
        "SELECT disposition FROM book.input JOIN book.stream USING (stream) "
        "WHERE topic = 'bank.balances' ORDER BY off"
    )
    assert [row["disposition"] for row in dispositions] == ["OBSERVATION", "DUPLICATE"]


async def test_a_balance_nobody_asked_for_is_compared_all_the_same(
    desk: Any, make_account: Any
) -> None:
    await desk.register(make_account())
    record = (
        '{"kind":"balance","account_id":"A","currency":"AED","connector":"by-hand",'
        f'"obtained_at":"{utc_now().isoformat()}","as_of":"{utc_now().isoformat()}",'
        '"balance":"7"}'
    )
    await desk.append("bank.balances", "A", record.encode())
    await desk.decide("bank.balances")
    assert await desk.found() == {"SOURCE_DISAGREEMENT": "OPEN"}


async def _answers(desk: Any) -> list[bytes | None]:
    rows = await desk.pool.fetch(
        "SELECT payload FROM book.input JOIN book.stream USING (stream) "
        "WHERE topic = 'bank.balances' ORDER BY off"
    )
    return [row["payload"] for row in rows]


async def test_a_window_is_reported_once_with_what_moved_between_its_sweeps(
    desk: Any, make_account: Any
) -> None:
    await desk.register(make_account(bank="1000000", ledger="1000000"), make_account("B"))
    end = (utc_now() - timedelta(minutes=1)).replace(second=0, microsecond=0)
    end -= timedelta(minutes=end.minute % 30)
    for name in ("A", "B"):
        key = f"account:{name}:AED"
        due_at = end - timedelta(minutes=30)
        await desk.tick(SweepTick(account_id=name, currency="AED", due_at=due_at), key)
    await desk.moved("A", "-300")
    await desk.moved("A", "50")
    await desk.tick(SweepTick(account_id="A", currency="AED", due_at=end), "account:A:AED")
    for seconds in (60, 61):
        await desk.tick(WindowTick(due_at=end + timedelta(seconds=seconds)), "all")
    (row,) = await desk.pool.fetch("SELECT dataset, window_until FROM reports.report")
    assert row["window_until"] == end
    dataset = dataset_from_bytes(row["dataset"])
    (account,) = dataset.accounts
    assert (account.account_id, account.difference, account.tier) == ("A", "250", "MINOR")
    assert (account.ledger.opening, account.ledger.closing) == ("1000000", "999750")
    assert (account.ledger.credits, account.ledger.debits, account.ledger.count) == ("50", "300", 2)
    assert (account.bank.count, account.bank.restated) == (0, "0")
    assert account.drift.change == "250"
    assert account.bank_balance.answer == "NOT_ASKED"
    assert {each.topic for each in account.coverage} == {"ledger.movements"}


async def test_a_question_that_nobody_can_ask_is_over_when_its_time_is(
    desk: Any, make_account: Any
) -> None:
    terms = SweepTerms(give_up_after=timedelta(milliseconds=300))
    hasty = type(desk)(desk.pool, desk.bank, terms=terms)
    await hasty.register(make_account(connector="nobody"))
    hasty.poll()
    row = await hasty.sweep()
    await hasty.stop()
    assert (row["bank_state"], row["verdict"]) == ("UNREACHABLE", "UNKNOWN")
    assert row["bank_detail"] == "NOT_ASKED_IN_TIME no worker has a connector nobody"


async def test_a_window_whose_last_bank_has_answered_is_reported_at_once(
    desk: Any, make_account: Any
) -> None:
    end = utc_now().replace(second=0, microsecond=0)
    end -= timedelta(minutes=end.minute % 30)
    planners = [each for each in make_planners(_SETTINGS, load_calendars()) if each.kind == "sweep"]
    await emit_due(desk.pool, planners, now=end - timedelta(minutes=1))
    await desk.register(make_account("A"), make_account("B", connector="stub"))
    await _applied_at(desk, end - timedelta(minutes=1))
    desk.bank.balances["B"] = "1000000"
    assert await emit_due(desk.pool, planners, now=end, rows_max=1) == 1
    await desk.relay()
    await desk.decide("recon.ticks")
    # One of the two is not emitted yet: what is decided is not all there is.
    assert await _reports(desk) == 0
    assert await emit_due(desk.pool, planners, now=end, rows_max=1) == 1
    await desk.relay()
    await desk.decide("recon.ticks")
    assert await _reports(desk) == 0
    desk.poll()
    async with asyncio.timeout(15):
        while await _reports(desk) == 0:
            await asyncio.sleep(0.05)
            await desk.decide("bank.balances")
            await desk.decide("recon.ticks")
    await desk.tick(WindowTick(due_at=end + timedelta(minutes=3)), "all")
    assert await _reports(desk) == 1


async def _reports(desk: Any) -> int:
    count: int = await desk.pool.fetchval("SELECT count(*) FROM reports.report")
    return count


async def _applied_at(desk: Any, at: datetime) -> None:
    """Let the registry have been applied at `at`."""
    dsn = desk.dsn
    owner = await open_pool(dsn, as_app=False)
    await owner.execute("UPDATE positions.registry_version SET applied_at = $1", at)
    await owner.close()
