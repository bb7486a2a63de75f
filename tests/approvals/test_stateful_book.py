"""P11 without the desk: whoever writes beside the program meets the same rules in the book.

Every step is one INSERT of the application's own role, with whatever a hand might try. What may
succeed is known to the model alone; a scope leaves OPEN only with what two people agreed to in that
very transaction.
"""

import asyncio
import secrets
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import asyncpg
import msgspec
import pytest
from hand_book import OVERRIDE, REQUEST, RESET, VOIDING, Asked, Book, Scope
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from recon_streams.approvals.proof_store import agreed_numbers
from recon_streams.approvals.prover import Prover
from recon_streams.book.migrate import migrate
from recon_streams.testing.postgres import TestPostgres

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(240)]

KEYS = ["ada", "ben", "cleo", "dan", "dan's other", "eve"]
MAKERS = {"ada", "ben", "cleo", "dan", "eve"}
CHECKERS = {"ada", "ben", "dan", "eve"}
GLASS = {"dan", "eve"}
REASON = "the bank has confirmed it in writing"


@pytest.fixture
def book(postgres: TestPostgres) -> Iterator[Book]:
    name = f"t_{secrets.token_hex(6)}"

    async def run(statement: str) -> None:
        connection = await asyncpg.connect(postgres.dsn)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run(f"CREATE DATABASE {name}"))
    migrate(postgres.dsn_of(name))
    made = Book(postgres.dsn_of(name))
    yield made
    made.close()
    asyncio.run(run(f"DROP DATABASE {name} WITH (FORCE)"))


LIES: dict[str, dict[str, Any]] = {
    "other facts": {"facts": "0" * 64, "said": {"facts_sha256": "0" * 64}},
    "facts not signed": {"said": {"facts_sha256": "0" * 64}},
    "another's name": {"checker": "eve "},
    "nobody": {"checker": "mallory", "said": {"signer": "mallory"}},
    "in capitals": {"checker": "EVE", "said": {"signer": "EVE"}},
    "another request": {"said": {"request_id": 0}},
    "another nonce": {"said": {"request_nonce": "0" * 32}},
    "another deed": {"said": {"deed": "REQUEST"}},
    "another scope": {"said": {"subject": "all"}},
    "another key": {"with_key": "cleo"},
}


