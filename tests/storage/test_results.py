from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ltbench.analysis.comparison.pairs import compare_pair
from ltbench.analysis.comparison.seed_predictions import read_seed_predictions
from ltbench.analysis.leaderboard.board import build_leaderboard
from ltbench.errors import ConfigError, DataError
from ltbench.registry.registry import Registry
from ltbench.storage.environment_schema import Environment
from ltbench.storage.migrations import SCHEMA
from ltbench.storage.parsing import read_stored
from ltbench.storage.predictions import Predictions
from ltbench.storage.result_schema import RunResult
from ltbench.storage.results import find_runs
from ltbench.storage.run_directory import RunDirectory
from tests.runs import COUNTS, spec_of, store

OLD = Path(__file__).parents[1] / "data" / "results"


@pytest.fixture
def runs(tmp_path: Path, registry: Registry) -> Path:
    """Two methods, three seeds each."""
    for method in ("lift_plus", "full"):
        for seed in range(3):
            store(tmp_path / "runs", spec_of(registry, method=method, seed=seed))
    return tmp_path / "runs"


def test_runs_are_found_wherever_they_are_below(runs: Path) -> None:
    found = find_runs([runs])
    assert (len(found.runs), found.skipped) == (6, ())
    one = found.runs[0].path
    assert [run.path for run in find_runs([one]).runs] == [one]
    assert len(find_runs([one, runs, one.parent]).runs) == 6


def test_runs_that_differ_in_their_seed_alone_are_a_cell(runs: Path) -> None:
    cells = find_runs([runs]).cells()
    assert [(cell.spec.method.name, cell.seeds) for cell in cells] == [
        ("full", (0, 1, 2)),
        ("lift_plus", (0, 1, 2)),
    ]
    run = cells[1].runs[2]
    assert (run.seed, run.spec.seed, run.spec.hash) == (2, 2, run.path.name)


def test_paths_of_options_make_no_other_cell(runs: Path, registry: Registry) -> None:
    for seed, root in enumerate("ab", start=3):
        spec = spec_of(registry, seed=seed)
        dataset = replace(spec.dataset, paths={"path": f"/{root}"})
        store(runs, replace(spec, dataset=dataset))
    assert {cell.seeds for cell in find_runs([runs]).cells()} == {(0, 1, 2), (0, 1, 2, 3, 4)}


def test_predictions_are_read_when_asked_for(runs: Path) -> None:
    run = find_runs([runs]).runs[0]
    assert len(run.predictions().labels) == 20 * len(COUNTS)
    about = {"hash": run.spec.hash, "inference": "ten_crop", "split": "test"}
    run.predictions().write(run.path / "predictions-ten_crop.parquet", about)
    assert len(run.predictions("ten_crop").labels) == 20 * len(COUNTS)
    with pytest.raises(DataError, match=r"no predictions with inference 'ten'.*ten_crop") as raised:
        run.predictions("ten")
    assert "ltbench eval" in raised.value.hint


def rewritten(run: RunResult, predictions: Predictions | None = None, **about: str) -> None:
    """Writes the predictions of a run again, with sound checksums."""
    read = run.predictions() if predictions is None else predictions
    said = {"hash": run.spec.hash, "inference": "tte", "split": "test", **about}
    read.write(run.path / "predictions-tte.parquet", said)


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"hash": "0123456789ab"}, r"expected hash \w+, got 0123456789ab"),
        ({"inference": "center"}, "expected inference tte, got center"),
        ({"split": "val"}, "expected split test, got val"),
    ],
)
def test_predictions_of_another_run_are_refused(
    runs: Path, about: dict[str, str], said: str
) -> None:
    run = find_runs([runs]).runs[0]
    rewritten(run, **about)
    for read in (run.predictions, run.predicted_classes):
        with pytest.raises(DataError, match=said) as raised:
            read()
        assert "ltbench eval" in raised.value.hint


