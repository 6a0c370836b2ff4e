"""HTML of the cells of tables."""

from __future__ import annotations

import json

import pytest

from ltbench.report.page.content import CellValue, Column, ShortName, Table, WithInterval
from ltbench.report.page.table_html import body_html, format_cell, rest_json, written_rows
from tests.report.page.pages import ATTACK, LONG, RANKED


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (None, 1, ""),
        (float("nan"), 1, ""),
        ("", None, ""),
        ("< 0.001", 3, "< 0.001"),
        (0.25, 1, "0.2"),
        (-0.01, 1, "0.0"),
        (-1234.5, 2, "\N{MINUS SIGN}1,234.50"),
        (7, 0, "7"),
        (7, None, "7"),
        (WithInterval(98.61, 97.25, 99.39), 1, "98.6 [97.2, 99.4]"),
        (WithInterval(98.61, None, 99.39), 1, "98.6"),
        (ShortName("lora \N{SUPERSCRIPT ONE}", "lora (rank=3)"), None, "lora \N{SUPERSCRIPT ONE}"),
    ],
)
def test_values_are_shown_with_the_decimals_of_their_column(
    value: CellValue, decimals: int | None, text: str
) -> None:
    assert format_cell(value, Column("title", decimals=decimals)) == text


def test_cells_have_the_classes_of_their_columns() -> None:
    first, *_, last = body_html(RANKED).splitlines()
    assert first.startswith(
        '<tr class="leading"><td class="before number">1</td><th scope="row" class="name">'
        '<span title="lift_plus (rank=1)">'
    )
    assert '<td class="number">89.0 <span class="interval">[79.0, 94.0]</span></td>' in first
    assert first.count('class="number wide"') == 2
    assert first.count('class="number more"') == 9
    assert last.startswith("<tr><td")


def test_of_a_long_table_the_first_rows_are_html_and_the_rest_is_data() -> None:
    assert len(written_rows(LONG)) == 200
    assert body_html(LONG).count("<tr>") == 200
    text = str(rest_json(LONG))
    assert "<" not in text
    assert json.loads(text)[0] == [f"{ATTACK} 200", "20.0"]
    assert len(json.loads(text)) == 1000


def test_a_short_table_has_no_data() -> None:
    table = Table("short", "Short.", [Column("a")], [["b"]])
    assert json.loads(str(rest_json(table))) == []
