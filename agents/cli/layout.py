"""Rows for people: columns where they fit, a few lines per row where not; no word is ever cut."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

_GAP: Final = "  "


class Rows:
    """Rows under named columns; cells are rich markup, so what others wrote comes escaped."""

    def __init__(self, *columns: str) -> None:
        """Begin without rows."""
        self._columns = [Text(name, style="bold") for name in columns]
        self._rows: list[list[Text]] = []

    def add_row(self, *cells: str) -> None:
        """Add a row with one cell for each column."""
        assert len(cells) == len(self._columns), "one cell for each column"
        self._rows.append([_one_line(Text.from_markup(cell)) for cell in cells])

    def __bool__(self) -> bool:
        """Whether there is any row."""
        return bool(self._rows)

    def print(self, console: Console) -> None:
        """Print a line per row, unless a terminal is too narrow: then a few lines per row.

        What is piped has no width; each row stays one line, for grep and awk.
        """
        widths = [
            max(cell.cell_len for cell in column)
            for column in zip(self._columns, *self._rows, strict=True)
        ]
        needed = sum(widths) + len(_GAP) * (len(widths) - 1)
        if console.is_terminal and needed > console.width:
            for row in self._rows:
                for line in self._card(row, console.width):
                    for piece in hanging(line, console.width, indent=len(_GAP) * 2):
                        console.print(piece)
            return
        for cells in (self._columns, *self._rows):
            console.print(_aligned(cells, widths))

    def _card(self, cells: Sequence[Text], width: int) -> Iterator[Text]:
        """Yield the cells with their names: the first as a heading, the others side by side."""
        yield Text.assemble((self._columns[0].plain, "dim"), " ", cells[0])
        line = Text(_GAP)
        for name, cell in zip(self._columns[1:], cells[1:], strict=True):
            if not cell.plain:
                continue
            item = Text.assemble((name.plain, "dim"), " ", cell)
            if line.plain.strip() and line.cell_len + len(_GAP) + item.cell_len > width:
                yield line
                line = Text(_GAP)
            if line.plain.strip():
                line.append(_GAP)
            line.append_text(item)
        yield line


def hanging(line: Text, width: int, *, indent: int) -> Iterator[Text]:
    """Yield `line` in pieces of at most `width` cells, cut between words, the later ones indented.

    A word that is wider than all of that stays whole: an identifier in two pieces is none.
    """
    while (cut := _cut(line, width)) is not None:
        yield line[:cut]
        line = Text.assemble(" " * indent, line[cut + 1 :])
    yield line


def _cut(line: Text, width: int) -> int | None:
    """Return the first space after which a word would not fit; None if all of it does."""
    text = line.plain
    first_word = len(text) - len(text.lstrip())
    space = text.find(" ", first_word)
    while space != -1:
        end = text.find(" ", space + 1)
        if cell_len(text[: end if end != -1 else None]) > width:
            return space
        space = end
    return None


def _one_line(text: Text) -> Text:
    return Text(" ").join(text.split("\n")) if "\n" in text.plain else text


def _aligned(cells: Sequence[Text], widths: Sequence[int]) -> Text:
    line = Text()
    for cell, width in zip(cells, widths, strict=True):
        line.append_text(cell)
        line.append(" " * (width - cell.cell_len) + _GAP)
    line.rstrip()
    return line
