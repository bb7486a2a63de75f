"""Publishing bank files: every document of every file, or the reason why not."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import typer

from agents.cli.output import talk
from agents.cli.place import Place
from agents.cutting import Cutting
from agents.watching import batch_of
from recon_streams.bankfiles.delivery import File, files_in
from recon_streams.bankfiles.publishing import Outgoing


async def publish_bank_files(place: Place, files: list[Path], key: str | None) -> int:
    """Append the records of `files`, print where each stands, and return how many were refused.

    Args:
        place: Whose log it is.
        files: Files, ZIPs and folders.
        key: The record key; the bank account if it is not given.
    """
    published = 0
    async with place.maybe_pool() as pool, place.logs(pool) as logs:
        # Closed also when somebody interrupts: a thread that reads a large file then ends with it.
        with closing(Reading(files)) as reading:
            records = reading.records()
            while batch := await asyncio.to_thread(batch_of, records, key):
                places = await logs.writer.append(batch)
                published += len(batch)
                for record, at in zip(batch, places, strict=True):
                    typer.echo(f"{record.topic}/{at.partition}/{at.offset}")
    for line in reading.refused:
        talk.print(f"refused: {line}", markup=False)
    if not published and not reading.refused:
        talk.print(f"there is no file in {', '.join(map(str, files))}", markup=False)
    return len(reading.refused)


class Reading:
    """Bank files while they are read, one after the other; a large one in a process of its own."""

    def __init__(self, files: list[Path]) -> None:
        """Read `files`: files, ZIPs and folders."""
        self._files = files
        self._cutting: Cutting | None = None
        self._is_closed = False
        self.refused: list[str] = []

    def records(self) -> Iterator[Outgoing]:
        """Yield the records, one in memory at a time. It blocks, so it is for a thread."""
        for found in files_in(self._files):
            if self._is_closed:
                return
            if isinstance(found, File):
                yield from self._records_of(found)
            else:
                assert found.refusal is not None, "what is no file is refused"
                self.refused.append(f"{found.name}: {found.refusal.code}: {found.refusal.rule}")

    def close(self) -> None:
        """End the reading, wherever it is."""
        self._is_closed = True
        if self._cutting is not None:
            self._cutting.close()

    def _records_of(self, file: File) -> Iterator[Outgoing]:
        folder = file.name.removesuffix(file.path.name)
        with closing(Cutting(file.path)) as self._cutting:
            for each in self._cutting.found():
                if self._is_closed:
                    return
                if isinstance(each, Outgoing):
                    yield each
                else:
                    self.refused.append(f"{folder}{each.name}: {each.reason}")
