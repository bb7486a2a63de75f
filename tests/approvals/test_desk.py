"""Two people at the desk: what is done, and everything by which one person could do it alone."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from approval_people import Office, changed

from recon_streams.approvals import store
from recon_streams.approvals.machine import RequestState, Ruling
from recon_streams.approvals.refusals import NoSuchRequest, NotAllowed
from recon_streams.approvals.subject import NotAskable
from recon_streams.book.unit_of_work import UnitOfWork
from recon_streams.identity.flaw import IdentityFlaw, NotBelieved
from recon_streams.identity.operators import without
from recon_streams.identity.statement import Deed

pytestmark = pytest.mark.postgres


async def refused(office: Office, key: str, page: str = "7") -> Ruling:
    """Return the rule that forbids `key` to answer a request of ada's."""
    await office.write(page, "as it was")
    request = await office.ask("ada", page)
    with pytest.raises(NotAllowed) as caught:
        await office.answer(key, request)
    assert await office.done(page) == 0
    return caught.value.ruling


async def test_what_one_asks_and_another_agrees_to_is_done_once(office: Office) -> None:
    await office.write("7", "as it was")
    request = await office.ask("ada", "7")
    assert await office.done("7") == 0
    outcome = await office.answer("ben", request)
    assert (outcome.request.state, outcome.request.checker) == (RequestState.APPROVED, "ben")
    assert await office.done("7") == 1
    with pytest.raises(NotAllowed) as caught:
        await office.answer("dan", request)
    assert caught.value.ruling is Ruling.ENDED
    assert await office.done("7") == 1


async def test_whoever_asks_cannot_agree(office: Office) -> None:
    assert await refused(office, "ada") is Ruling.SAME_PERSON


async def test_two_keys_of_a_subject_are_one_person(office: Office) -> None:
    await office.write("7", "as it was")
    request = await office.ask("dan", "7")
    with pytest.raises(NotAllowed) as caught:
        await office.answer("dan's other", request)
    assert caught.value.ruling is Ruling.SAME_PERSON


async def test_who_may_only_ask_cannot_agree(office: Office) -> None:
    assert await refused(office, "cleo") is Ruling.NO_ROLE


async def test_facts_that_changed_void_the_request_for_good(office: Office) -> None:
    await office.write("7", "as it was")
    request = await office.ask("ada", "7")
    await office.write("7", "as it is")
    outcome = await office.answer("ben", request)
    assert outcome.request.state is RequestState.VOIDED
    await office.write("7", "as it was")
    with pytest.raises(NotAllowed) as caught:
        await office.answer("ben", request)
    assert caught.value.ruling is Ruling.ENDED
    assert await office.done("7") == 0


async def test_a_subject_that_is_gone_voids_the_request(office: Office) -> None:
    await office.write("7", "as it was")
    request = await office.ask("ada", "7")
    await office.pool.execute("DELETE FROM notebook")
    outcome = await office.answer("ben", request)
    assert outcome.request.state is RequestState.VOIDED
    assert "there is no page 7" in outcome.words[0]


async def test_an_expired_request_is_told_once_and_never_agreed_to(office: Office) -> None:
    await office.write("7", "as it was")
    request = await office.ask("ada", "7")
    await office.past_expiry(request)
    with pytest.raises(NotAllowed) as caught:
        await office.answer("ben", request)
    assert caught.value.ruling is Ruling.EXPIRED
    told = []
    for _ in range(2):
        async with UnitOfWork(office.pool) as unit:
            told.append([each.state for each in await store.end_overdue(unit.connection)])
    assert told == [[RequestState.EXPIRED], []]


async def test_an_answer_cannot_be_used_again(office: Office) -> None:
    await office.write("7", "as it was")
    asked = await office.asking("ada", "7")
    first = await office.take(asked)
    with pytest.raises(NotAllowed, match="used before"):
        await office.take(asked)
    answer = office.answering("ben", first, Deed.REFUSE)
    assert (await office.give(answer)).request.state is RequestState.REFUSED
    with pytest.raises(NotAllowed, match="ENDED"):
        await office.give(answer)
    with pytest.raises(NotAllowed, match="ENDED"):
        await office.answer("ben", first)
    assert await office.done("7") == 0


