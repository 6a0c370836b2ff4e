"""Images that become unreadable while several processes train on them, or evaluate them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ltbench.data import Dataset, Split
from ltbench.data.loading.batches import Batches, LoaderConfig
from ltbench.engine.model.split_features import SplitFeatures
from ltbench.engine.training.train_loader import ImageLoader
from ltbench.errors import CorruptImageError
from ltbench.ranks.group import SINGLE, Group
from ltbench_plugins.augmentations.mixup import Mixup
from ltbench_plugins.augmentations.none import Plain
from tests.ranks.test_process_group import in_processes
from tests.strangers import guarded

LOST = (0, 1, 2, 3, 4, 5, 13, 21)
COUNT = 23


class Breaking:
    """Images of one grey each, some of which cannot be decoded."""

    def __len__(self) -> int:
        return COUNT

    def name(self, index: int) -> str:
        return f"{index}.png"

    def read(self, index: int) -> Any:
        if index in LOST:
            raise CorruptImageError(f"{index}.png cannot be decoded")
        return np.full((8, 8, 3), index, np.uint8)


def dataset() -> Dataset:
    split = Split(Breaking(), np.arange(COUNT) % 3)
    return Dataset(("a", "b", "c"), {"train": split, "test": split})


def config(group: Group) -> LoaderConfig:
    return LoaderConfig(torch.device("cpu"), workers=0, skip_corrupt=True, group=group)


def trained(group: Group) -> Any:
    """What each batch shows, part by part: own greys, and the labels of all."""
    found = []
    for augmentation in (Plain(), Mixup(1.0)):
        loader = ImageLoader(dataset(), guarded(augmentation), 8, config(group), 0, 1, None)
        for parts in loader.epoch(0, 6, 2):
            shown = []
            for part in parts:
                own = part.inputs[:, 0, 0, 0].float()
                every = group.gather(own, len(part))
                shown.append((every.tolist(), part.targets.labels.tolist()))
            found.append(shown)
        found.append(sorted(loader.skipped))
    return found


def evaluated(group: Group) -> Any:
    """Features in passes of two images: the first three passes have none."""
    batches = Batches(
        dataset(),
        "test",
        lambda sizes, epoch, draws: guarded(Plain()).views(sizes, np.empty((len(sizes), 0)), 0.0),
        8,
        config(group),
    )
    features = SplitFeatures(
        batches, 0, np.arange(COUNT), 2, lambda batch: batch.views.float().mean(dim=(3, 4))
    )
    shown = [(one.features[:, 0, 0].tolist(), one.indices.tolist()) for one in features]
    return shown, sorted(batches.skipped)


@pytest.mark.full
@pytest.mark.parametrize("work", [trained, evaluated])
@pytest.mark.parametrize("size", [2, 3])
def test_lost_images_are_left_out_as_by_one_process(tmp_path: Path, work: Any, size: int) -> None:
    assert in_processes(work, size, tmp_path) == [work(SINGLE)] * size


def test_one_process_leaves_lost_images_out() -> None:
    shown, skipped = evaluated(SINGLE)
    assert skipped == list(LOST)
    assert [index for _, indices in shown for index in indices] == [
        index for index in range(COUNT) if index not in LOST
    ]
    *batches, skipped = trained(SINGLE)
    assert skipped == list(LOST)
    assert sum(len(labels) for shown in batches[:4] for _, labels in shown) == COUNT - len(LOST)
