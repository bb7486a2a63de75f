"""One installation on three brokers for all faults, and the table of what they did."""

import contextlib
import os
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from recon_streams.testing.breaker_topic import BreakerTopic
from recon_streams.testing.payout_site import NS, PayoutSite
from recon_streams.testing.raised import Raised, raised_in

LIMIT_SECONDS = 15
ACCOUNTS = tuple(f"FAULT-{number:02}" for number in range(24))
CONTROL = "FAULT-CONTROL"  # nothing is ever wrong with it
SERVICES = ("payouts-1", "payouts-2", "payouts-3")
CUT_OFF = "payouts-3"
TABLE = "RECON_FAULT_TABLE"
BEGINNING = "<!-- faults: written by `make faults` -->"
END = "<!-- /faults -->"


@dataclass
class Row:
    """One fault, how it was felt, and when the last permit was given."""

    fault: str
    felt: str
    told: str
    asked: int
    last_permit_seconds: float
    back_seconds: float


class Trial:
    """One fault on one account: silence or denial, the last permit, and how it all came back."""

    def __init__(self, site: PayoutSite, account: str, fault: str) -> None:
        self.site, self.account, self.fault = site, account, fault
        self.scope = site.scope(account)
        self.felt: list[str] = []
        self.told: list[str] = []
        self.began_ns = 0
        self.last_permit_seconds = 0.0
        self.noted_ns: int | None = None
        site.until_all_pay(account, seconds_max=90)
        site.until_all_pay(CONTROL, seconds_max=90)
        self._asked = site.asked(self.scope)
        self.known = {each.key: each.lives for each in raised_in(site.dsn)}

    def begin(self) -> None:
        """Note that from now on nothing new is said: the bound counts from here."""
        self.began_ns = time.monotonic_ns()

    def feel(self, what: str, *, is_felt: bool = True) -> None:
        """Note what was felt of the fault; a fault that nobody felt proves nothing."""
        assert is_felt, f"{self.fault}: not felt: {what}"
        self.felt.append(what)

    def was_told(self, reason: str) -> bool:
        """Return whether every service was told `reason` since the fault began."""
        return all(
            each.was_told(self.scope, reason, since_ns=self.began_ns)
            for each in self.site.services.values()
        )

    def granted(self) -> int:
        """Return how many permits were given so far."""
        told = (each for one in self.site.services.values() for each in one.told(self.scope))
        return sum(each.count for each in told if each.granted)

    def holds(self, account: str | None = None) -> None:
        """Nobody was told yes later than the bound allows, and everybody asked until the end."""
        account = account or self.account
        end_ns = self.began_ns + LIMIT_SECONDS * NS
        while time.monotonic_ns() < end_ns + 2 * NS:
            time.sleep(0.1)
        last_ns = self.site.last_granted_ns(account)
        self.last_permit_seconds = max(self.last_permit_seconds, (last_ns - self.began_ns) / NS)
        assert last_ns <= end_ns, f"{self.fault}: a permit {(last_ns - end_ns) / NS:.3f} s late"
        for service in self.site.services.values():
            told = service.told(self.site.scope(account))
            assert max(each.last_ns for each in told) > end_ns, f"{service.name} stopped asking"

    def denied(self) -> None:
        """The denial was committed, and reaches everybody in time."""
        self.began_ns = self.site.denied_at(self.account).seen_ns
        self.holds()

    def comes_back(self) -> float:
        """Return how long it took from now until the control account could be paid from again."""
        return self.site.until_all_pay(CONTROL, seconds_max=90)

    def denied_at_once(self) -> None:
        """The denial was committed, and everybody denies within seconds: nothing is in its way.

        That nobody is told yes later is asked at the end of all, see `Matrix.nobody_was_told_yes`.
        """
        self.began_ns = self.site.denied_at(self.account).seen_ns
        services = self.site.services.values()
        self.site.until(
            lambda: not any(each.is_granted(self.scope) for each in services),
            f"everybody denies {self.account}",
            seconds_max=5,
        )
        last_ns = self.noted_ns = self.site.last_granted_ns(self.account)
        self.last_permit_seconds = max(self.last_permit_seconds, (last_ns - self.began_ns) / NS)

    def row(self, back_seconds: float) -> Row:
        return Row(
            fault=self.fault,
            felt=", ".join(self.felt),
            told=", ".join(self.told),
            asked=self.site.asked(self.scope) - self._asked,
            last_permit_seconds=round(self.last_permit_seconds, 2),
            back_seconds=round(back_seconds, 1),
        )