def test_predictions_must_give_the_accuracies_of_the_result(runs: Path) -> None:
    run = find_runs([runs]).runs[0]
    sound = run.predictions()
    labels, classes = sound.labels, sound.classes.copy()
    right = int(np.flatnonzero(classes[:, 0] == labels)[0])
    classes[right] = classes[right, ::-1]
    rewritten(run, replace(sound, classes=classes))
    accuracy = run.metrics.accuracy
    said = f"contradict each other: accuracy {accuracy - 100 / 120:.2f} % of .*, {accuracy:.2f} %"
    for read in (run.predictions, run.predicted_classes):
        with pytest.raises(DataError, match=said):
            read()
    # One more of a class and one less of another: the overall accuracy says nothing.
    wrong = int(np.flatnonzero((sound.classes[:, 0] != labels) & (labels != labels[right]))[0])
    classes[wrong, 0] = labels[wrong]
    rewritten(run, replace(sound, classes=classes))
    with pytest.raises(DataError, match="contradict each other: accuracies of classes"):
        run.predicted_classes()
    rewritten(run, replace(sound, log_sum_exp=sound.log_sum_exp + 1))
    with pytest.raises(DataError, match="contradict each other: ece"):
        run.predictions()
    classes[:] = 77
    rewritten(run, replace(sound, classes=classes))
    with pytest.raises(DataError, match="other classes: expected 6, got class 77"):
        run.predicted_classes()


def test_a_leaderboard_names_the_row_whose_predictions_are_damaged(
    runs: Path, registry: Registry
) -> None:
    run = find_runs([runs / "digits_lt" / "clip_tiny" / "full"]).runs[0]
    rewritten(run, hash="0123456789ab")
    board = build_leaderboard(find_runs([runs]).cells(), registry)
    (ranking,) = board.rankings
    assert any("full" in note and "0123456789ab" in note for note in ranking.notes)


def test_broken_and_unfinished_runs_are_listed_with_their_reason(runs: Path) -> None:
    paths = sorted(path.parent for path in runs.rglob("result.json"))
    (paths[0] / "result.json").write_text('{"schema": 1, ')
    (paths[1] / "result.json").unlink()
    (paths[2] / "result.json").unlink()
    (paths[2] / "failure.json").write_text('{"schema": 1, "error": "too hot", "hint": ""}')
    changed = json.loads((paths[3] / "result.json").read_text())
    changed["run"]["seed"] = 77
    (paths[3] / "result.json").write_text(json.dumps(changed))
    hollow = json.loads((paths[4] / "result.json").read_text())
    del hollow["metrics"]["few"]
    (paths[4] / "result.json").write_text(json.dumps(hollow))
    found = find_runs([runs])
    assert [run.path for run in found.runs] == [paths[5]]
    assert [item.path for item in found.skipped] == paths[:5]
    for item, said in zip(
        found.skipped,
        (
            "not JSON",
            "not finished",
            "has failed: too hot",
            "another run than",
            "metrics.few: the key is missing",
        ),
        strict=True,
    ):
        assert said in item.reason


@pytest.mark.parametrize(
    ("key", "value"),
    [("run", 3), ("run", {}), ("classes", []), ("metrics", None), ("hash", 5)],
)
def test_any_other_content_is_no_run(runs: Path, key: str, value: object) -> None:
    path = next(runs.rglob("result.json"))
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    found = find_runs([runs])
    assert (len(found.runs), [item.path for item in found.skipped]) == (5, [path.parent])


def test_a_copy_of_a_run_is_not_counted_twice(runs: Path, tmp_path: Path) -> None:
    one = find_runs([runs]).runs[0].path
    shutil.copytree(one, tmp_path / "copied" / one.name)
    found = find_runs([tmp_path])
    assert len(found.runs) == 6
    assert "the same run as" in found.skipped[0].reason


def test_links_are_followed_once(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "linked").symlink_to(runs)
    (runs / "circle").symlink_to(tmp_path / "elsewhere")
    assert len(find_runs([tmp_path / "elsewhere"]).runs) == 6