async def test_an_answer_to_one_request_is_none_to_another(office: Office) -> None:
    await office.write("7", "as it was")
    first = await office.ask("ada", "7")
    second = await office.ask("ada", "7")
    about_first = office.answer_of("ben", first)
    for field, value in {
        "request_id": second.request_id,
        "request_nonce": second.nonce,
        "facts_sha256": "0" * 64,
        "subject": "8",
        "details": {"minutes": "30"},
        "kind": "DAY_CLOSE",
        "epoch": 3,
        "deed": Deed.REQUEST,
    }.items():
        statement = changed(about_first, **{field: value})
        with pytest.raises(NotAllowed, match="OTHER_STATEMENT"):
            await office.give(office.cast.sign("ben", statement))
    assert await office.done("7") == 0


async def test_a_statement_is_not_kept_for_later(office: Office) -> None:
    await office.write("7", "as it was")
    request = await office.ask("ada", "7")
    for aside in (timedelta(minutes=-6), timedelta(minutes=6)):
        statement = changed(office.answer_of("ben", request), at=datetime.now(UTC) + aside)
        with pytest.raises(NotAllowed, match="STALE_STATEMENT"):
            await office.give(office.cast.sign("ben", statement))


async def test_nobody_signs_for_somebody_else_or_for_another_installation(office: Office) -> None:
    await office.write("7", "as it was")
    request = await office.ask("ada", "7")
    for change in ({"signer": "ben"}, {"installation": "another"}):
        statement = changed(office.answer_of("eve", request), **change)
        with pytest.raises(NotBelieved) as caught:
            await office.give(office.cast.sign("eve", statement))
        assert caught.value.flaw is IdentityFlaw.OTHER_SIGNER
    forged = office.cast.sign("ben", office.answer_of("ben", request))
    with pytest.raises(NotBelieved) as caught:
        await office.give(msgspec.structs.replace(forged, signature=bytes(64)))
    assert caught.value.flaw is IdentityFlaw.BAD_SIGNATURE


async def test_what_speaks_against_it_is_said_and_the_request_waits(office: Office) -> None:
    await office.write("7", "wet")
    request = await office.ask("ada", "7")
    outcome = await office.answer("ben", request)
    assert (outcome.words, outcome.request.state) == (
        ("the page is wet",),
        RequestState.REQUESTED,
    )
    assert await office.done("7") == 0


async def test_what_does_not_exist_cannot_be_asked_for_or_answered(office: Office) -> None:
    with pytest.raises(NotAskable):
        await office.asking("ada", "none")
    await office.write("7", "as it was")
    request = await office.ask("ada", "7")
    statement = changed(office.answer_of("ben", request), request_id=99)
    with pytest.raises(NoSuchRequest):
        await office.give(office.cast.sign("ben", statement))


async def test_a_key_revoked_since_counts_no_more_and_an_older_file_neither(
    office: Office,
) -> None:
    await office.write("7", "as it was")
    request = await office.ask("ada", "7")
    before, cast = office.cast.operators, office.cast
    cast.operators = cast.made(without(before.listed, "ben"))
    with pytest.raises(NotBelieved) as caught:
        await office.answer("ben", request)
    assert caught.value.flaw is IdentityFlaw.REVOKED
    # Whoever has seen the newer file does not go back to the older one.
    await office.answer("dan", await office.ask("ada", "7"))
    cast.operators = before
    with pytest.raises(NotBelieved) as caught:
        await office.answer("ben", request)
    assert caught.value.flaw is IdentityFlaw.OLDER_VERSION


async def test_both_alerts_of_a_request_have_one_cause(office: Office) -> None:
    await office.write("7", "as it was")
    request = await office.ask("ada", "7")
    await office.answer("ben", request)
    rows = await office.pool.fetch(
        "SELECT key, payload FROM book.outbox WHERE topic = 'recon.alerts' ORDER BY 1, 2"
    )
    alerts = [msgspec.json.decode(row["payload"]) for row in rows]
    assert {row["key"] for row in rows} == {b"approval_waiting:%d" % request.request_id}
    assert sorted(alert["action"] for alert in alerts) == ["resolve", "trigger"]
