"""Tables of the terminal in several widths."""

from __future__ import annotations

import io

import pytest

from ltbench.io.console import console
from ltbench.io.fitted_table import FittedTable

ROWS = (
    ("lora", "98.6 ± 0.3", "[97.3, 99.4]", "0.36"),
    ("full (train.lr=0.005, train.epochs=10)", "98.5 ± 0.4", "[97.0, 99.4]", "97.85"),
    ("classifier_only", "8.1 ± 10.7", "[96.4, 99.1]", "0.11"),
)


@pytest.fixture
def table() -> FittedTable:
    found = FittedTable("method", elsewhere="--csv FILE has them")
    found.add_column("overall", right=True)
    found.add_column("95 % interval", right=True, drop=2)
    found.add_column("learned %", right=True, drop=1)
    for row in ROWS:
        found.add_row(*row)
    return found


def printed(table: FittedTable, width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    out = console()
    out.file = io.StringIO()
    out.print(table)
    return [line.rstrip() for line in out.file.getvalue().splitlines()]


def test_a_wide_terminal_shows_everything_on_one_line(
    table: FittedTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, *lines = printed(table, 100, monkeypatch)
    assert head.split("  ")[0] == "method"
    assert [line.split("  ")[0] for line in lines] == [row[0] for row in ROWS]
    assert {len(line) for line in (head, *lines)} == {len(head)}  # numbers end at one place


def test_titles_then_texts_are_folded_then_columns_left_out(
    table: FittedTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert printed(table, 73, monkeypatch)[0].split() == ["95", "%", "learned"]
    folded = printed(table, 64, monkeypatch)
    assert "full (train.lr=0.005," in "\n".join(folded)
    assert "no room" not in "\n".join(folded)
    *_, note = printed(table, 52, monkeypatch)
    assert note == "no room for learned %: --csv FILE has them"
    assert printed(table, 40, monkeypatch)[-2:] == [
        "no room for 95 % interval, learned %:",
        "--csv FILE has them",
    ]


@pytest.mark.parametrize("width", [*range(24, 110, 3)])
def test_no_line_exceeds_the_width_and_no_value_is_broken(
    table: FittedTable, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    lines = printed(table, width, monkeypatch)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    for _, mean, interval, _ in ROWS:
        assert mean in text
        assert interval in text or "no room" in text
    for word in ("lora", "lr=0.005,", "epochs=10)", "classifier_"):
        assert word in text


@pytest.mark.parametrize("width", [20, 41, 64, 110])
def test_texts_without_colours_are_as_rich_prints_them(
    table: FittedTable, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    table.add_row("日本語_テキスト", "x", "", "-", style="bold")
    table.add_row("two\nlines", "", "[1.0, 2.0]", "0.1 ")
    quick = printed(table, width, monkeypatch)
    monkeypatch.setattr(FittedTable, "_is_plain", lambda self: False)
    assert printed(table, width, monkeypatch) == quick


def test_what_has_no_room_at_all_exceeds_the_width(
    table: FittedTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\n".join(printed(table, 12, monkeypatch))
    assert all(mean in text for _, mean, _, _ in ROWS)


def test_cells_of_several_lines_and_without_titles(monkeypatch: pytest.MonkeyPatch) -> None:
    table = FittedTable("", "")
    table.add_row("[bold]ok[/]", "first\nsecond \\[x]")
    assert printed(table, 80, monkeypatch) == ["ok  first", "    second [x]"]


def test_control_characters_do_not_reach_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    table = FittedTable("name")
    table.add_row("a\x1b[2Jb")
    assert "\x1b" not in "\n".join(printed(table, 80, monkeypatch))
