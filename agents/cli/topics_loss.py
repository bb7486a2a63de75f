"""`topics accept-loss`: a person lets the book go on behind records that expired unread."""

from typing import Annotated

import typer

from agents.cli.app import Ended, run
from agents.cli.output import out, talk
from agents.cli.place import (
    BootstrapOption,
    ConfigOption,
    DataOption,
    DsnOption,
    Place,
    find_place,
)
from agents.cli.topics import group
from recon_streams.book.loss import LossNotProven, accept_loss
from recon_streams.log.record import ProvenGap, TopicPartition
from recon_streams.runtime.exit_codes import ExitCode


def _stated(text: str) -> str:
    """Return `text`, which goes into an alert, or refuse it."""
    if not text.strip() or not text.isprintable():
        raise typer.BadParameter("write a line of text")
    return text.strip()


@group.command("accept-loss")
def accept(
    topic: Annotated[str, typer.Argument(help="An input topic.")],
    partition: Annotated[int, typer.Argument(help="Its partition, from 0.", min=0)],
    actor: Annotated[str, typer.Option("--actor", help="Who accepts it.", callback=_stated)],
    reason: Annotated[str, typer.Option("--reason", help="Why, for the alert.", callback=_stated)],
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
) -> None:
    """Go on behind inputs that the log dropped before they were read; exit 6 if it still has them.

    Balances may be wrong from then on: compare them with the bank and the ledger.
    """
    place = find_place(config, data, dsn, bootstrap)
    at = TopicPartition(topic, partition)
    try:
        gap = run(_accept(place, at, actor, reason))
    except LossNotProven as refused:
        talk.print(str(refused), markup=False)
        raise Ended(ExitCode.REFUSED) from None
    name = f"{topic}/{partition}"
    out.print(
        f"{name}: {gap.until - gap.first} offsets from {gap.first} on are gone; "
        f"the book goes on at {gap.until}",
        markup=False,
    )
    talk.print("a critical alert says so; compare the balances with the bank and the ledger")


async def _accept(place: Place, partition: TopicPartition, actor: str, reason: str) -> ProvenGap:
    async with place.pool() as pool, place.logs(pool) as logs:
        return await accept_loss(pool, logs.probe, partition, actor=actor, reason=reason)
