from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ltbench.errors import DataError
from ltbench.registry.registry import Registry
from ltbench.storage.predictions import Predictions
from ltbench.storage.result_schema import RunResult
from ltbench.storage.run_directory import RunDirectory
from ltbench.storage.train_predictions import read_train_predictions
from tests.runs import COUNTS, spec_of, store


@pytest.fixture
def run(tmp_path: Path, registry: Registry) -> RunResult:
    return RunDirectory(store(tmp_path, spec_of(registry))).finished()


def write(run: RunResult, counts: np.ndarray = COUNTS, **about: str) -> Path:
    """Stores predictions of the training images, all of which are correct."""
    labels = np.repeat(np.arange(len(counts)), counts)
    predictions = Predictions(
        np.arange(len(labels)),
        labels,
        labels[:, None],
        np.ones((len(labels), 1), np.float32),
        np.full(len(labels), 1.5, np.float32),
    )
    own = run.spec.inference
    path = RunDirectory(run.path).predictions(own, own, train=True)
    known = {"hash": run.hash, "inference": own.name, "split": "train"}
    predictions.write(path, known | about)
    return path


def test_they_are_beside_those_of_the_test_images(run: RunResult) -> None:
    assert read_train_predictions(run) is None
    path = write(run)
    assert path.name == "train-predictions-tte.parquet"
    read = read_train_predictions(run)
    assert read is not None
    assert len(read.labels) == COUNTS.sum()
    assert len(run.predictions().labels) == 120  # which they do not replace


@pytest.mark.parametrize("about", [{"hash": "0" * 12}, {"inference": "flip"}, {"split": "test"}])
def test_those_of_other_runs_are_refused(run: RunResult, about: dict[str, str]) -> None:
    write(run, **about)
    with pytest.raises(DataError, match="are of another run") as error:
        read_train_predictions(run)
    assert error.value.hint.endswith("--inference tte --split train")


@pytest.mark.parametrize("counts", [COUNTS - 1, COUNTS[::-1], np.append(COUNTS, 1)])
def test_those_of_other_images_are_refused(run: RunResult, counts: np.ndarray) -> None:
    write(run, counts)
    with pytest.raises(DataError, match="not of the images that the run was trained on"):
        read_train_predictions(run)


def test_the_highest_class_decides_no_size_of_memory(run: RunResult) -> None:
    about = {"hash": run.hash, "inference": "tte", "split": "train"}
    label = np.array([2**60])
    one = np.ones((1, 1), np.float32)
    path = run.path / "train-predictions-tte.parquet"
    Predictions(label, label, label[:, None], one, one[0]).write(path, about)
    with pytest.raises(DataError, match="not of the images that the run was trained on"):
        read_train_predictions(run)


def test_a_damaged_file_is_an_error(run: RunResult) -> None:
    path = write(run)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DataError, match="cannot be read"):
        read_train_predictions(run)