def machine(book: Book) -> type[RuleBasedStateMachine]:  # noqa: C901 - the steps of one machine
    cast = book.cast

    class Hand(RuleBasedStateMachine):
        asked = Bundle("asked")

        @initialize()
        def begin(self) -> None:
            self.scopes = [Scope(f"corridor:{secrets.token_hex(4)}") for _ in range(2)]
            for scope in self.scopes:
                made = (
                    "INSERT INTO breaker.scope (scope, kind) VALUES ($1, 'corridor')",
                    (scope.name,),
                )
                born = book.transition(Scope(scope.name, epoch=0), "CLOSED", "x", claims=None)
                assert book.try_(made, born)
                assert book.try_(book.transition(scope, "OPEN", "MANUAL"))
                self.released(scope, "OPEN")

        def released(self, scope: Scope, to_state: str) -> None:
            scope.epoch, scope.state = scope.epoch + 1, to_state

        @rule(number=st.integers(0, 1))
        def trip(self, number: int) -> None:
            scope = self.scopes[number]
            assert book.try_(book.transition(scope, "OPEN", "MANUAL"))
            self.released(scope, "OPEN")

        @rule(
            target=asked,
            number=st.integers(0, 1),
            key=st.sampled_from(KEYS),
            kind=st.sampled_from([RESET, RESET, OVERRIDE]),
        )
        def ask(self, number: int, key: str, kind: str) -> Asked | None:
            scope, maker = self.scopes[number], cast.subject_of(key)
            facts = b'{"page":1}'
            digest, nonce = sha256(facts).hexdigest(), secrets.token_hex(16)
            said = {
                "deed": "REQUEST",
                "kind": kind,
                "subject": scope.name,
                "details": {},
                "facts_sha256": digest,
                "epoch": scope.epoch,
                "reason": REASON,
                "signer": maker,
                "nonce": nonce,
            }
            made = book.try_(
                (
                    REQUEST,
                    (
                        kind,
                        scope.name,
                        facts,
                        digest,
                        scope.epoch,
                        REASON,
                        maker,
                        cast.keys[key].public.kid,
                        nonce,
                        msgspec.json.encode(said),
                        bytes(64),
                    ),
                )
            )
            assert (made is not None) == (kind == RESET or maker in GLASS)
            number = made or 0
            return Asked(
                number, kind, scope.name, scope.epoch, maker, key, nonce, digest, made is None
            )

        @rule(asked=asked)
        def expire(self, asked: Asked) -> None:
            book.do(
                book.owner.execute(
                    "UPDATE approvals.request SET requested_at = requested_at - interval '1 hour', "
                    "expires_at = expires_at - interval '1 hour' WHERE request_id = $1",
                    asked.number,
                )
            )
            asked.is_over = True

        @rule(asked=asked)
        def void(self, asked: Asked) -> None:
            if asked.number:
                book.try_(
                    (
                        VOIDING,
                        (asked.number,),
                    )
                )
            asked.is_over = True

        def may(self, asked: Asked, key: str) -> bool:
            checker = cast.subject_of(key)
            scope = next((each for each in self.scopes if each.name == asked.scope), None)
            return (
                not asked.is_over
                and checker in CHECKERS
                and checker != asked.maker
                and (asked.kind == RESET or checker in GLASS)
                and scope is not None
                and scope.epoch == asked.epoch
            )

        @rule(
            asked=asked,
            key=st.sampled_from(KEYS),
            decision=st.sampled_from(["APPROVED", "REFUSED"]),
        )
        def decide_and_do_nothing(self, asked: Asked, key: str, decision: str) -> None:
            done = book.try_(book.decision(asked, key, decision))
            assert (done is not None) == self.may(asked, key)
            asked.is_over = asked.is_over or done is not None

        @rule(asked=asked, key=st.sampled_from(KEYS), lie=st.sampled_from(sorted(LIES)))
        def lie(self, asked: Asked, key: str, lie: str) -> None:
            assert book.try_(book.decision(asked, key, **LIES[lie])) is None, lie

        @rule(
            asked=asked,
            key=st.sampled_from(KEYS),
            to_state=st.sampled_from(["CLOSED", "SUSPENDED"]),
            other=st.booleans(),
        )
        def release(self, asked: Asked, key: str, to_state: str, *, other: bool) -> None:
            scope = next(each for each in self.scopes if (each.name == asked.scope) != other)
            checker = cast.subject_of(key)
            reason = "OVERRIDE" if asked.kind == OVERRIDE else "RESET"
            done = book.try_(
                book.decision(asked, key),
                book.transition(
                    scope,
                    to_state,
                    reason,
                    approval_id=asked.number,
                    maker=asked.maker,
                    checker=checker,
                ),
            )
            is_right = self.may(asked, key) and not other
            if done is not None:
                assert is_right
                asked.is_over = True
                scope.released.append(asked.number)
                self.released(scope, to_state)
            elif is_right and scope.state == "OPEN" and to_state == "CLOSED":
                raise AssertionError("two people agreed, and it was not done")

        @rule(
            number=st.integers(0, 1),
            asked=asked,
            key=st.sampled_from(KEYS),
            reason=st.sampled_from(["RESET", "OVERRIDE", "CLEARED"]),
            claims=st.sampled_from(["OPEN", "SUSPENDED", None]),
        )
        def release_later_or_without(
            self, number: int, asked: Asked, key: str, reason: str, claims: str | None
        ) -> None:
            """Name what was agreed to before, or nothing; say the scope was never OPEN."""
            scope = self.scopes[number]
            if scope.state != "OPEN":
                return
            for approval in (asked.number or None, None):
                assert (
                    book.try_(
                        book.transition(
                            scope,
                            "CLOSED",
                            reason,
                            claims=claims,
                            approval_id=approval,
                            maker=asked.maker,
                            checker=cast.subject_of(key),
                        )
                    )
                    is None
                )

        @rule(
            table=st.sampled_from(["request", "decision", "voiding", "ending", "operator_key"]),
            verb=st.sampled_from(["DELETE FROM approvals.{}", "UPDATE approvals.{} SET {} = {}"]),
        )
        def rewrite(self, table: str, verb: str) -> None:
            column = {"operator_key": "roles", "ending": "request_id", "request": "maker"}.get(
                table
            )
            column = column or "request_id"
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                book.do(book.connection.execute(verb.format(table, column, column)))

        @invariant()
        def a_scope_left_open_only_with_two(self) -> None:
            for scope in getattr(self, "scopes", []):
                rows = book.do(
                    book.connection.fetch(
                        "SELECT t.approval_id FROM breaker.transition AS t WHERE t.scope = $1 "
                        "AND t.from_state = 'OPEN' AND t.to_state <> 'OPEN' ORDER BY epoch",
                        scope.name,
                    )
                )
                agreed = [row["approval_id"] for row in rows]
                assert len(agreed) == len(set(agreed)), "an agreement is used once"
                assert set(agreed) <= set(scope.released)

    return Hand


def test_a_hand_beside_the_program_meets_the_same_rules(book: Book) -> None:
    run_state_machine_as_test(
        machine(book),
        settings=settings(
            max_examples=300,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    released = book.do(
        book.connection.fetchval(
            "SELECT count(*) FROM breaker.transition WHERE from_state = 'OPEN' "
            "AND to_state <> 'OPEN'"
        )
    )
    assert released, "a search in which nobody ever succeeds proves nothing"
    # The book was satisfied; whoever signs for payout services is not.
    numbers = book.do(agreed_numbers(book.connection))
    proven = book.do(Prover(book.cast.root.public).prove(book.connection, numbers))
    assert len(numbers) >= released
    assert {type(each) for each in proven.values()} == {str}
