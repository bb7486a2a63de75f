"""Publishing bank files: every document of every file, or the reason why not."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import typer

from agents.cli.output import talk
from agents.cli.place import Place
from agents.watching import batch_of
from recon_streams.bankfiles.delivery import delivered_in
from recon_streams.bankfiles.publishing import Outgoing, outgoing_of
from recon_streams.kernel.refusal import Refused


async def publish_bank_files(place: Place, files: list[Path], key: str | None) -> int:
    """Append the records of `files`, print where each stands, and return how many were refused.

    Args:
        place: Whose log it is.
        files: Files, ZIPs and folders.
        key: The record key; the bank account if it is not given.
    """
    refused: list[str] = []
    async with place.maybe_pool() as pool, place.logs(pool) as logs:
        records = _records(files, refused)
        while batch := await asyncio.to_thread(batch_of, records, key):
            places = await logs.writer.append(batch)
            for record, at in zip(batch, places, strict=True):
                typer.echo(f"{record.topic}/{at.partition}/{at.offset}")
    for line in refused:
        talk.print(f"refused: {line}", markup=False)
    return len(refused)


def _records(files: list[Path], refused: list[str]) -> Iterator[Outgoing]:
    for delivered in delivered_in(files):
        try:
            yield from outgoing_of(delivered)
        except Refused as refusal:
            where = f" at {refusal.field}" if refusal.field else ""
            refused.append(f"{delivered.name}: {refusal.code}{where}: {refusal.rule}")
