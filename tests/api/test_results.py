"""Stored runs from Python: what they are, and what the command has beside it."""

from __future__ import annotations

import csv
import io
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import ltbench
from ltbench.api.finished_run import FinishedRun
from ltbench.api.results import Results
from ltbench.api.run_columns import RUN_COLUMNS
from ltbench.errors import ConfigError, DataError, LTBenchError, RunError
from ltbench.registry.registry import Registry
from ltbench.storage.run_directory import RunDirectory
from tests import runs
from tests.conftest import Ended

OLDER = Path(__file__).parents[1] / "data" / "results"
DOCS = Path(__file__).parents[2] / "docs" / "python.md"


@pytest.fixture(scope="module")
def folder(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds of two methods, one of them with two dimensions."""
    out = tmp_path_factory.mktemp("store") / "runs"
    for seed in (0, 1):
        for method, skill, options in (
            ("full", 0.8, {}),
            ("lift_plus", 1.4, {"method__dim": 4}),
            ("lift_plus", 1.2, {"method__dim": 8}),
        ):
            spec = runs.spec_of(registry, method=method, seed=seed, **options)
            images = [f"{number // 20}/{number}.png" for number in range(120)]
            runs.store(out, spec, skill=skill, images=images if method == "full" else None)
    return out


@pytest.fixture
def results(folder: Path) -> Results:
    return ltbench.load_results(folder)


def test_it_is_a_sequence_of_finished_runs(results: Results, folder: Path) -> None:
    assert len(results) == 6
    assert results.skipped == ()
    assert all(isinstance(run, FinishedRun) for run in results)
    assert results[0] is results[0]
    assert results[-1].to_dict() == ltbench.load_run(results[-1].path).to_dict()
    assert [run.hash for run in results[1:3]] == [results[1].hash, results[2].hash]
    assert isinstance(results[:2], Results)
    assert repr(results) == "<Results: 6 runs of 2 methods on digits_lt>"
    assert repr(results[:1]) == "<Results: 1 run of full on digits_lt>"


def test_runs_are_chosen_by_their_settings(folder: Path, results: Results) -> None:
    chosen = ltbench.load_results(folder, where={"method.dim": 8, "seed": [0, 1]})
    assert [run.spec.method.options["dim"] for run in chosen] == [8, 8]
    assert [run.hash for run in results.filter({"method.dim": 8})] == [run.hash for run in chosen]
    with pytest.raises(ConfigError, match=r"method\.size"):
        results.filter({"method.size": 8})
    with pytest.raises(DataError, match=r"none of 6 runs"):
        results.filter({"seed": 7})


def test_the_frame_has_documented_columns_and_types(results: Results) -> None:
    frame = results.to_frame()
    assert list(frame.columns[: len(RUN_COLUMNS)]) == [column.name for column in RUN_COLUMNS]
    for column in RUN_COLUMNS:
        assert str(frame[column.name].dtype) == column.dtype, column.name
    first, run = frame.iloc[0], results[0]
    assert (first["hash"], first["seed"], first["method"]) == (run.hash, run.seed, "full")
    assert first["accuracy"] == run.metrics.accuracy
    low, high = run.metrics.intervals["few"] or (None, None)
    assert (first["few_ci_low"], first["few_ci_high"]) == (low, high)
    assert first["path"] == str(run.path)
    assert frame["method.dim"].dtype == "Int64"
    assert frame["method.dim"].isna().tolist() == [True, True, *[False] * 4]
    assert frame["loss.tau"].dtype == "float64"
    assert list(frame["method"].cat.categories) == ["full", "lift_plus"]
    means = frame.groupby(["method", "method.dim"], observed=True)["few"].mean()
    assert means.index.tolist() == [("lift_plus", 4), ("lift_plus", 8)]


def test_the_page_lists_every_column_with_its_type(results: Results) -> None:
    rows = re.findall(r"^\| ((?:`[^`]+`(?:, )?)+) \| (\w+) \|", DOCS.read_text(), re.MULTILINE)
    listed = {name: dtype for names, dtype in rows for name in re.findall(r"`([^`]+)`", names)}
    frames = results.to_frame()[[column.name for column in RUN_COLUMNS]]
    for frame in (frames, results.per_class(), results.predictions()):
        for name, dtype in frame.dtypes.items():
            assert listed[str(name)] == str(dtype), name


def test_tags_are_columns(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "runs")
    tagged = next((tmp_path / "runs").rglob("result.json")).parent
    (tagged / "tags.json").write_text('{"schema": 3, "tags": {"paper": "<b> 3"}}')
    found = ltbench.load_results(tmp_path / "runs")
    frame = found.to_frame()
    assert frame["tag.paper"].dtype == "string"
    assert frame["tag.paper"].dropna().tolist() == ["<b> 3"]
    assert len(found.filter({"tag.paper": "<b> 3"})) == 1


def test_a_row_for_each_class(results: Results) -> None:
    frame = results.per_class()
    assert len(frame) == 6 * 6
    one = frame[frame["hash"] == results[2].hash]
    assert one["accuracy"].tolist() == results[2].metrics.per_class
    assert one["class_name"].tolist() == results[2].classes.names
    assert one["train_images"].tolist() == results[2].classes.train_images
    assert one["shot_group"].tolist() == ["many"] * 2 + ["medium"] * 2 + ["few"] * 2
    means = one.groupby("shot_group", observed=True)["accuracy"].mean()
    assert means["few"] == pytest.approx(results[2].metrics.few)


def test_a_row_for_each_image(results: Results) -> None:
    frame = results.predictions()
    assert len(frame) == 6 * 120
    known = frame[frame["method"] == "full"].iloc[:120]
    assert known["image"].tolist()[21:23] == ["1/21.png", "1/22.png"]
    assert frame[frame["method"] == "lift_plus"]["image"].isna().all()  # of an earlier version
    assert known["index"].tolist() == list(range(120))
    read = results[0].predictions()
    assert known["confidence"].tolist() == read.confidence.tolist()
    assert 100 * known["correct"].mean() == pytest.approx(results[0].metrics.accuracy)
    assert known["label_name"].iloc[25] == "class 1"
    with pytest.raises(DataError, match="has no predictions with inference 'tencrop'"):
        results.predictions("tencrop")


def test_no_runs_are_frames_without_rows(results: Results) -> None:
    nothing = results[:0]
    assert repr(nothing) == "<Results: 0 runs>"
    for whole, frame in (
        (results.per_class(), nothing.per_class()),
        (results.predictions(), nothing.predictions()),
        (results.to_frame()[[column.name for column in RUN_COLUMNS]], nothing.to_frame()),
    ):
        assert len(frame) == 0
        assert frame.dtypes.astype(str).to_dict() == whole.dtypes.astype(str).to_dict()
    with pytest.raises(DataError, match="no finished run to rank"):
        nothing.leaderboard()


def test_the_leaderboard_is_that_of_the_command(
    results: Results, folder: Path, cli: Callable[..., Ended]
) -> None:
    frame = results.leaderboard("few", level=0.9)
    options = ("--metric", "few", "--level", "0.9", "--csv", "board.csv")
    assert cli("leaderboard", str(folder), *options).code == 0
    rows = list(csv.DictReader(io.StringIO(Path("board.csv").read_text())))
    assert frame.to_dict("list").keys() == rows[0].keys()
    for name in ("rank", "few", "accuracy_ci_low", "p_value_vs_best"):
        shown = ["" if pd.isna(value) else str(value) for value in frame[name]]
        assert shown == [row[name] for row in rows]


def test_tables_for_latex_are_those_of_the_command(
    results: Results, folder: Path, cli: Callable[..., Ended]
) -> None:
    text = results.leaderboard_latex("few", columns=["method", "few"], spread="interval")
    options = ("--latex", "--metric", "few", "--columns", "method,few", "--spread", "interval")
    assert cli("leaderboard", str(folder), *options).out == text
    with pytest.raises(ConfigError, match="spread: expected one of std, interval, none"):
        results.leaderboard_latex(spread="sd")
    with pytest.raises(ConfigError, match="no column 'fwe'"):
        results.leaderboard_latex(columns=["fwe"])


def test_a_comparison_is_that_of_the_command(
    results: Results, folder: Path, cli: Callable[..., Ended]
) -> None:
    large = {"method": "lift_plus", "method.dim": 8}
    found = results.compare(large, "full", metric="few", level=0.9)
    assert found.pair.seeds == (0, 1)
    first, second = (
        str(results.filter({**one, "seed": 0})[0].path) for one in (large, {"method": "full"})
    )
    alone = results.compare(first, second, metric="few")
    command = cli("compare", first, second, "--metric", "few", "--csv", "pair.csv")
    assert command.code == 0, command.err
    assert Path("pair.csv").read_bytes().decode() == alone.to_csv()


@pytest.mark.parametrize("how", ["name", "hash", "path", "folder"])
def test_cells_are_selected_by(how: str, results: Results, tmp_path: Path) -> None:
    run = results[2]
    given: Any = {
        "name": "lift_plus (method.dim=4)",
        "hash": run.hash[:8],
        "path": run.path,
        "folder": str(run.path.parents[1] / "full"),
    }[how]
    method = "full" if how == "folder" else "lift_plus"
    other: Any = "full" if how != "folder" else {"method.dim": 4}
    found = results.compare(given, other)
    assert found.pair.first.cell.spec.method.name == method
    assert len(found.pair.seeds) == (2 if how in ("name", "folder") else 1)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda r: r.compare("lift_plus", "full"), ConfigError, "'lift_plus' means 2 cells"),
        (lambda r: r.compare("lift", "full"), DataError, "no run is meant by 'lift'"),
        (lambda r: r.compare(3, "full"), ConfigError, "expected a method, a hash, a path"),
        (lambda r: r.compare("full", "full"), ConfigError, "have the same choices"),
        (lambda r: r.compare("full", "full", metrics="few"), ConfigError, "no option 'metrics'"),
        (lambda r: r.compare({"seed": "x"}, "full"), DataError, "seed"),
        (lambda r: r.leaderboard("fwe"), ConfigError, "metric: expected one of accuracy"),
        (lambda r: r.leaderboard(level=True), ConfigError, "level: expected 0.5 to 0.9999"),
        (lambda r: r.report(3), ConfigError, "report: expected the path of a folder"),
        (lambda r: r.report("x", title=3), ConfigError, "title: expected a text"),
        (lambda r: r.filter(3), ConfigError, "where: expected values by key"),
        (lambda r: r.predictions(3), DataError, "no name of an inference"),
    ],
)
def test_wrong_arguments(
    call: Callable[[Results], Any], error: type[LTBenchError], said: str, results: Results
) -> None:
    with pytest.raises(error, match=re.escape(said)) as raised:
        call(results)
    assert raised.value.message


def test_there_must_be_a_run(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ConfigError, match="none does not exist"):
        ltbench.load_results(tmp_path / "none")
    with pytest.raises(DataError, match="there is no finished run in"):
        ltbench.load_results(tmp_path)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "result.json").write_text("{")
    with pytest.raises(DataError, match=r"1 skipped, as .*broken: .* is not JSON"):
        ltbench.load_results(tmp_path)
    beside = ltbench.load_results(tmp_path, folder)
    assert (len(beside), len(beside.skipped)) == (6, 1)
    assert beside.skipped[0].path == tmp_path / "broken"
    for wrong in (3, None, "a\0b", b"runs"):
        with pytest.raises(ConfigError, match="load_results: expected the path"):
            ltbench.load_results(wrong)  # type: ignore[arg-type]


def test_runs_of_older_schemas_have_the_same_columns() -> None:
    found = ltbench.load_results(OLDER)
    assert len(found) >= 4
    frame = found.to_frame()
    for column in RUN_COLUMNS:
        assert str(frame[column.name].dtype) == column.dtype, column.name
    named = found.predictions().groupby("hash")["image"].count()
    assert sorted(named > 0) == [*[False] * (len(named) - 1), True]  # the one of schema 3
    narrow = [run.metrics.interval_method is None for run in found]
    assert any(narrow)
    assert frame["accuracy_ci_low"].isna().tolist() == narrow


def test_a_store_that_cannot_be_written_is_read(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "runs")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*")}
    for path in before:
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    found = ltbench.load_results(tmp_path / "runs")
    assert len(found.to_frame()) == len(found.filter({"method": ["full", "lift_plus"]})) == 6
    assert len(found.predictions()) == 720
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("*")} == before
    for path in before:
        path.chmod(path.stat().st_mode | stat.S_IWUSR)


@pytest.mark.full  # figures
def test_a_report_is_written(results: Results, tmp_path: Path) -> None:
    page = results[:4].report(tmp_path / "report", title="<mine>", metric="few")
    assert page == tmp_path / "report" / "index.html"
    assert "&lt;mine&gt;" in page.read_text()
    assert (tmp_path / "report" / "leaderboard.csv").is_file()
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="file"):
        results.report(tmp_path / "file")


def test_a_notebook_shows_a_table_in_which_no_text_is_markup(folder: Path, tmp_path: Path) -> None:
    found = ltbench.load_results(folder)
    shown = found._repr_html_()
    assert shown.startswith("<table><caption>6 runs</caption>")
    assert shown.count("<tr>") == 7
    many = Results(type(found._found)(found._found.runs * 10, found._found.skipped))
    assert "<caption>60 runs, the first 20</caption>" in many._repr_html_()
    run = RunDirectory(found[0].path).finished()
    hostile = run.model_copy(update={"hash": "<script>"})
    assert "<script>" not in Results(type(found._found)((hostile,), ()))._repr_html_()
