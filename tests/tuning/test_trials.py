"""Searches that are run: budgets, pruning, failures, interruptions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ltbench.config.resolve import Resolver
from ltbench.engine.launch import runtime_config
from ltbench.errors import ConfigError, DataError, Interrupted
from ltbench.progress import ProgressReporter, SilentReporter
from ltbench.registry.registry import Registry
from ltbench.specs import Settings
from ltbench.storage.run_directory import RunDirectory
from ltbench.tuning import trials as module
from ltbench.tuning.build_space import build_spaces
from ltbench.tuning.search_texts import read_searches
from ltbench.tuning.study import Study, open_study
from ltbench.tuning.study_file import TRIALS, MethodRecord, StudyRecord, TrialRecord
from ltbench.tuning.trials import TRIAL_SEED, TrialRunner

BASE: Mapping[str, Any] = {
    "dataset.largest": 10,
    "dataset.ratio": 4,
    "inference": "center",
    "augmentation": "none",
    "precision": "fp32",
    "train.epochs": 2,
}


class Search:
    """A search of small runs, whose features are cached for all of them."""

    def __init__(self, registry: Registry, folder: Path, cache: Path) -> None:
        self.registry, self.folder = registry, folder
        self.runtime = runtime_config(cache, "cpu", 0, 1.0)
        self.reported: list[tuple[str, int, bool]] = []
        self.reporter: ProgressReporter = SilentReporter()
        self.stop_before: int | None = None
        self.base = dict(BASE)

    def record(self, *texts: str, methods: str = "classifier_only", **changed: Any) -> StudyRecord:
        searches, faults = read_searches(texts)
        resolver = Resolver(self.registry, Path("data"))
        spaces = build_spaces(resolver, methods.split(), self.base, searches, faults)
        values: dict[str, Any] = {
            "methods": [MethodRecord.of(space) for space in spaces],
            "settings": {},
            "sampler": "random",
            "seed": 0,
            "metric": "mean_class",
            "select": "val",
            "prune": "median",
            "budget": 3,
        }
        return StudyRecord(**{**values, **changed})

    def run(self, record: StudyRecord, **base: Any) -> Study:
        from dataclasses import replace

        with open_study(self.folder / "study", record) as study:
            TrialRunner(
                self.registry,
                Resolver(self.registry, Path("data")),
                study,
                {**self.base, **base},
                replace(self.runtime, out=self.folder / "runs"),
                self._display,
                self._report,
            ).run()
        return study

    @contextmanager
    def _display(self) -> Iterator[ProgressReporter]:
        yield self.reporter

    def _report(
        self, method: str, number: int, settings: Settings, trial: TrialRecord | None
    ) -> None:
        if trial is None and len(self.reported) == self.stop_before:
            raise Interrupted("interrupted")
        if trial is not None:
            self.reported.append((method, number, trial.state == "done"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tuning")


@pytest.fixture
def search(registry: Registry, tmp_path: Path, cache: Path) -> Search:
    return Search(registry, tmp_path, cache)


def test_each_method_gets_its_budget_on_val(search: Search) -> None:
    del search.base["train.epochs"]  # zero_shot has 0
    texts = "classifier_only:train.epochs=2,3", "zero_shot:init.ensemble=none,simple"
    study = search.run(search.record(*texts, methods="classifier_only zero_shot", budget=4))
    assert search.reported == [
        ("classifier_only", 0, True),
        ("zero_shot", 0, True),
        ("classifier_only", 1, True),
        ("zero_shot", 1, True),
    ]
    assert study.spaces[1].start == study.of("zero_shot")[0].settings == {"init.ensemble": "none"}
    found = sorted((search.folder / "runs").rglob("result.json"))
    results = {one.parent.name: RunDirectory(one.parent).finished() for one in found}
    assert results.keys() == {trial.hash for trial in study.trials}
    for trial in study.trials:
        result = results[str(trial.hash)]
        assert (result.spec.split, result.spec.select) == ("val", "val")
        assert result.spec.seed == TRIAL_SEED
        assert trial.value == result.metrics.mean_class
        assert trial.scores == result.selection.scores
        assert trial.trained == trial.epochs == result.training.epochs
        assert trial.value == max(trial.scores, default=trial.value)
    assert not list((search.folder / "runs").rglob("*test*"))


class StopsInAnEpoch(SilentReporter):
    def epoch(self, row: Mapping[str, float], epochs: int) -> None:
        if row["epoch"] == 1:
            raise Interrupted("interrupted")


@pytest.mark.full
def test_an_interrupted_search_ends_as_an_uninterrupted_one(
    search: Search, registry: Registry, tmp_path: Path, cache: Path
) -> None:
    record = search.record("train.lr=log:1e-4..1", budget=7)
    search.run(record, **{"train.epochs": 4})
    other = Search(registry, tmp_path / "other", cache)
    for stop in (2, 4):
        other.stop_before = stop
        with pytest.raises(Interrupted):
            other.run(record, **{"train.epochs": 4})
    other.stop_before, other.reporter = None, StopsInAnEpoch()
    with pytest.raises(Interrupted):
        other.run(record, **{"train.epochs": 4})
    other.reporter = SilentReporter()
    study = other.run(record, **{"train.epochs": 4})
    assert len(other.reported) == 7  # each trial once

    def lines(folder: Path) -> list[dict[str, Any]]:
        text = (folder / "study" / TRIALS).read_text()
        return [{**json.loads(line), "seconds": 0} for line in text.splitlines()]

    assert lines(other.folder) == lines(search.folder)
    pruned = [trial for trial in study.trials if trial.state == "pruned"]
    assert pruned
    for trial in pruned:
        directory = next((other.folder / "runs").rglob(str(trial.hash)))
        assert len(RunDirectory(directory).history()) == trial.trained < trial.epochs
        assert RunDirectory(directory).failure() is None


def test_failed_trials_are_recorded_and_the_search_goes_on(search: Search) -> None:
    record = search.record("train.lr=0.01,1e38,0.1", sampler="grid")
    study = search.run(record)
    assert [trial.state for trial in study.trials] == ["done", "failed", "done"]
    assert "the training has diverged" in study.trials[1].error
    (search.folder / "study" / TRIALS).unlink()  # the runs remain, also the failed one
    again = search.run(record)
    assert [trial.state for trial in again.trials] == ["done", "failed", "done"]
    assert [trial.value for trial in again.trials] == [trial.value for trial in study.trials]


@pytest.mark.full
def test_settings_that_make_no_run_are_failed_trials(search: Search) -> None:
    record = search.record("loss=logit_adjusted,ce", sampler="grid")
    study = search.run(record, **{"loss.tau": 1.0})
    assert [trial.state for trial in study.trials] == ["done", "failed"]
    assert study.trials[1].hash is None
    assert "loss.tau" in study.trials[1].error


@pytest.mark.full
def test_the_last_epoch_may_be_kept_without_pruning(search: Search) -> None:
    record = search.record("train.lr=0.01,0.1", sampler="grid", select="last", prune=None)
    study = search.run(record)
    assert [(trial.state, trial.scores) for trial in study.trials] == [("done", []), ("done", [])]


def test_a_metric_without_classes_ends_the_search(search: Search) -> None:
    with pytest.raises(ConfigError, match="--metric many: digits_lt has no such classes on val"):
        search.run(search.record(metric="many"))


@pytest.mark.full
def test_trials_of_other_data_are_not_continued(search: Search) -> None:
    record = search.record(budget=1)
    search.run(record)
    with pytest.raises(DataError, match="has changed"):
        search.run(record, **{"dataset.largest": 11})


def test_a_disk_that_is_full_ends_the_search(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ltbench.errors import RunError

    runs = search.folder / "runs"
    runs.write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        search.run(search.record())
    assert search.reported == []


def test_trials_have_val_whatever_the_settings_are() -> None:
    study = Study(Path(), StudyRecord.model_construct(select="val"))
    settings = module.trial_settings({"split": "test", "seed": 5}, "full", {"train.lr": 1}, study)
    assert (settings["split"], settings["seed"], settings["select"]) == ("val", 5, "val")