class Matrix:
    """The faults that were tried, each on an account of its own."""

    def __init__(self, site: PayoutSite) -> None:
        self.site = site
        self.topic = BreakerTopic(site.kafka.bootstrap, copies=site.brokers)
        self.rows: list[Row] = []
        self._accounts = iter(ACCOUNTS)
        self._trials: list[Trial] = []

    def nobody_was_told_yes(self) -> None:
        """Nobody was told yes later than was noted, of all that was stopped and stayed so."""
        noted = {each: each.noted_ns for each in self._trials if each.noted_ns is not None}
        end_ns = max((each.began_ns for each in noted), default=0) + (LIMIT_SECONDS + 2) * NS
        while time.monotonic_ns() < end_ns:
            time.sleep(0.1)
        for trial, noted_ns in noted.items():
            assert self.site.last_granted_ns(trial.account) == noted_ns, trial.fault

    @property
    def control(self) -> Trial:
        """Return a trial in which nothing fails."""
        return Trial(self.site, CONTROL, "control")

    def trial(self, fault: str) -> Trial:
        self._trials.append(Trial(self.site, next(self._accounts), fault))
        return self._trials[-1]

    def told(self, trial: Trial, alert_class: str) -> None:
        """Wait until on-call is told."""
        self.site.until(
            lambda: alert_class in {each.alert_class for each in self._alerts(trial)},
            f"{trial.fault}: {alert_class}",
            seconds_max=60,
        )

    def _is_told(self, trial: Trial, alerts: Collection[str]) -> bool:
        found = self._alerts(trial)
        return {each.alert_class for each in found} >= set(alerts) and all(
            each.is_over for each in found
        )

    def _alerts(self, trial: Trial) -> list[Raised]:
        """Return what was raised since `trial` began, but for the accounts that are stopped."""
        return [
            each
            for each in raised_in(self.site.dsn)
            if each.lives > trial.known.get(each.key, 0)
            # A clock ahead makes ticks from the future; those wait for a person.
            and not each.key.startswith(("position:", "quarantine:recon.ticks/"))
        ]

    def lateness_seconds(self) -> list[float]:
        """Return, for each denial and service, how long after it the last older permit came."""
        found = []
        for denial in self.site.commits.all():
            if denial.state == "CLOSED":
                continue
            for service in self.site.services.values():
                told = [
                    each.last_ns
                    for each in service.told(denial.scope)
                    if each.granted and each.epoch is not None and each.epoch < denial.epoch
                ]
                if told:
                    found.append((max(told) - denial.seen_ns) / NS)
        return found

    def asked(self) -> int:
        """Return how many permits were asked for."""
        return sum(self.site.asked(self.site.scope(each)) for each in (*ACCOUNTS, CONTROL))

    def passed(
        self, trial: Trial, *, alerts: Collection[str] = (), maybe: Collection[str] = ()
    ) -> None:
        """Everything is back, in all the time no permit was late anywhere, and on-call was told.

        `alerts` are the classes that the fault itself must have raised, `maybe` those that it may;
        all of them end by themselves. What is told of the account that was stopped is left out.
        """
        back_seconds = trial.comes_back()
        assert self.site.late_permits(LIMIT_SECONDS * NS) == []
        with contextlib.suppress(AssertionError):  # what was told says more than that time is up
            self.site.until(lambda: self._is_told(trial, alerts), "told and over")
        assert [each for each in self._alerts(trial) if not each.is_over] == []
        found = {each.alert_class for each in self._alerts(trial)}
        assert set(alerts) <= found <= {*alerts, *maybe}, trial.fault
        trial.told = sorted(found)
        self.rows.append(trial.row(back_seconds))


@pytest.fixture(scope="package")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    directory = tmp_path_factory.mktemp("breaker")
    site = PayoutSite(directory, (*ACCOUNTS, CONTROL), brokers=3)
    try:
        site.start(SERVICES, cut_off=(CUT_OFF,))
        found = Matrix(site)
        yield found
        if place := os.environ.get(TABLE):
            write_table(Path(place), found)
    finally:
        site.stop()


@pytest.fixture(autouse=True)
def healed(matrix: Matrix) -> Iterator[None]:
    """Whatever a test leaves broken is put right for the next one."""
    yield
    matrix.site.heal()


def write_table(page: Path, matrix: Matrix) -> None:
    """Put what was found into `page`, between its marks."""
    lines = [
        "| fault | felt | alerts | asked | last permit, s | back, s |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.fault} | {row.felt} | {row.told} | {row.asked:,} | {row.last_permit_seconds:.2f} "
        f"| {row.back_seconds:.1f} |"
        for row in matrix.rows
    ]
    late = sorted(matrix.lateness_seconds())
    shares = {share: late[min(len(late) - 1, len(late) * share // 100)] for share in (50, 99)}
    summary = (
        f"Over all {len(late)} pairs of a denial and a service that had paid before: the last "
        f"permit came {shares[50]:.2f} s after the commit at the median, {shares[99]:.2f} s at p99 "
        f"and {late[-1]:.2f} s at most. The bound is {LIMIT_SECONDS} s. Permits asked for in all: "
        f"{matrix.asked():,}."
    )
    lines += ["", summary]
    text = page.read_text()
    head, rest = text.split(BEGINNING)
    _, tail = rest.split(END)
    page.write_text(head + BEGINNING + "\n" + "\n".join(lines) + "\n" + END + tail)
