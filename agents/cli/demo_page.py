"""What the demo prints: each act with what came of it, the report of the day, where to look."""

import textwrap
from datetime import date
from pathlib import Path

from agents.cli.output import out, plain, styled
from agents.up import Installation
from recon_streams.book import quarantine
from recon_streams.demo.act import Act
from recon_streams.demo.payouts import Answer
from recon_streams.demo.player import Played, Summary
from recon_streams.reports import store as reports
from recon_streams.reports.dataset import EodDataset, dataset_from_bytes, digest_of
from recon_streams.reports.figures import printed
from recon_streams.reports.reasons import reason_of
from recon_streams.reports.walk import steps_of

_WIDTH = 79


def print_start(installation: Installation) -> None:
    """Print what was started."""
    postgres = installation.postgres
    out.print("[bold]recon-streams[/]: one day, real bank messages, one machine\n")
    out.print(f"started  PostgreSQL {postgres.major} ({postgres.origin}), the book and the log")
    out.print("started  worker and publisher")
    out.print(f"started  metrics and health on {installation.address.telemetry}\n")


async def print_act(installation: Installation, act: Act, played: Played) -> None:
    """Print what was sent in `act` and what came of it."""
    out.print(f"[bold]{act.title}[/]")
    out.print(_wrapped("  ", act.story), style="dim", markup=False)
    await _print_sends(installation, act)
    for account in played.accounts:
        if not any(e.account_id == account.position.account_id for e in act.expects):
            continue
        position = account.position
        raw = "" if position.raw_tier is position.tier else f" (raw {styled(position.raw_tier)})"
        out.print(
            f"  {position.account_id:<14} bank {position.bank}  ledger {position.ledger}  "
            f"unexplained {position.unexplained}"
        )
        breaker = styled(account.breaker_state)
        out.print(f"  {'':<14} {styled(position.tier)}{raw}  breaker {breaker}")
    _print_deed(played)
    for answer in played.payouts:
        _print_payouts(answer, played)
    if act.sends:
        milliseconds = played.decided_seconds * 1000
        out.print(f"  [dim]decided and published {milliseconds:.0f} ms after the last record[/]")
    out.print()


async def _print_sends(installation: Installation, act: Act) -> None:
    for send in act.sends:
        out.print(f"  [blue]{send.topic}[/]  {send.caption}")
    if act.quarantines:
        newest = (await quarantine.read(installation.pool, everything=True))[-act.quarantines :]
        for each in newest:
            out.print(f"  [magenta]{each.code}[/] at {each.field}", highlight=False)
            out.print(_wrapped("    ", f"rule: {each.rule}"), markup=False)
            if each.detail:
                out.print(f"    found: {each.detail}", markup=False)


def _print_deed(played: Played) -> None:
    for swept in played.sweeps:
        out.print(
            f"  {swept.account_id:<14} {styled(swept.verdict)}  unexplained {swept.unexplained}, "
            f"{swept.velocity or 'no trend yet'}{' an hour' if swept.velocity else ''}"
        )
    for day in played.days:
        proof = "no statement" if day.proof is None else f"proof {day.proof}"
        out.print(f"  {day.on} {plain(day.name):<17} {styled(day.tier)}  {proof}")
    if played.days:
        for found in played.open:
            what = f"{found.kind} {found.account_id} {found.amount or ''}"
            out.print(f"  [magenta]{plain(what.rstrip())}[/]  {found.severity}")


def _print_payouts(answer: Answer, played: Played) -> None:
    """Print what the payout service was told, and what it had paid before."""
    epoch = "" if answer.epoch is None else f", epoch {answer.epoch}"
    why = f"permit {answer.reason}{epoch}"
    if answer.granted:
        does = f"[green]pays[/] from {answer.account_id}"
    elif answer.paid == 0:
        does = f"does not pay from {answer.account_id} yet"
    else:
        milliseconds = (answer.at_seconds - played.sent_at_seconds) * 1000
        does = f"[red]stops[/] {milliseconds:.0f} ms later, after {answer.paid} payouts"
    out.print(f"  payout service {does}: {why}", highlight=False)


def _wrapped(indent: str, text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)


async def print_day(installation: Installation, on: date) -> None:
    """Print how the bank's balances of the day `on` lead to the ledger's."""
    newest = await reports.latest(installation.pool, f"eod-{on}")
    if newest is None:
        return
    content = await reports.read(installation.pool, newest.record.report_id)
    dataset = dataset_from_bytes(content)
    assert isinstance(dataset, EodDataset), "the series is that of a day"
    out.print(f"[bold]The report of the day[/]  {newest.record.report_id}")
    out.print(f"  [dim]sha256 {digest_of(content)}[/]", highlight=False)
    for account in dataset.accounts:
        out.print(f"  {plain(account.account_id)} {account.currency}  {styled(account.tier)}")
        _print_line("balance per bank", account.bank_closing, account.currency)
        for step in steps_of(account):
            _print_line(step.label, step.amount, account.currency)
        _print_line("balance per ledger", account.ledger_at_cut_off, account.currency)
        _print_line("proof amount", account.proof, account.currency)
        _print_line("not covered", account.uncovered, account.currency)
        if account.shortage not in (None, "0", account.uncovered):
            _print_line("missing", account.shortage, account.currency)
        because = f"{account.tier.value}, because {reason_of(account)}"
        out.print(_wrapped("    ", because), style="dim", markup=False, highlight=False)
    out.print("  [dim]as a page: recon-streams report export "
              f"{newest.record.report_id} --format html[/]\n")  # fmt: skip


def _print_line(label: str, amount: str | None, currency: str) -> None:
    figure = "-" if amount is None else printed(amount, currency)
    out.print(f"    {plain(label):<52}{figure:>16}", highlight=False)


def print_end(summary: Summary) -> None:
    """Print what the whole day came to."""
    verdict = "as scripted" if summary.as_scripted else "[bold red]NOT AS SCRIPTED[/]"
    out.print(
        f"{summary.inputs} inputs, {summary.disposed} with exactly one disposition, "
        f"{summary.quarantined} in quarantine: {verdict}"
    )
    if summary.trip_seconds is not None:
        out.print(f"the breaker's OPEN record could be read {summary.trip_seconds * 1000:.0f} ms "
                  "after the notification arrived")  # fmt: skip


def print_ways_to_look(directory: Path) -> None:
    """Print the commands that look into what runs in `directory`."""
    out.print("\n[bold]Look closer[/], in another terminal:")
    for command in (
        "status",
        "explain NORDIC-FLOAT",
        "quarantine list",
        "discrepancies list",
        "eod status",
        "report list",
        "tail recon.breaker",
        "audit inputs",
    ):
        out.print(f"  recon-streams {command} --data {directory}", markup=False)
