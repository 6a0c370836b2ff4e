"""Tables of pandas as CSV and Markdown."""

from __future__ import annotations

import pandas as pd

from ltbench.io.tables import csv_table, format_series, markdown_table, text_series

TEXTS = pd.DataFrame({"name_1": ["a|b", "<i>"], "%": ["1", ""]})


def test_csv_keeps_numbers_and_writes_no_formula() -> None:
    frame = pd.DataFrame(
        {
            "text": text_series(["=1+1", 'a "b", c\nd', None]),
            "sure": pd.Series([True, None, False], dtype="boolean"),
            "plain": [True, False, True],
            "count": pd.Series([1, None, -3], dtype="Int64"),
            "share": [0.1 + 0.2, None, -1e-7],
            "kind": pd.Categorical(["-x", "y", "y"]),
        }
    )
    assert csv_table(frame).split("\r\n") == [
        "text,sure,plain,count,share,kind",
        "'=1+1,true,true,1,0.30000000000000004,'-x",
        '"a ""b"", c d",,false,,,y',
        ",false,true,-3,-1e-07,y",
        "",
    ]


def test_markdown_is_aligned_and_has_no_markup_of_others() -> None:
    head, line, *rows = markdown_table(TEXTS, ["name_1"]).splitlines()
    assert [cell.strip() for cell in head.split("|")] == ["", "name\\_1", "%", ""]
    assert [(cell[0], cell[-1]) for cell in line.split("|")[1:3]] == [(":", "-"), ("-", ":")]
    assert rows[0].startswith("| a\\|b ")
    assert rows[1].startswith("| \\<i\\> ")
    assert rows[0].endswith(" 1 |")


def test_numbers_in_texts_stay_as_they_are() -> None:
    """A column of `1.50` and `2.5` is not written with the same decimals."""
    texts = pd.DataFrame({"a": ["1.50", "2.5"], "b": ["1e3", "007"]})
    cells = [line.split("|")[1:3] for line in markdown_table(texts, []).splitlines()[2:]]
    assert [[cell.strip() for cell in row] for row in cells] == [["1.50", "1e3"], ["2.5", "007"]]


def test_unknown_values_are_empty_texts() -> None:
    assert format_series(pd.Series([1.25, None]), "{:.1f}".format) == ["1.2", ""]
    assert format_series(pd.Series([3, None], dtype="Int64"), "{:,}".format) == ["3", ""]
    assert format_series(text_series([None, "a"]), str) == ["", "a"]


def test_invalid_characters_are_replaced() -> None:
    assert text_series(["\ud800", "a\x1b[2J"]).tolist() == ["?", "a?[2J"]