def test_a_circle_of_links_is_no_folder(runs: Path) -> None:
    (runs / "loop").symlink_to(runs / "loop")
    assert len(find_runs([runs]).runs) == 6
    for path in (runs / "loop", runs / ("a" * 300)):
        with pytest.raises(ConfigError, match=r"exists but is not a directory|does not exist"):
            find_runs([path])


def test_hidden_folders_are_no_runs(runs: Path) -> None:
    one = find_runs([runs]).runs[0].path
    one.rename(one.with_name(f".{one.name}.deleted.1"))
    assert len(find_runs([runs]).runs) == 5


def test_a_path_that_is_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing does not exist"):
        find_runs([tmp_path / "nothing"])
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="file exists but is not a directory"):
        find_runs([tmp_path / "file"])


def test_classes_are_kept_once(runs: Path) -> None:
    found = find_runs([runs]).runs
    assert all(run.classes is found[0].classes for run in found)


def test_choices_of_a_cell_are_kept_once(runs: Path) -> None:
    for cell in find_runs([runs]).cells():
        first, *others = (run.spec for run in cell.runs)
        assert all(spec.dataset is first.dataset for spec in others)
        assert [spec.seed for spec in (first, *others)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("version", "expected"),
    {
        "schema-1-first": [("lift_plus", (0, 1)), ("zero_shot", (0,))],  # no samplings yet
        "schema-1-samplings": [("lift_plus", (0, 1))],  # the last epoch, always
        "schema-1": [("lift_plus", (1,))],
        "schema-2": [("lift_plus", (0, 1))],
        "schema-3": [("lift_plus", (0,))],
    }.items(),
)
def test_results_of_every_schema_so_far_load(
    version: str, expected: list[tuple[str, tuple[int, ...]]]
) -> None:
    found = find_runs([OLD / version])
    assert found.skipped == ()
    assert [(cell.spec.method.name, cell.seeds) for cell in found.cells()] == expected
    for run in found.runs:
        predictions = run.predictions()
        right = predictions.predicted == predictions.labels
        assert run.metrics.accuracy == pytest.approx(100 * np.mean(right))
        assert run.hash == run.spec.hash == RunDirectory(run.path).spec().hash


def test_what_an_old_result_did_not_say_yet_is_filled_in() -> None:
    trained, _, untrained = find_runs([OLD / "schema-1-first"]).runs
    assert (trained.to_dict()["schema"], trained.warnings, trained.refinement) == (SCHEMA, [], None)
    assert trained.classes.trained_on == trained.classes.train_images
    assert (trained.selection.rule, trained.selection.epoch) == ("last", 0)
    assert untrained.selection.epoch is None
    assert (trained.metrics.interval_method, trained.environment.weights) == (None, None)
    spec = trained.spec
    assert (spec.sampling.name, spec.refinement.name, spec.select, spec.split) == (
        *("instance_balanced", "none", "last", "test"),
    )


@pytest.mark.parametrize("version", ["schema-1-first", "schema-2", "schema-3"])
def test_an_old_run_was_executed_by_one_process(version: str) -> None:
    for run in find_runs([OLD / version]).runs:
        environment = run.environment
        assert (environment.ranks, environment.backend) == (1, None)
        assert environment.devices == [environment.device]
    if version == "schema-3":
        stored = read_stored(run.path, Environment)
        assert stored == run.environment


@pytest.mark.parametrize("version", ["schema-1-first", "schema-1", "schema-2"])
def test_an_old_run_has_the_optimizer_and_the_schedule_of_its_time(version: str) -> None:
    for run in find_runs([OLD / version]).runs:
        assert (run.spec.optimizer.name, run.spec.schedule.name) == ("sgd", "cosine_per_epoch")
        assert run.spec.optimizer.options == {"momentum": 0.9, "weight_decay": 5e-4}
    if version == "schema-2":
        assert all(run.path.name == run.spec.hash for run in find_runs([OLD / version]).runs)


