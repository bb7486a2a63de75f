"""How the scripted day is written down: acts, what is done in them, and what must come of it."""

from enum import StrEnum, unique

import msgspec

from recon_streams.demo.ledger import Send
from topics.breaker import BreakerState
from topics.positions import Tier


class Expect(msgspec.Struct, frozen=True, kw_only=True):
    """What must be true of one account at the end of an act; None is not looked at."""

    account_id: str
    tier: Tier | None = None
    raw_tier: Tier | None = None
    breaker: BreakerState | None = None
    unexplained: str | None = None


class ExpectDay(msgspec.Struct, frozen=True, kw_only=True):
    """What must be true of one account's bank day at the end of an act."""

    account_id: str
    has_statement: bool
    proof: str | None
    tier: Tier


@unique
class Deed(StrEnum):
    """What somebody does in an act besides sending records."""

    REGISTER = "REGISTER"  # the late account is registered, before anything is sent
    SWEEP = "SWEEP"  # every account is looked at, afterwards
    RUN_DAY = "RUN_DAY"  # the bank day is run, afterwards
    RELEASE = "RELEASE"  # two people let an account go again, afterwards


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One scene: why it is played, what is sent and done, what must come of it.

    `discrepancies` are all that are open at the end of the act, by kind; None is not looked at.
    `pays` says of accounts whether the payout service pays from them in the end; `releases` is the
    scope that two people let go.
    """

    title: str
    story: str
    sends: tuple[Send, ...]
    expects: tuple[Expect, ...]
    quarantines: int = 0
    duplicates: int = 0
    deed: Deed | None = None
    days: tuple[ExpectDay, ...] = ()
    discrepancies: dict[str, int] | None = None
    pays: dict[str, bool] = {}
    releases: str | None = None
