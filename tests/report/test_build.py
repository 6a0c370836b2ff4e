"""Report of stored runs: content of its page, and its files."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from ltbench.analysis.leaderboard.board import build_leaderboard
from ltbench.registry.registry import Registry
from ltbench.report.build import Report, build_report
from ltbench.report.page.content import Picture, Section, Table
from ltbench.report.sections import evidence
from ltbench.storage.results import find_runs
from ltbench.storage.run_directory import RunDirectory
from tests.runs import COUNTS, PER_CLASS, spec_of, store


def report(*folders: Path, registry: Registry, title: str = "A report") -> Report:
    found = find_runs(folders)
    return build_report(found, build_leaderboard(found.cells(), registry), title=title)


def section(made: Report, name: str) -> Section:
    (found,) = [each for each in made.page.sections if each.name == name]
    return found


def pictures(found: Section) -> list[str]:
    return [block.name for block in found.blocks if isinstance(block, Picture)]


def table(found: Section, name: str) -> Table:
    (one,) = [each for each in found.blocks if isinstance(each, Table) and each.name == name]
    return one


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    """Two methods with three seeds, one far better; both have a history."""
    out = tmp_path_factory.mktemp("runs")
    for seed in range(3):
        for method, skill in (("lora", 2.0), ("full", 0.0)):
            path = store(out, spec_of(registry, method=method, seed=seed), skill=skill)
            rows = [{"epoch": epoch, "loss": 2.0 - epoch} for epoch in range(2)]
            RunDirectory(path).write_history(rows)
    return out


@pytest.fixture(scope="module")
def made(runs: Path, registry: Registry) -> Report:
    return report(runs, registry=registry)


def test_the_leaderboard_names_what_all_rows_share_and_shows_the_rest(made: Report) -> None:
    board = section(made, "leaderboard")
    (shared,) = [text for text in board.paragraphs if text.startswith("All rows have in common")]
    assert "dataset digits_lt" in shared
    shown = table(board, "leaderboard")
    assert [row[0] for row in shown.rows] == ["lora", "full"]
    titles = [column.title for column in shown.columns]
    assert "dataset" not in titles
    overall = titles.index("overall %")
    assert shown.rows[0][overall] > shown.rows[1][overall]  # type: ignore[operator]


def test_what_was_found_is_said_in_words(made: Report) -> None:
    found = section(made, "digits-lt-tte").findings
    number = r"\d+\.\d"
    assert re.match(
        rf"lora is better than full in overall accuracy by {number} points "
        rf"\[{number}, {number}\], p (= 0\.\d+|< 0\.001) \(one comparison\)\.",
        found[0],
    ), found
    assert any(text.startswith("Note: ") for text in found)


def test_every_figure_is_there(made: Report) -> None:
    assert pictures(section(made, "digits-lt-tte")) == [
        f"digits_lt_tte_{name}"
        for name in (
            "shot_groups",
            "head_to_tail",
            "learned_parameters",
            "train_seconds",
            "differences_accuracy",
            "differences_few",
            "calibration",
            "loss",
        )
    ]


def test_classes_are_listed_from_head_to_tail(made: Report, runs: Path) -> None:
    classes = table(section(made, "digits-lt-tte"), "digits_lt_tte_classes")
    assert [row[1] for row in classes.rows] == sorted(COUNTS.tolist(), reverse=True)
    assert {row[2] for row in classes.rows} == {PER_CLASS}
    lora = [run for run in find_runs([runs]).runs if run.spec.method.name == "lora"]
    expected = np.mean([np.array(run.metrics.per_class, float) for run in lora], axis=0)
    assert [row[3] for row in classes.rows] == pytest.approx(expected.tolist())


def test_one_data_set_has_nothing_across_data_sets(made: Report) -> None:
    assert [each.name for each in made.page.sections] == [
        "leaderboard",
        "digits-lt-tte",
        "provenance",
    ]


def test_methods_on_different_data_sets_are_not_compared_and_that_is_said(
    tmp_path: Path, registry: Registry
) -> None:
    store(tmp_path, spec_of(registry, method="lora"))
    store(tmp_path, spec_of(registry, method="full", dataset__ratio=50.0))
    (text,) = section(report(tmp_path, registry=registry), "across-data-sets").paragraphs
    assert text.startswith("No comparison: overall accuracy across data sets: expected two methods")


@pytest.mark.full
def test_two_data_sets_have_a_critical_difference_diagram(
    tmp_path: Path, registry: Registry
) -> None:
    for ratio in (20.0, 50.0, 100.0):
        for method in ("lora", "full", "bitfit"):
            store(tmp_path, spec_of(registry, method=method, dataset__ratio=ratio))
    found = section(report(tmp_path, registry=registry), "across-data-sets")
    assert pictures(found) == ["critical_difference"]
    assert len(table(found, "ranks").rows) == 3
    assert len(table(found, "pairs").rows) == 3
    names = [each.name for each in report(tmp_path, registry=registry).page.sections]
    assert len(set(names)) == len(names)


def test_commands_and_environments_are_listed_once(tmp_path: Path, registry: Registry) -> None:
    for seed in range(2):
        about = {"command": ["ltbench", "run", "--seed", str(seed)], "plugins": ["a 1", "b 2"]}
        store(tmp_path, spec_of(registry, seed=seed), changed={"environment": about})
    (tmp_path / "digits_lt" / "broken").mkdir()
    (tmp_path / "digits_lt" / "broken" / "result.json").write_text("{")
    found = section(report(tmp_path, registry=registry), "provenance")
    commands, environment, skipped = found.blocks
    assert commands.text == "ltbench run --seed 0\nltbench run --seed 1"  # type: ignore[union-attr]
    assert environment.title == "Environment of 2 runs"  # type: ignore[union-attr]
    lines = environment.text.splitlines()  # type: ignore[union-attr]
    assert lines[0] == "python: 3.11.0"
    assert "plugins: a 1, b 2" in lines
    assert isinstance(skipped, Table)
    assert "broken" in str(skipped.rows[0][0])


def test_one_run_alone(tmp_path: Path, registry: Registry) -> None:
    store(tmp_path, spec_of(registry))
    found = section(report(tmp_path, registry=registry), "digits-lt-tte")
    assert "digits_lt_tte_differences_accuracy" not in pictures(found)
    assert found.findings == []


def test_empty_shot_groups(tmp_path: Path, registry: Registry) -> None:
    for method in ("lora", "full"):
        spec = spec_of(registry, method=method)
        store(tmp_path, spec, counts=np.maximum(COUNTS, 30))
    found = section(report(tmp_path, registry=registry), "digits-lt-tte")
    assert "digits_lt_tte_differences_few" not in pictures(found)
    assert "digits_lt_tte_shot_groups" in pictures(found)


def test_runs_without_predictions_are_in_the_table_and_in_no_figure(
    tmp_path: Path, registry: Registry
) -> None:
    for method in ("lora", "full"):
        path = store(tmp_path, spec_of(registry, method=method))
    next(path.glob("predictions-*")).unlink()
    made = report(tmp_path, registry=registry)
    assert len(table(section(made, "leaderboard"), "leaderboard").rows) == 2
    found = section(made, "digits-lt-tte")
    assert any(text.startswith("full is in no figure") for text in found.paragraphs)
    for rest in tmp_path.rglob("predictions-*"):
        rest.unlink()
    assert pictures(section(report(tmp_path, registry=registry), "digits-lt-tte")) == []


def test_of_many_methods_the_best_are_drawn(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "MAX_SHOWN_METHODS", 2)
    for dim in (1, 2, 4):
        store(tmp_path, spec_of(registry, method="lora", method__dim=dim), skill=dim)
    found = section(report(tmp_path, registry=registry), "digits-lt-tte")
    assert "Figures and tests are of the 2 best of 3." in found.paragraphs
    assert len(table(found, "digits_lt_tte_classes").columns) == 5


def test_the_files(made: Report, tmp_path: Path) -> None:
    made.write(tmp_path / "deep" / "report")
    out = tmp_path / "deep" / "report"
    assert {path.name for path in out.iterdir()} == {
        "index.html",
        "figures",
        "leaderboard.csv",
        "tables.tex",
    }
    figures = sorted(path.name for path in (out / "figures").iterdir())
    assert len(figures) == 2 * len(made.figures)
    for path in (out / "figures").glob("*.svg"):
        ElementTree.parse(path)
    page = (out / "index.html").read_text(encoding="utf-8")
    for figure in figures:
        assert f"figures/{figure}" in page


@pytest.mark.full
def test_the_same_runs_make_the_same_bytes(runs: Path, registry: Registry, tmp_path: Path) -> None:
    written = []
    for name in ("one", "other"):
        report(runs, registry=registry).write(tmp_path / name)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        written.append([path.read_bytes() for path in files])
    assert written[0] == written[1]


def test_names_of_classes_are_escaped(tmp_path: Path, registry: Registry) -> None:
    classes = {
        "names": [f"<script>alert({number})</script>" for number in range(6)],
        "train_images": COUNTS.tolist(),
        "trained_on": COUNTS.tolist(),
    }
    store(tmp_path, spec_of(registry), changed={"classes": classes})
    report(tmp_path, registry=registry, title="<b>").write(tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "<b>" not in page


@pytest.mark.parametrize("history", ["\x00", '{"loss": 1', "[1]\n"])
def test_broken_histories_are_reported_and_not_drawn(
    tmp_path: Path, registry: Registry, history: str
) -> None:
    path = store(tmp_path, spec_of(registry))
    (path / "history.jsonl").write_text(history)
    found = section(report(tmp_path, registry=registry), "digits-lt-tte")
    assert any("has no training curve" in text for text in found.paragraphs)
    assert "digits_lt_tte_loss" not in pictures(found)


def test_names_that_are_no_text_are_replaced(tmp_path: Path, registry: Registry) -> None:
    classes = {
        "names": ["\ud800", "\x00", *"abcd"],
        "train_images": COUNTS.tolist(),
        "trained_on": COUNTS.tolist(),
    }
    store(tmp_path, spec_of(registry), changed={"classes": classes})
    report(tmp_path, registry=registry).write(tmp_path / "out")
    assert "\x00" not in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