def test_an_old_run_is_the_run_that_would_be_asked_for_today() -> None:
    """It has the same predictions, too."""
    then, now = (find_runs([OLD / name]).runs for name in ("schema-1-samplings", "schema-2"))
    assert len(find_runs([OLD / "schema-1-samplings", OLD / "schema-2"]).runs) == 2
    for old in then:
        (new,) = [run for run in now if run.hash == old.hash]
        assert old.path.name != new.path.name == new.hash
        assert np.array_equal(old.predictions().predicted, new.predictions().predicted)


def test_old_and_new_runs_are_compared() -> None:
    one, other, elsewhere = (
        read_seed_predictions(find_runs([OLD / name]).cells()[0], name)
        for name in ("schema-1-first", "schema-2", "schema-1")
    )
    outcome = compare_pair(one, other).outcomes["accuracy"]
    assert outcome is not None
    assert (outcome.first, outcome.evidence.p) == (pytest.approx(outcome.second), 1)
    with pytest.raises(ConfigError, match=r"options of the data set.*'largest': 143"):
        compare_pair(one, elsewhere)


def test_an_old_result_is_what_was_written(tmp_path: Path) -> None:
    shutil.copytree(OLD / "schema-1-first", tmp_path / "old")
    changed, hollow, _ = sorted((tmp_path / "old").rglob("result.json"))
    changed.write_text(changed.read_text().replace('"epochs": 1,', '"epochs": 7,'))
    stored = json.loads(hollow.read_text())
    del stored["training"]
    hollow.write_text(json.dumps(stored))
    found = find_runs([tmp_path])
    assert len(found.runs) == 1
    assert "describes another run than its hash" in found.skipped[0].reason
    assert "is not of schema 1: the key 'training' is missing" in found.skipped[1].reason


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("metrics", "accuracy"), "98.1", "metrics.accuracy: expected a valid number, got '98.1'"),
        (("metrics", "accuracy"), None, "metrics.accuracy: expected a valid number, got None"),
        (("metrics", "accuracy"), 101.0, "metrics.accuracy: expected less than or equal to 100"),
        (("metrics", "few"), [], "metrics.few: expected a valid number, got []"),
        (("metrics", "shot_rule"), 5, "metrics.shot_rule: expected a valid string, got 5"),
        (("metrics", "per_class"), ["a"], "metrics.per_class.0: expected a valid number, got 'a'"),
        (
            ("classes", "names"),
            ["a"],
            "classes: expected lists of one length, got 1 names, 6 train",
        ),
        (
            ("classes", "train_images"),
            [1.5] * 6,
            "classes.train_images.0: expected a valid integer",
        ),
        (("training",), [], "training: expected an object, got []"),
        (("refinement",), {"seconds": "x"}, "refinement.name: the key is missing"),
        (("environment",), [], "environment: expected an object, got []"),
        (("environment", "command"), [1], "environment.command.0: expected a valid string, got 1"),
        (("peak_memory_mb",), None, "peak_memory_mb: expected a valid number, got None"),
    ],
)
def test_impossible_values_are_no_results(
    tmp_path: Path, registry: Registry, path: tuple[str, ...], value: object, reason: str
) -> None:
    directory = store(tmp_path, spec_of(registry))
    stored = json.loads((directory / "result.json").read_text())
    held = stored
    for key in path[:-1]:
        held = held[key]
    held[path[-1]] = value
    (directory / "result.json").write_text(json.dumps(stored))
    found = find_runs([tmp_path])
    assert not found.runs
    assert reason in found.skipped[0].reason


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("NaN", "NaN is no number of JSON"),
        ("-Infinity", "-Infinity is no number of JSON"),
        ("1e999", "metrics.accuracy: expected a finite number"),
    ],
)
def test_accuracies_are_finite(tmp_path: Path, registry: Registry, value: str, said: str) -> None:
    path = store(tmp_path, spec_of(registry)) / "result.json"
    stored = json.loads(path.read_text())
    stored["metrics"]["accuracy"] = -1
    path.write_text(json.dumps(stored).replace("-1", value, 1))
    assert said in find_runs([tmp_path]).skipped[0].reason
