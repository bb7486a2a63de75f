"""P11 at the desk: whatever people do in whatever order, nothing is done that one wanted alone.

The model knows who asked for what and when; it shares no code with the desk. What it says must have
been done is compared with what was done, after every step.
"""

import asyncio
import secrets
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import asyncpg
import pytest
from approval_people import Office, changed
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from recon_streams.approvals.machine import Request, RequestState
from recon_streams.approvals.refusals import NoSuchRequest, NotAllowed
from recon_streams.book.connection import connect, open_pool
from recon_streams.book.migrate import migrate
from recon_streams.identity.flaw import NotBelieved
from recon_streams.identity.person import Signed
from recon_streams.identity.statement import Deed
from recon_streams.testing.postgres import TestPostgres

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(240)]

T = TypeVar("T")
MAKERS = ["ada", "ben", "cleo", "dan", "dan's other", "eve"]
CHECKERS = {"ada", "ben", "dan", "eve"}
TEXTS = st.sampled_from(["one", "two", "wet"])


@dataclass
class Asked:
    """What the model knows of a request."""

    request: Request
    page: str
    facts: str
    maker: str
    is_over: bool = False


class Town:
    """The office, and a loop that the machine's steps run on."""

    def __init__(self, dsn: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.pool = self.do(open_pool(dsn))
        self.owner: asyncpg.Connection = self.do(connect(dsn))
        self.do(
            self.owner.execute(
                "CREATE TABLE notebook (page text PRIMARY KEY, facts text NOT NULL, "
                "done integer NOT NULL); GRANT ALL ON notebook TO recon_app"
            )
        )
        self.office = Office(self.pool, self.owner)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def close(self) -> None:
        self.do(self.pool.close())
        self.do(self.owner.close())
        self.loop.close()


@pytest.fixture
def town(postgres: TestPostgres) -> Iterator[Town]:
    name = f"t_{secrets.token_hex(6)}"

    async def run(statement: str) -> None:
        connection = await asyncpg.connect(postgres.dsn)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run(f"CREATE DATABASE {name}"))
    migrate(postgres.dsn_of(name))
    made = Town(postgres.dsn_of(name))
    yield made
    made.close()
    asyncio.run(run(f"DROP DATABASE {name} WITH (FORCE)"))


def machine(town: Town) -> type[RuleBasedStateMachine]:  # noqa: C901 - the steps of one machine
    office = town.office

    class Desk(RuleBasedStateMachine):
        requests = Bundle("requests")
        spent = Bundle("spent")

        @initialize()
        def open(self) -> None:
            self.pages = {secrets.token_hex(4): "one" for _ in range(2)}
            self.done = dict.fromkeys(self.pages, 0)
            for page, facts in self.pages.items():
                town.do(office.write(page, facts))

        @rule(page=st.integers(0, 1), facts=TEXTS)
        def change(self, page: int, facts: str) -> None:
            name = list(self.pages)[page]
            self.pages[name] = facts
            town.do(office.write(name, facts))

        @rule(target=requests, key=st.sampled_from(MAKERS), page=st.integers(0, 1))
        def ask(self, key: str, page: int) -> Asked:
            name = list(self.pages)[page]
            request = town.do(office.ask(key, name))
            return Asked(request, name, self.pages[name], office.cast.subject_of(key))

        @rule(asked=requests)
        def expire(self, asked: Asked) -> None:
            if not asked.is_over:
                town.do(office.past_expiry(asked.request))
                asked.is_over = True

        @rule(
            target=spent,
            asked=requests,
            key=st.sampled_from(MAKERS),
            deed=st.sampled_from([Deed.APPROVE, Deed.APPROVE, Deed.APPROVE, Deed.REFUSE]),
        )
        def answer(self, asked: Asked, key: str, deed: Deed) -> Any:
            return self.answer_(asked, key, deed)

        def answer_(self, asked: Asked, key: str, deed: Deed) -> Any:
            signed = office.answering(key, asked.request, deed)
            subject = office.cast.subject_of(key)
            may = subject in CHECKERS and subject != asked.maker and not asked.is_over
            facts = self.pages[asked.page]
            state = self.give(signed)
            if not may:
                assert state is None
            elif deed is Deed.REFUSE:
                assert state is RequestState.REFUSED
                asked.is_over = True
            elif facts != asked.facts:
                assert state is RequestState.VOIDED
                asked.is_over = True
            elif facts == "wet":
                assert state is RequestState.REQUESTED, "an obstacle leaves it waiting"
                return multiple()
            else:
                assert state is RequestState.APPROVED
                asked.is_over = True
                self.done[asked.page] += 1
            return signed

        @rule(asked=requests, key=st.sampled_from(MAKERS), facts=TEXTS)
        def answer_what_has_changed(self, asked: Asked, key: str, facts: str) -> None:
            self.pages[asked.page] = facts
            town.do(office.write(asked.page, facts))
            self.answer_(asked, key, Deed.APPROVE)

        @rule(signed=spent)
        def replay(self, signed: Signed) -> None:
            assert self.give(signed) is None

        @rule(
            asked=requests,
            other=requests,
            key=st.sampled_from(sorted(CHECKERS)),
            twist=st.sampled_from(["number", "nonce", "facts", "late", "early", "signer", "key"]),
        )
        def twist(self, asked: Asked, other: Asked, key: str, twist: str) -> None:
            statement = office.answer_of(key, asked.request)
            now = datetime.now(UTC)
            statement = {
                "number": lambda: changed(statement, request_id=asked.request.request_id + 1),
                "nonce": lambda: changed(statement, request_nonce="0" * 32),
                "facts": lambda: changed(statement, facts_sha256="0" * 64),
                "late": lambda: changed(statement, at=now - timedelta(minutes=6)),
                "early": lambda: changed(statement, at=now + timedelta(minutes=6)),
                "signer": lambda: changed(statement, signer=other.maker + "x"),
                "key": lambda: changed(statement, installation="another"),
            }[twist]()
            assert self.give(office.cast.sign(key, statement)) is None

        def give(self, signed: Signed) -> RequestState | None:
            """Return what became of it; None if it was not taken."""
            try:
                return town.do(office.give(signed)).request.state
            except (NotAllowed, NotBelieved, NoSuchRequest):
                return None

        @invariant()
        def what_was_done_is_what_two_agreed_to(self) -> None:
            for page, done in getattr(self, "done", {}).items():
                assert town.do(office.done(page)) == done

    return Desk


def test_nothing_is_done_that_two_people_did_not_agree_to(town: Town) -> None:
    run_state_machine_as_test(
        machine(town),
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    counted = town.do(
        town.pool.fetchrow(
            "SELECT (SELECT count(*) FROM approvals.request) AS requests, "
            "(SELECT count(*) FROM approvals.decision WHERE decision = 'APPROVED') AS approved, "
            "(SELECT count(*) FROM approvals.voiding) AS voided"
        )
    )
    assert all(counted.values()), f"a search that meets nothing proves nothing: {counted}"
