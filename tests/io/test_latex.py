"""Tables for LaTeX: escapes, marks, notes, labels, and what is done where there is little room."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from ltbench.io.latex import LatexTable, latex_tables

TEXTS = pd.DataFrame({"name_1": ["a|b", "<i>"], "%": ["1", ""]})
LONG = "lift_plus (train.epochs=3, loss=balanced_softmax, dataset.path=/data/my_photos)"


def long_table(rows: int, *, name: str = "lora", small: str = "") -> LatexTable:
    """A table of methods with four accuracies."""
    heads = ["overall", "many", "medium", "few"]
    columns = {"method": [f"{name} {row}" for row in range(rows)]}
    texts = pd.DataFrame({**columns, **{head: ["98.6"] * rows for head in heads}})
    return LatexTable(
        texts=texts,
        left=["method"],
        caption="50 % of a_b & c.",
        label="digits_lt tte",
        notes=["Bold: the highest mean of the column.", "All: backbone=clip_tiny #1."],
        bold=[(0, "few")],
        underlined=[(1, "few")],
        small={head: [small] * rows for head in heads},
    )


def test_texts_are_escaped_and_cells_marked() -> None:
    table = LatexTable(
        texts=TEXTS,
        left=["name_1"],
        caption="100 % of a_b",
        label="A_b: 100 %",
        notes=["50 % of it"],
        bold=[(1, "name_1")],
        underlined=[(0, "%")],
        small={"%": ["± 0.5", ""]},
    )
    assert latex_tables([table]).splitlines() == [
        r"% needs \usepackage{booktabs,threeparttable}",
        r"\begin{table}",
        r"\centering",
        r"\begin{threeparttable}",
        r"\caption{100 \% of a\_b}",
        r"\label{tab:a-b-100}",
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"name\_1 & \% \\",
        r"\midrule",
        r"a\textbar{}b & \underline{1} {\scriptsize $\pm$ 0.5} \\",
        r"\textbf{\textless{}i\textgreater{}} &  \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\begin{tablenotes}[flushleft]",
        r"\footnotesize",
        r"\setlength{\labelsep}{0pt}",
        r"\item 50 \% of it",
        r"\end{tablenotes}",
        r"\end{threeparttable}",
        r"\end{table}",
    ]


def test_a_table_without_notes_needs_booktabs_alone() -> None:
    text = latex_tables([LatexTable(TEXTS, [], "caption", "label")])
    assert text.startswith("% needs \\usepackage{booktabs}\n")
    assert "threeparttable" not in text


def test_labels_are_unique_in_a_file() -> None:
    tables = [LatexTable(TEXTS, [], "caption", label) for label in ("a b", "A_b", "", "a-b")]
    labels = re.findall(r"\\label\{(.*?)\}", latex_tables(tables))
    assert labels == ["tab:a-b", "tab:a-b-2", "tab:results", "tab:a-b-3"]


def test_a_row_is_no_option_of_the_line_break_above_it() -> None:
    texts = pd.DataFrame({"a": ["x", "[1]", "*"]})
    text = latex_tables([LatexTable(texts, [], "caption", "label")])
    assert "\n{}[1] \\\\\n{}* \\\\\n" in text


def test_a_wide_table_has_a_smaller_font_and_a_very_wide_one_broken_names() -> None:
    narrow, wide = long_table(3), long_table(3, small="[96.1, 99.9]")
    assert "tabcolsep" not in latex_tables([narrow])
    assert "\\footnotesize\n\\setlength{\\tabcolsep}{4pt}" in latex_tables([wide])
    text = latex_tables([long_table(3, name=LONG)])
    assert re.search(
        r"\\begin\{tabular\}\{>\{\\raggedright\\arraybackslash\}p\{\d+pt\}rrrr\}", text
    )
    assert "balanced\\_\\allowbreak{}softmax" in text
    assert text.startswith("% needs \\usepackage{array,booktabs,threeparttable}\n")


def test_a_table_longer_than_a_page_goes_over_pages() -> None:
    text = latex_tables([long_table(60)])
    assert text.startswith("% needs \\usepackage{booktabs,longtable,threeparttablex}\n")
    assert text.count("method & overall") == 2  # on the first page, and on the others
    assert "\\begin{table}" not in text
    assert "\\begin{table}" in latex_tables([long_table(26)])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_tables_compile_and_stay_within_the_page(tmp_path: Path) -> None:
    tables = [
        long_table(3),
        long_table(26, small="± 0.3"),
        long_table(26, name=LONG, small="± 0.3"),
        long_table(26, name=LONG, small="[96.1, 99.9]"),
        long_table(60, small="± 0.3"),
        LatexTable(pd.DataFrame({"a": ["[x]", "*", "50 % ~^\\{}#$&_|<>±"]}), ["a"], "c", "l"),
    ]
    packages = "array,booktabs,longtable,threeparttable,threeparttablex"
    document = (
        f"\\documentclass{{article}}\\usepackage{{{packages}}}\\begin{{document}}\n"
        f"Table~\\ref{{tab:digits-lt-tte}}\n\\clearpage\n{latex_tables(tables)}\\end{{document}}\n"
    )
    (tmp_path / "tables.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    for _ in range(3):  # widths of long tables, and references
        ended = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=300)
        assert ended.returncode == 0, ended.stdout[-3000:]
    log = (tmp_path / "tables.log").read_text(encoding="utf-8", errors="replace")
    assert "undefined" not in log
    assert "Float too large" not in log
    overfull = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]
    assert max(overfull, default=0) < 12  # the margin of a page is 62 points
    assert (tmp_path / "tables.pdf").read_bytes().startswith(b"%PDF")
