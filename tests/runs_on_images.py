"""A stored run on image files whose every prediction is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.registry.registry import Registry
from tests import trees
from tests.runs import spec_of, store

TREE = {"train": {"ant": 4, "bee": 3}, "test": {"ant": 2, "bee": 2}}
LABELS = np.array([0, 0, 1, 1])
IMAGES = ["test/ant/0.jpg", "test/ant/1.jpg", "test/bee/0.jpg", "test/bee/1.jpg"]


def failing_run(
    folder: Path,
    registry: Registry,
    *,
    named: bool = True,
    labels: NDArray[np.int64] = LABELS,
    **settings: Any,
) -> tuple[Path, Path]:
    """Writes a data set and a run that recognises none of its images.

    Args:
        folder: Folder of both.
        registry: Registered components.
        named: Whether the predictions have the names of the images.
        labels: Classes of the test images, by its predictions.
        settings: Further settings of the run; a dot in a key is written as two underscores.

    Returns:
        Folder of the data set, and run directory.
    """
    tree = trees.class_folders(folder / "set", TREE)
    spec = spec_of(registry, dataset="folder", dataset__path=str(tree), **settings)
    run = store(
        folder / "runs",
        spec,
        skill=-20,
        counts=np.array([4, 3]),
        labels=labels,
        images=IMAGES if named else None,
    )
    return tree, run
