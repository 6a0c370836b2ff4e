from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ltbench.engine.stored_split import EvaluatedSplits
from ltbench.errors import ConfigError, DataError
from ltbench.registry.registry import Registry
from ltbench.storage.run_directory import RunDirectory
from tests.runs_on_images import IMAGES, LABELS, failing_run


def test_the_split_of_a_run_is_opened_once(tmp_path: Path, registry: Registry) -> None:
    _, path = failing_run(tmp_path, registry)
    opened = EvaluatedSplits()
    split = opened(RunDirectory(path).finished())
    assert split.labels.tolist() == LABELS.tolist()
    assert [split.images.name(index) for index in range(4)] == IMAGES
    _, other = failing_run(tmp_path, registry, seed=1)
    assert opened(RunDirectory(other).finished()) is split


def test_moved_data_are_found_and_others_refused(tmp_path: Path, registry: Registry) -> None:
    tree, path = failing_run(tmp_path, registry)
    run = RunDirectory(path).finished()
    moved = tree.rename(tmp_path / "moved")
    with pytest.raises(DataError, match="does not exist"):
        EvaluatedSplits()(run)
    assert len(EvaluatedSplits(settings={"dataset.path": str(moved)})(run)) == 4
    (moved / IMAGES[0]).write_bytes((moved / IMAGES[2]).read_bytes())
    with pytest.raises(DataError, match="not the one that the run used"):
        EvaluatedSplits(settings={"dataset.path": str(moved)})(run)


@pytest.mark.parametrize("key", ["train.lr", "dataset.profile", "dataset.pth"])
def test_only_places_can_be_set(tmp_path: Path, registry: Registry, key: str) -> None:
    _, path = failing_run(tmp_path, registry)
    run = RunDirectory(path).finished()
    with pytest.raises(ConfigError, match=r"only the place of the data can be set \(dataset.path"):
        EvaluatedSplits(settings={key: "x"}).expect_settings(run)


def test_the_held_out_images_of_a_run_on_val(tmp_path: Path, registry: Registry) -> None:
    _, path = failing_run(tmp_path, registry, split="val")
    split = EvaluatedSplits()(RunDirectory(path).finished())
    assert split.labels.tolist() == [0, 1]  # one of each class at least
    assert split.images.name(0).startswith("train/ant/")


def test_the_images_of_a_quick_look(tmp_path: Path, registry: Registry) -> None:
    _, path = failing_run(tmp_path, registry, limit=1, labels=np.array([0, 1]), named=False)
    split = EvaluatedSplits()(RunDirectory(path).finished())
    assert split.labels.tolist() == [0, 1]


def test_no_torch_is_loaded() -> None:
    code = "import sys, ltbench.engine.stored_split; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
