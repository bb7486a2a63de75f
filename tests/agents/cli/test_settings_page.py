"""The page of settings leaves nobody guessing."""

from agents.cli.settings_page import settings_page


def test_every_setting_has_a_meaning() -> None:
    rows = [line for line in settings_page().splitlines() if line.startswith("| `")]
    assert len(rows) > 30
    assert [row.split("`")[1] for row in rows if row.endswith("|  |")] == []
