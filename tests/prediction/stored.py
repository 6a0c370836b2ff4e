"""A finished run on a folder of images, of which the training images are gone."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import ltbench
from ltbench.api.finished_run import FinishedRun
from tests import trees

COUNTS = {"train": {"ant": 8, "bee": 4, "cat": 2}, "test": {"ant": 9, "bee": 5, "cat": 6}}
SMALL = {
    "dataset": "folder",
    "method": "bitfit",
    "train.epochs": 1,
    "precision": "fp32",
    "inference": "center",
}


@dataclass(frozen=True)
class Predictable:
    """A finished run.

    Args:
        run: The run.
        images: Folder of its test images.
    """

    run: FinishedRun
    images: Path


def predictable_run(folder: Path, **settings: object) -> Predictable:
    """Trains a small model, and deletes the training images."""
    root = trees.class_folders(folder / "set", COUNTS)
    chosen = {**SMALL, "dataset.path": root, **settings}
    run = ltbench.run(out=folder / "runs", device="cpu", workers=0, progress=False, **chosen)
    shutil.rmtree(root / "train")
    return Predictable(run, root / "test")
