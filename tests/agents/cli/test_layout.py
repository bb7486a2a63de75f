"""What people read: no word is ever cut, wherever it is shown."""

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from agents.cli.layout import Rows, hanging


def shown(rows: Rows, *, width: int, terminal: bool) -> list[str]:
    file = io.StringIO()
    console = Console(
        file=file, width=width, force_terminal=terminal, color_system=None, soft_wrap=True
    )
    rows.print(console)
    return file.getvalue().splitlines()


def accounts() -> Rows:
    rows = Rows("account", "ledger", "tier", "bank side")
    rows.add_row("AE-SAFEGUARDING AED", "5000000", "[green]OK[/] EQUAL", "3 s ago, opening")
    rows.add_row("CH-OPERATIONS CHF", "-", "UNKNOWN BANK_SILENT", "never")
    return rows


def test_what_is_piped_is_one_line_per_row_however_narrow_the_terminal_is() -> None:
    assert shown(accounts(), width=20, terminal=False) == [
        "account              ledger   tier                 bank side",
        "AE-SAFEGUARDING AED  5000000  OK EQUAL             3 s ago, opening",
        "CH-OPERATIONS CHF    -        UNKNOWN BANK_SILENT  never",
    ]


def test_a_terminal_that_is_wide_enough_shows_columns() -> None:
    wide = shown(accounts(), width=69, terminal=True)
    assert wide == shown(accounts(), width=69, terminal=False)


def test_a_narrow_terminal_shows_a_few_lines_per_row_with_the_names_of_the_columns() -> None:
    assert shown(accounts(), width=40, terminal=True) == [
        "account AE-SAFEGUARDING AED",
        "  ledger 5000000  tier OK EQUAL",
        "  bank side 3 s ago, opening",
        "account CH-OPERATIONS CHF",
        "  ledger -  tier UNKNOWN BANK_SILENT",
        "  bank side never",
    ]


def test_a_line_break_that_others_wrote_makes_no_row() -> None:
    rows = Rows("id", "found")
    rows.add_row("1", "a\nb")
    assert shown(rows, width=80, terminal=False) == ["id  found", "1   a b"]


@given(
    st.lists(st.text("abc日", min_size=1, max_size=12), min_size=1, max_size=20),
    st.integers(8, 40),
)
def test_words_stay_whole_and_lines_within_the_width_where_words_allow(
    words: list[str], width: int
) -> None:
    pieces = list(hanging(Text(" ".join(words)), width, indent=2))
    assert [word for piece in pieces for word in piece.plain.split()] == words
    for piece in pieces:
        assert piece.cell_len <= width or len(piece.plain.split()) == 1
