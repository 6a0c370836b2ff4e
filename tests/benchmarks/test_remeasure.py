"""What `make results` writes into pages, and where."""

from __future__ import annotations

from importlib.metadata import distributions
from pathlib import Path

import numpy as np
import pytest

from benchmarks.digits import every_method, study
from benchmarks.remeasure.grids import DIGITS, GLYPHS, replace_runs
from benchmarks.remeasure.marked import filled, parts_of
from benchmarks.remeasure.pages import TRANSCRIPTS
from benchmarks.remeasure.transcripts import (
    Step,
    Transcript,
    between,
    installed,
    markdown_table,
    shown_lines,
    text_of,
)

ROOT = Path(__file__).parents[2]
PAGE = "a\n<!-- one: made by `make results` -->\nold\n<!-- end of one -->\nb\n"


def test_a_part_is_replaced_and_the_rest_stays() -> None:
    assert filled(PAGE, {"one": "1\n2"}) == PAGE.replace("old", "1\n2")
    assert parts_of(filled(PAGE, {"one": ""})) == {"one": ""}
    with pytest.raises(KeyError, match="two"):
        filled(PAGE, {"one": "1", "two": "2"})


def test_every_part_of_a_page_is_measured_and_has_its_place() -> None:
    written: dict[str, set[str]] = {
        "benchmarks/README.md": {"growth with images", "growth with classes"},
        "benchmarks/results/digits/README.md": {
            *("learning rates", "accuracies", "differences"),
            *("accuracies on val", "differences on val", "every method", "leaderboard"),
        },
        "benchmarks/results/glyphs/README.md": {"leaderboard"},
        "docs/choosing.md": {"differences", "losses"},
    }
    for each in TRANSCRIPTS:
        written.setdefault(each.page, set()).add(each.name)
    pages = [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/*.md")]
    pages += ROOT.glob("benchmarks/**/*.md")
    marked = {path.relative_to(ROOT).as_posix(): parts_of(path.read_text()) for path in pages}
    assert {name: set(parts) for name, parts in marked.items() if parts} == written


def test_the_stored_runs_are_those_of_the_grids_and_the_repeats() -> None:
    stored = {each: len(list((ROOT / each.runs).rglob("result.json"))) for each in (DIGITS, GLYPHS)}
    assert stored == {DIGITS: 31 + len(DIGITS.more), GLYPHS: 13}


def test_lines_that_are_left_out_become_an_ellipsis() -> None:
    lines = ["title", "a 1", "b 2", "c 3"]
    assert list(shown_lines(lines, ("^a", "^c"))) == ["...", "a 1", "...", "c 3"]
    assert list(shown_lines(lines, ("^title",))) == ["title", "..."]
    assert list(shown_lines(lines, ())) == []
    assert list(shown_lines(lines, None)) == lines
    with pytest.raises(ValueError, match=r"no line matches '\^d'"):
        list(shown_lines(lines, ("^d",)))
    assert between("\nx\na 1\nb 2\nc 3\n", "^a", "^b") == ["a 1", "b 2"]
    assert between("x\ny\n", "", "") == ["x", "y"]


def test_a_command_is_executed_once_and_its_output_is_kept(tmp_path: Path) -> None:
    steps = (Step("make it", comment="  # not executed"), Step("ltbench --version"))
    each = Transcript("page.md", "name", "folder", steps)
    first = text_of(each, tmp_path)
    assert first.startswith("```console\n$ make it  # not executed\n$ ltbench --version\nltbench")
    (kept,) = (tmp_path / "folder").glob(".*.txt")
    kept.write_text("kept\n")
    assert text_of(each, tmp_path).splitlines()[-2:] == ["kept", "```"]


def test_a_package_of_the_examples_is_found_as_if_installed(tmp_path: Path) -> None:
    package = ROOT / "examples" / "ltbench-convpass"
    source, site = installed(package, tmp_path)["PYTHONPATH"].split(":")
    assert (Path(source) / "ltbench_convpass").is_dir()
    (found,) = distributions(path=[site])
    (entry,) = found.entry_points.select(group="ltbench")
    assert (found.name, entry.name, entry.value) == (
        *("ltbench-convpass", "convpass", "ltbench_convpass"),
    )
    # A hyphen would end the name, and hide ltbench itself.
    (folder,) = Path(site).iterdir()
    assert folder.name == "ltbench_convpass-0.1.0.dist-info"


def test_stored_runs_are_replaced_without_weights(tmp_path: Path) -> None:
    measured, stored = tmp_path / "new" / "a" / "1", tmp_path / "old"
    measured.mkdir(parents=True)
    (stored / "b").mkdir(parents=True)
    for name in ("result.json", "history.jsonl", "predictions-tte.parquet", "learned.safetensors"):
        (measured / name).write_text(name)
    unfinished = tmp_path / "new" / "a" / "2"
    unfinished.mkdir()
    (unfinished / "spec.json").write_text("{}")
    replace_runs(tmp_path / "new", stored)
    assert sorted(path.relative_to(stored).as_posix() for path in stored.rglob("*.*")) == [
        "a/1/history.jsonl",
        "a/1/predictions-tte.parquet",
        "a/1/result.json",
    ]


def test_the_first_table_of_a_text() -> None:
    assert markdown_table(["# a", "", "| x |", "|---|", "", "| y |"]) == "| x |\n|---|"


def test_tables_of_the_study_are_paired_by_seed() -> None:
    values = np.array([[90.0, 0, 0, 0, 80.0], [92.0, 0, 0, 0, 82.0]])
    done = {"a": ({"train.lr": 0.1}, values + 1), "b": ({}, values)}
    table = study.difference_table(done, [("a", "b")])
    assert table.splitlines()[-1] == "| a - b | +1.0 [+1.0, +1.0] | +1.0 [+1.0, +1.0] |"
    accuracies = study.accuracy_table(done).splitlines()[2]
    assert accuracies.startswith("| a | 0.1 | 2 | 92.0 ± 1.4 |")
    assert study.rate_table({"a": {0.001: 98.0, 0.005: 98.5, 0.02: 97.0}}).splitlines()[-1] == (
        "| a | 98.00 | **98.50** | 97.00 |"
    )


def test_methods_are_sorted_by_accuracy() -> None:
    rows = [
        every_method.Row(name, {}, values=[[value] * len(every_method.COLUMNS)] * 3)
        for name, value in (("low", 50.0), ("high", 60.0))
    ]
    lines = every_method.table(rows).splitlines()
    assert [line.split(" ")[1] for line in lines[2:]] == ["high", "low"]
