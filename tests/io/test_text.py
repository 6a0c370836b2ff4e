"""Tests of text of others, by output format."""

from __future__ import annotations

import csv
import io

import pytest
from rich.markup import escape
from rich.table import Table

from ltbench.io.console import console
from ltbench.io.text import csv_text, html_text, latex_text, line_text, markdown_text, terminal_text

HOSTILE = "\x1b[31mred\x07\x9b2J\u202eabc\u2066\r\u200b\ud800\x7f"


def test_nothing_but_text_reaches_a_terminal() -> None:
    assert terminal_text(HOSTILE) == "?[31mred??2J?abc? ????"[:-1]
    assert terminal_text("Größe 名前 a\u00a0b\u3000c\n\td") == "Größe 名前 a b c\n d"
    assert line_text("a\nb\u2028c") == "a b c"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("lift_plus", r"lift\_plus"),
        ("a|b\n| c |", r"a\|b \| c \|"),
        ("[x](http://y)", r"\[x\](http:\//y)"),
        ("<img src=x>", r"\<img src=x\>"),
        ("www.x.org and a@b.c", r"www\.x.org and a\@b.c"),
        ("0.5 ± 0.1 (3 seeds)", "0.5 ± 0.1 (3 seeds)"),
    ],
)
def test_markdown_has_no_markup_of_others(text: str, shown: str) -> None:
    assert markdown_text(text) == shown


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "\uff1d"])
def test_no_text_of_a_csv_file_is_a_formula(start: str) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([csv_text(f"{start}1+1"), csv_text(-1.5), csv_text(-3)])
    assert buffer.getvalue().startswith("'")
    assert next(csv.reader(io.StringIO(buffer.getvalue())))[1:] == ["-1.5", "-3"]


def test_latex_and_html_have_no_commands_and_elements() -> None:
    assert latex_text("\\input{x} 5 %\n") == r"\textbackslash{}input\{x\} 5 \% "
    assert html_text("<b>\x1b</b>") == "&lt;b&gt;?&lt;/b&gt;"


def test_a_console_neutralises_whatever_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    out = console()
    out.print(escape(HOSTILE))
    out.print(HOSTILE, markup=False, style="bold")
    table = Table("a\x1bb")
    table.add_row(escape(HOSTILE))
    out.print(table)
    console(stderr=True).print(escape(HOSTILE))
    shown = capsys.readouterr()
    for text in (shown.out, shown.err):
        assert "red" in text
        assert all(char.isprintable() or char == "\n" for char in text)
