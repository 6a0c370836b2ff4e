from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltbench.board.known_data import KnownData
from ltbench.config.resolve import resolve
from ltbench.errors import DataError
from ltbench.registry.registry import Registry
from ltbench.storage.result_schema import RunResult
from tests.board.packs import absent_spec, real_runs
from tests.runs import altered, spec_of, store


def run_of(path: Path) -> RunResult:
    from ltbench.storage.run_directory import RunDirectory

    return RunDirectory(path).finished()


def test_real_runs_have_the_labels_of_the_data_set(registry: Registry) -> None:
    known = KnownData(registry, Path("data"))
    for run in real_runs("lora", [0, 1]):
        assert known.check(run) == "identity and labels"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda run: {"names": [*run.classes.names[:-1], "ten"]}, "other classes"),
        (lambda run: {"train_images": [9] * 10}, "other numbers of training images"),
    ],
)
def test_other_classes_are_refused(
    registry: Registry, change: Callable[[RunResult], dict[str, Any]], told: str
) -> None:
    (run,) = real_runs("lora", [0])
    with pytest.raises(DataError, match=told):
        KnownData(registry, Path("data")).check(altered(run, {"classes": change(run)}).at(run.path))


def test_another_identity_is_refused(registry: Registry) -> None:
    (run,) = real_runs("lora", [0])
    spec = replace(run.spec, dataset=replace(run.spec.dataset, identity="sha256:0"))
    with pytest.raises(DataError, match=r"expected identity sha256:65e5.*, got sha256:0"):
        KnownData(registry, Path("data")).check(run.model_copy(update={"spec": spec}))


def test_invented_labels_are_refused(registry: Registry, tmp_path: Path) -> None:
    """A run that was never run, of the right classes and with as many images."""
    (real,) = real_runs("lora", [0])
    labels = np.sort(real.predictions().labels)
    counts = np.array(real.classes.train_images)
    classes = {"classes": {"names": real.classes.names}}
    path = store(tmp_path, spec_of(registry), counts=counts, labels=labels, changed=classes)
    with pytest.raises(DataError, match="other labels of the images"):
        KnownData(registry, Path("data")).check(run_of(path))
    path = store(
        tmp_path, spec_of(registry, seed=1), counts=counts, labels=labels[:-5], changed=classes
    )
    with pytest.raises(DataError, match="expected predictions of 355 images, got 350"):
        KnownData(registry, Path("data")).check(run_of(path))


def test_missing_data_are_not_checked(registry: Registry, tmp_path: Path) -> None:
    path = store(tmp_path, absent_spec(registry, {}))
    assert KnownData(registry, tmp_path / "none").check(run_of(path)) == "not checked"


@pytest.mark.parametrize(
    "settings",
    [
        {"dataset": "folder", "dataset.path": "{}"},
        {"dataset": "csv", "dataset.path": "{}/list.csv"},
        {"dataset": "huggingface", "dataset.name": "someone/anything"},
    ],
)
def test_nothing_that_a_pack_names_is_opened(
    registry: Registry, tmp_path: Path, settings: dict[str, str]
) -> None:
    named = {key: value.format(tmp_path / "trap") for key, value in settings.items()}
    (tmp_path / "trap" / "train" / "a").mkdir(parents=True)
    (tmp_path / "trap" / "list.csv").write_text("path,label\n")
    (tmp_path / "trap").chmod(0)
    spec = resolve(registry, named, Path(), identify=False).spec
    path = store(tmp_path / "runs", spec)
    assert KnownData(registry, Path("data")).check(run_of(path)) == "not checked"
    (tmp_path / "trap").chmod(0o755)
