"""Report of stored runs: content of its page, and its files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from ltbench.analysis.leaderboard.board import build_leaderboard
from ltbench.registry.registry import Registry
from ltbench.report.build import Report, build_report
from ltbench.report.page.content import (
    Beside,
    Listing,
    Notes,
    Picture,
    Properties,
    Section,
    SectionBlock,
    Table,
    WithInterval,
)
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


def blocks(*sections: Section) -> Iterator[SectionBlock]:
    """Blocks of sections and of their parts; a table and a figure side by side are two."""
    for one in sections:
        for block in one.blocks:
            if isinstance(block, Beside):
                yield from (block.table, block.picture)
            else:
                yield block
        yield from blocks(*one.sections)


def pictures(*sections: Section) -> list[str]:
    return [block.name for block in blocks(*sections) if isinstance(block, Picture)]


def table(made: Report, name: str) -> Table:
    tables = [each for each in blocks(*made.page.sections) if isinstance(each, Table)]
    (one,) = [each for each in tables if each.name == name]
    return one


def notes(made: Report, title: str) -> list[str]:
    found = [one for one in blocks(*made.page.sections) if isinstance(one, Notes)]
    return [text for one in found if one.title == title for text in one.texts]


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


def test_the_first_screen_has_an_answer_a_table_and_a_figure(made: Report) -> None:
    number = r"\d+\.\d"
    assert re.match(
        rf"lora is the best of 2 methods on digits_lt: {number} % overall accuracy, {number} "
        r"points above full\.$",
        made.page.answer.headline,
    )
    assert "120 test images of 6 classes, 3 seeds, clip_tiny." in made.page.answer.detail
    (first,) = [each for each in section(made, "leaderboard").blocks if isinstance(each, Beside)]
    assert first.picture.name == "digits_lt_tte_shot_groups"


def test_the_leaderboard_begins_with_the_columns_that_answer_the_question(made: Report) -> None:
    shown = table(made, "digits_lt_tte_leaderboard")
    first = [(column.title, column.shown) for column in shown.columns[:6]]
    assert first == [
        ("rank", "always"),
        ("method", "always"),
        ("overall", "always"),
        ("many", "wide"),
        ("medium", "wide"),
        ("few", "always"),
    ]
    assert {column.shown for column in shown.columns[6:]} == {"more"}
    lora, full = (row[2] for row in shown.rows)
    assert isinstance(lora, WithInterval)
    assert isinstance(full, WithInterval)
    assert lora.value > full.value
    assert lora.low is not None
    assert lora.low < lora.value
    assert (shown.name_column, shown.leading) == (1, 1)
    titles = [column.title for column in shown.columns]
    assert len(set(titles)) == len(titles)
    assert "dataset" not in titles


def test_the_accuracy_that_is_ranked_by_comes_first(runs: Path, registry: Registry) -> None:
    found = find_runs([runs])
    board = build_leaderboard(found.cells(), registry, metric="few")
    made = build_report(found, board)
    shown = table(made, "digits_lt_tte_leaderboard")
    titles = [column.title for column in shown.columns[:6]]
    assert titles == ["rank", "method", "few", "overall", "many", "medium"]
    assert all(isinstance(row[2], WithInterval) and row[2].low is not None for row in shown.rows)
    assert "few-shot accuracy" in made.page.answer.headline


def test_what_all_rows_share_is_listed_once(made: Report) -> None:
    facts = dict(section(made, "digits-lt-tte").facts)
    assert facts["shot rule"] == "exclusive"
    assert facts["backbone"] == "clip_tiny"


def test_what_was_found_is_said_in_words(made: Report) -> None:
    number = r"\d+\.\d"
    found = notes(made, "Tests")
    assert re.match(
        rf"lora is better than full in overall accuracy by {number} points "
        rf"\[{number}, {number}\], p (= 0\.\d+|< 0\.001) \(one comparison\)\.",
        found[0],
    ), found
    assert any(text.startswith("Apart from the method, ") for text in notes(made, "Notes"))


def test_every_figure_is_there(made: Report) -> None:
    assert pictures(*made.page.sections) == [
        f"digits_lt_tte_{name}"
        for name in (
            "shot_groups",
            "head_to_tail",
            "errors_takers",
            "errors_calibration",
            "differences_accuracy",
            "differences_few",
            "learned_parameters",
            "train_seconds",
            "calibration",
            "loss",
        )
    ]


def test_classes_are_listed_from_head_to_tail(made: Report, runs: Path) -> None:
    classes = table(made, "digits_lt_tte_classes")
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
    made = report(tmp_path, registry=registry)
    (text,) = [one for one in notes(made, "Notes") if one.startswith("No comparison")]
    assert "overall accuracy across data sets: expected two methods" in text
    assert [row[1] for row in table(made, "first_places").rows] == ["lora", "full"]
    assert made.page.answer.headline == "A different method is best in each of 2 rankings."


@pytest.mark.full
def test_methods_that_all_data_sets_have_are_compared(tmp_path: Path, registry: Registry) -> None:
    for ratio, methods in ((20.0, ("lora", "full", "bitfit")), (50.0, ("lora", "full"))):
        for method in methods:
            store(tmp_path, spec_of(registry, method=method, dataset__ratio=ratio))
    made = report(tmp_path, registry=registry)
    assert len(table(made, "ranks").rows) == 2
    assert "Left out, because a data set lacks them: bitfit." in notes(made, "Notes")


@pytest.mark.full
def test_settings_of_one_method_are_compared_over_data_sets(
    tmp_path: Path, registry: Registry
) -> None:
    for ratio in (20.0, 50.0):
        for rank in (1, 2):
            spec = spec_of(registry, method="lora", method__dim=rank, dataset__ratio=ratio)
            store(tmp_path, spec, skill=rank)
    made = report(tmp_path, registry=registry)
    names = {getattr(row[1], "whole", None) for row in table(made, "ranks").rows}
    assert len(names) == 2
    assert made.page.answer.headline.endswith("among 2 methods on 2 data sets.")


@pytest.mark.full
def test_two_data_sets_have_a_critical_difference_diagram(
    tmp_path: Path, registry: Registry
) -> None:
    for ratio in (20.0, 50.0, 100.0):
        for method in ("lora", "full", "bitfit"):
            store(tmp_path, spec_of(registry, method=method, dataset__ratio=ratio))
    made = report(tmp_path, registry=registry)
    assert pictures(section(made, "across-data-sets")) == [
        "critical_difference",
        "data_sets_accuracy",
        "data_sets_few",
    ]
    ranks = table(made, "ranks")
    assert len(ranks.rows) == 3
    titles = [column.title for column in ranks.columns]
    assert titles[:6] == ["rank", "method", "overall", "many", "medium", "few"]
    assert len(titles) == 6 + 3
    assert len(table(made, "pairs").rows) == 3
    names = [each.name for each in made.page.sections]
    assert len(set(names)) == len(names)


def test_commands_and_environments_are_listed_once(tmp_path: Path, registry: Registry) -> None:
    for seed in range(2):
        about = {
            "command": ["/home/me/bin/ltbench", "run", "--seed", str(seed)],
            "plugins": ["a 1", "b 2"],
        }
        store(tmp_path, spec_of(registry, seed=seed), changed={"environment": about})
    (tmp_path / "digits_lt" / "broken").mkdir()
    (tmp_path / "digits_lt" / "broken" / "result.json").write_text("{")
    found = section(report(tmp_path, registry=registry), "provenance")
    commands, environment, skipped = found.blocks
    assert isinstance(commands, Listing)
    assert commands.text == "ltbench run --seed 0\nltbench run --seed 1"
    assert isinstance(environment, Properties)
    assert environment.title == "Environment of 2 runs"
    assert environment.items[0] == ("python", "3.11.0")
    assert ("plugins", "a 1, b 2") in environment.items
    assert isinstance(skipped, Table)
    assert "broken" in str(skipped.rows[0][0])


def test_one_run_alone(tmp_path: Path, registry: Registry) -> None:
    store(tmp_path, spec_of(registry))
    made = report(tmp_path, registry=registry)
    assert "digits_lt_tte_differences_accuracy" not in pictures(*made.page.sections)
    assert notes(made, "Tests") == []
    assert " reaches " in made.page.answer.headline


@pytest.mark.full
def test_one_seed_each_is_no_claim_and_that_is_said_first(
    tmp_path: Path, registry: Registry
) -> None:
    for method in ("lora", "full"):
        store(tmp_path, spec_of(registry, method=method))
    made = report(tmp_path, registry=registry)
    assert made.page.answer.headline.endswith("no claim about the method follows from one seed.")
    (text,) = section(made, "leaderboard").findings
    assert text.startswith("NO CLAIM about ")


def test_empty_shot_groups(tmp_path: Path, registry: Registry) -> None:
    for method in ("lora", "full"):
        spec = spec_of(registry, method=method)
        store(tmp_path, spec, counts=np.maximum(COUNTS, 30))
    drawn = pictures(*report(tmp_path, registry=registry).page.sections)
    assert "digits_lt_tte_differences_few" not in drawn
    assert "digits_lt_tte_shot_groups" in drawn


def test_runs_without_predictions_are_in_the_table_and_in_no_figure(
    tmp_path: Path, registry: Registry
) -> None:
    for method in ("lora", "full"):
        path = store(tmp_path, spec_of(registry, method=method))
    next(path.glob("predictions-*")).unlink()
    made = report(tmp_path, registry=registry)
    assert len(table(made, "digits_lt_tte_leaderboard").rows) == 2
    assert any(" is in no figure" in text for text in notes(made, "Notes"))
    for rest in tmp_path.rglob("predictions-*"):
        rest.unlink()
    made = report(tmp_path, registry=registry)
    assert pictures(*made.page.sections) == []
    assert len(table(made, "digits_lt_tte_leaderboard").rows) == 2


def test_of_many_methods_the_best_are_drawn(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "MAX_SHOWN_METHODS", 2)
    for dim in (1, 2, 4):
        store(tmp_path, spec_of(registry, method="lora", method__dim=dim), skill=dim)
    made = report(tmp_path, registry=registry)
    assert "Figures and tests are of the 2 best of 3." in notes(made, "Notes")
    assert len(table(made, "digits_lt_tte_classes").columns) == 5


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
    made = report(tmp_path, registry=registry)
    assert len(notes(made, "Methods without a training curve")) == 1
    assert "digits_lt_tte_loss" not in pictures(*made.page.sections)


def test_names_that_are_no_text_are_replaced(tmp_path: Path, registry: Registry) -> None:
    classes = {
        "names": ["\ud800", "\x00", *"abcd"],
        "train_images": COUNTS.tolist(),
        "trained_on": COUNTS.tolist(),
    }
    store(tmp_path, spec_of(registry), changed={"classes": classes})
    report(tmp_path, registry=registry).write(tmp_path / "out")
    assert "\x00" not in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
