"""`topics`: declare them, compare them, list them."""

from typing import Annotated

import typer

from agents.cli.app import Ended, app, run
from agents.cli.layout import Rows
from agents.cli.output import Format, FormatOption, out, print_as, talk
from agents.cli.place import (
    BootstrapOption,
    ConfigOption,
    DataOption,
    DsnOption,
    Place,
    find_place,
)
from agents.logs import topic_plans
from recon_streams.log.topic_plan import TopicDifference, TopicPlan
from recon_streams.runtime.exit_codes import ExitCode
from topics.catalogue import CATALOGUE

group = typer.Typer(help="Declare and compare topics; nothing else ever creates one.")
app.add_typer(group, name="topics")


@group.command("apply")
def apply(
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
) -> None:
    """Create the topics that are missing and put right what can be."""
    place = find_place(config, data, dsn, bootstrap)
    changed = run(_apply(place))
    for difference in changed:
        talk.print(f"{difference.topic}: {difference.aspect} is now {difference.planned}")
    talk.print(f"{len(changed)} changes")


@group.command("diff")
def diff(
    config: ConfigOption = None,
    data: DataOption = None,
    dsn: DsnOption = None,
    bootstrap: BootstrapOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show in which respects the topics are not as planned; exit 5 if any."""
    place = find_place(config, data, dsn, bootstrap)
    found = run(_differences(place))
    if output is Format.TABLE:
        shown = Rows("topic", "aspect", "found", "planned", "apply mends it")
        for each in found:
            mends = "yes" if each.can_be_applied else "no"
            shown.add_row(each.topic, each.aspect, each.found or "-", each.planned, mends)
        if found:
            shown.print(out)
        else:
            out.print("as planned")
    else:
        print_as(output, [each._asdict() for each in found])
    if found:
        raise Ended(ExitCode.DIFFERENCES)


@group.command("list")
def list_(
    output: FormatOption = Format.TABLE,
    names_only: Annotated[bool, typer.Option("--names", help="Names alone.")] = False,
) -> None:
    """List every topic of the contract; needs no server."""
    if names_only:
        for contract in CATALOGUE:
            typer.echo(contract.name)
        return
    if output is not Format.TABLE:
        rows = [{"name": c.name, "aliases": c.aliases, "key": c.key} for c in CATALOGUE]
        print_as(output, rows)
        return
    shown = Rows("topic", "direction", "key", "what")
    for contract in CATALOGUE:
        shown.add_row(contract.name, contract.direction.value, contract.key, contract.summary)
    shown.print(out)


def plans_of(place: Place) -> list[TopicPlan]:
    """Return the topics as this place's settings want them."""
    wanted = place.settings.topics
    if place.settings.log.kind == "postgres":
        return topic_plans(partitions=wanted.partitions)
    return topic_plans(
        partitions=wanted.partitions,
        replication_factor=wanted.replication_factor,
        min_insync_replicas=wanted.min_insync_replicas,
    )


async def _apply(place: Place) -> list[TopicDifference]:
    async with place.maybe_pool() as pool, place.logs(pool) as logs:
        return await logs.admin.apply(plans_of(place))


async def _differences(place: Place) -> list[TopicDifference]:
    async with place.maybe_pool() as pool, place.logs(pool) as logs:
        return await logs.admin.differences(plans_of(place))
