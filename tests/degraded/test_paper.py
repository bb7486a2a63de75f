"""The permit file: two people, named accounts, four hours, and nothing that is not in it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from recon_streams.client.follower import Follower, _Known
from recon_streams.client.permit import Permit
from recon_streams.degraded.grants import DegradedPermits
from recon_streams.degraded.guard import DegradedGuard
from recon_streams.degraded.paper import (
    NotPermitted,
    Paper,
    PaperFlaw,
    Terms,
    paper_bytes,
    read_paper,
    signed,
    verify,
)
from recon_streams.identity.keys import PrivateKey, new_key
from recon_streams.identity.office import replace_file, write_public_key
from recon_streams.identity.operators import (
    Operator,
    Operators,
    OperatorsList,
    operators_of,
    signed_file,
    with_key,
    without,
)
from recon_streams.identity.person import Role

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SCOPE = "account:AE-1:AED"
GLASS = (Role.MAKER, Role.CHECKER, Role.BREAKGLASS)


class Night:
    """A night without the installation: the operators, and a paper for two hours from noon."""

    def __init__(self, place: Path) -> None:
        self.place, self.root = place, new_key()
        self.keys: dict[str, PrivateKey] = {}
        listed = OperatorsList(root_kid=self.root.public.kid)
        for key, subject, roles in (
            ("ada", "ada", GLASS),
            ("ada's other", "ada", GLASS),
            ("ben", "ben", GLASS),
            ("cleo", "cleo", (Role.MAKER, Role.CHECKER)),
        ):
            self.keys[key] = new_key()
            person = Operator(subject=subject, name=subject, roles=roles)
            listed = with_key(listed, person, self.keys[key].public)
        self.operators = self.write(listed)
        write_public_key(place / "root.json", self.root.public)
        self.now, self.elapsed_seconds = NOON, 0.0

    def write(self, listed: OperatorsList) -> Operators:
        content = signed_file(listed, self.root)
        replace_file(self.place / "operators.json", content, mode=0o644)
        return operators_of(content, self.root.public)

    def paper(self, *keys: str, **changes: Any) -> Paper:
        terms = Terms(
            installation=self.root.public.kid,
            scopes=(SCOPE,),
            not_before=NOON,
            not_after=NOON + timedelta(hours=2),
            reason="the data centre has no power",
            nonce="n",
        )
        paper = Paper(terms=replace(terms, **changes))
        for key in keys:
            paper = signed(paper, self.keys[key], key.partition("'")[0])
        return paper

    def lay(self, paper: Paper) -> None:
        replace_file(self.place / "paper.json", paper_bytes(paper), mode=0o644)

    def permits(self) -> DegradedPermits:
        return DegradedPermits(
            self.place / "paper.json",
            operators_file=self.place / "operators.json",
            root_key=self.place / "root.json",
            wall=lambda: self.now,
            elapsed_seconds=lambda: self.elapsed_seconds,
        )


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path)


def flaw(night: Night, paper: Paper, now: datetime = NOON) -> PaperFlaw:
    with pytest.raises(NotPermitted) as caught:
        verify(paper, night.operators, now)
    return caught.value.flaw


def test_two_people_permit_named_accounts_for_a_while(night: Night) -> None:
    paper = night.paper("ada", "ben")
    assert verify(paper, night.operators, NOON).scopes == (SCOPE,)
    assert flaw(night, paper, NOON - timedelta(seconds=1)) is PaperFlaw.NOT_YET
    assert flaw(night, paper, NOON + timedelta(hours=2)) is PaperFlaw.OVER


def test_one_person_permits_nothing_with_whatever_keys(night: Night) -> None:
    assert flaw(night, night.paper()) is PaperFlaw.ONE_PERSON
    assert flaw(night, night.paper("ada")) is PaperFlaw.ONE_PERSON
    twice = night.paper("ada")
    other = night.paper("ada's other")
    both = replace(twice, signatures=(*twice.signatures, *other.signatures))
    assert flaw(night, both) is PaperFlaw.ONE_PERSON


def test_who_has_not_the_role_or_is_not_known_signs_nothing(night: Night) -> None:
    assert flaw(night, night.paper("ada", "cleo")) is PaperFlaw.BAD_SIGNATURE
    stranger = signed(night.paper("ada"), new_key(), "ben")
    assert flaw(night, stranger) is PaperFlaw.BAD_SIGNATURE
    for_another = signed(night.paper("ada"), night.keys["ada's other"], "ben")
    assert flaw(night, for_another) is PaperFlaw.BAD_SIGNATURE
    night.operators = night.write(without(night.operators.listed, "ben"))
    assert flaw(night, night.paper("ada", "ben")) is PaperFlaw.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"scopes": ("all",)}, PaperFlaw.BAD_SCOPE),
        ({"scopes": ("corridor:AE-IN",)}, PaperFlaw.BAD_SCOPE),
        ({"scopes": ()}, PaperFlaw.BAD_SCOPE),
        ({"not_after": NOON + timedelta(hours=4, seconds=1)}, PaperFlaw.TOO_LONG),
        ({"not_after": NOON}, PaperFlaw.TOO_LONG),
        ({"reason": "because"}, PaperFlaw.NO_REASON),
        ({"installation": "another"}, PaperFlaw.OTHER_INSTALLATION),
        ({"schema_version": 2}, PaperFlaw.UNREADABLE),
    ],
)
def test_terms_that_nobody_may_sign_permit_nothing(
    night: Night, change: dict[str, Any], expected: PaperFlaw
) -> None:
    assert flaw(night, night.paper("ada", "ben", **change)) is expected


def test_what_was_changed_after_it_was_signed_permits_nothing(night: Night) -> None:
    paper = night.paper("ada", "ben")
    for change in (
        {"scopes": (SCOPE, "account:AE-2:AED")},
        {"not_after": NOON + timedelta(hours=3)},
        {"reason": "the data centre has no power."},
        {"nonce": "m"},
    ):
        changed = replace(paper, terms=replace(paper.terms, **change))
        assert flaw(night, changed) is PaperFlaw.BAD_SIGNATURE


def test_a_file_that_is_none_or_that_others_may_write_permits_nothing(night: Night) -> None:
    file = night.place / "paper.json"
    for content in (b"", b"{}", b"\xff", b'{"terms": 1}'):
        replace_file(file, content, mode=0o644)
        with pytest.raises(NotPermitted):
            read_paper(file)
    night.lay(night.paper("ada", "ben"))
    file.chmod(0o666)
    with pytest.raises(NotPermitted, match="others could write it"):
        read_paper(file)
    assert night.permits()((SCOPE,)) is False


def test_a_service_meets_the_paper_when_it_comes_and_when_it_goes(night: Night) -> None:
    permits = night.permits()
    assert not permits((SCOPE,))
    night.lay(night.paper("ada"))
    assert not permits((SCOPE,))
    night.lay(night.paper("ada", "ben"))
    assert permits((SCOPE,))
    assert not permits((SCOPE, "account:AE-2:AED"))
    (night.place / "paper.json").unlink()
    assert not permits((SCOPE,))


def test_a_wall_clock_that_is_set_back_lengthens_nothing(night: Night) -> None:
    permits = night.permits()
    night.lay(night.paper("ada", "ben"))
    assert permits((SCOPE,))
    night.elapsed_seconds = 7_199.0
    assert permits((SCOPE,))
    night.elapsed_seconds = 7_200.0
    assert not permits((SCOPE,))


def test_an_older_file_of_operators_does_not_bring_a_revoked_key_back(night: Night) -> None:
    before = (night.place / "operators.json").read_bytes()
    permits = night.permits()
    night.lay(night.paper("ada", "ben"))
    night.operators = night.write(without(night.operators.listed, "ben"))
    assert not permits((SCOPE,))
    replace_file(night.place / "operators.json", before, mode=0o644)
    assert not permits((SCOPE,))


class Asked:
    """A guard whose answer and records are set by the test."""

    def __init__(self, reason: str, states: dict[str, str], parents: tuple[str, ...]) -> None:
        self.reason, self.told = reason, []
        self._follower = Follower({})
        for scope, verdict in states.items():
            known = _Known(number=(3, 3), verdict=verdict)
            known.parents = parents if scope.startswith("account:") else ()
            self._follower._scopes[scope] = known
        self.on_permit: Callable[[Permit], object] = self.told.append

    def permit(self, scope: str, *_: str, payout_id: str | None = None) -> Permit:
        granted = self.reason == "GRANTED"
        return Permit(granted, self.reason, scope, None, payout_id, (), 3, 3, None, None)


@pytest.mark.parametrize(
    ("reason", "account", "everything", "expected"),
    [
        ("LEASE_EXPIRED", "CLOSED", "CLOSED", "GRANTED_DEGRADED"),
        ("NO_LEASE", "CLOSED", "CLOSED", "GRANTED_DEGRADED"),
        ("GRANTED", "CLOSED", "CLOSED", "GRANTED"),
        ("LEASE_EXPIRED", "OPEN", "CLOSED", "LEASE_EXPIRED"),
        ("LEASE_EXPIRED", "SUSPENDED", "CLOSED", "LEASE_EXPIRED"),
        ("LEASE_EXPIRED", "TOMBSTONE", "CLOSED", "LEASE_EXPIRED"),
        ("LEASE_EXPIRED", "CLOSED", "OPEN", "LEASE_EXPIRED"),
        ("LEASE_EXPIRED", None, "CLOSED", "LEASE_EXPIRED"),
        ("LEASE_EXPIRED", "CLOSED", None, "LEASE_EXPIRED"),
        ("NOT_CAUGHT_UP", "CLOSED", "CLOSED", "NOT_CAUGHT_UP"),
        ("NOT_RUNNING", "CLOSED", "CLOSED", "NOT_RUNNING"),
        ("OPEN", "OPEN", "CLOSED", "OPEN"),
    ],
)
def test_a_paper_lets_pay_only_without_a_lease_and_only_what_is_known_to_be_closed(
    night: Night, reason: str, account: str | None, everything: str | None, expected: str
) -> None:
    night.lay(night.paper("ada", "ben"))
    states = {SCOPE: account, "all": everything}
    known = {scope: state for scope, state in states.items() if state is not None}
    asked = Asked(reason, known, ("all",))
    answer = DegradedGuard(asked, night.permits()).permit(SCOPE, payout_id="p")
    assert (answer.reason, answer.granted) == (expected, expected.startswith("GRANTED"))
    if expected == "GRANTED_DEGRADED":
        assert answer.relied_on == ((SCOPE, 3, 3), ("all", 3, 3))
        assert asked.told == [answer]


def test_a_paper_helps_nobody_whose_grandparent_is_stopped(night: Night) -> None:
    night.lay(night.paper("ada", "ben"))
    corridor = "corridor:AE-IN"
    for everything, expected in (("CLOSED", "GRANTED_DEGRADED"), ("OPEN", "LEASE_EXPIRED")):
        states = {SCOPE: "CLOSED", corridor: "CLOSED", "all": everything}
        asked = Asked("LEASE_EXPIRED", states, (corridor,))
        asked._follower._scopes[corridor].parents = ("all",)
        answer = DegradedGuard(asked, night.permits()).permit(SCOPE, payout_id="p")
        assert answer.reason == expected


def test_the_file_reads_as_it_was_written(night: Night) -> None:
    paper = night.paper("ada", "ben")
    night.lay(paper)
    assert read_paper(night.place / "paper.json") == paper
    assert msgspec.json.decode(paper_bytes(paper))["terms"]["reason"] == paper.terms.reason
