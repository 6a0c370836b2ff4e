"""Test views that are drawn: functions of the image's index, whatever else is in the batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ltbench.data import ArrayImages, Dataset, FileImages, ImageSource, Split
from ltbench.data.loading.batches import LoaderConfig
from ltbench.data.randomness import view_uniforms
from ltbench.engine.building.checked_components import CheckedInference
from ltbench.engine.building.inference_batches import InferenceBatches
from ltbench.views import Views
from tests.strangers import component

SIDE, IMAGES = 8, 6
PIXELS = np.random.default_rng(0).integers(0, 256, (IMAGES, SIDE, SIDE, 3), dtype=np.uint8)


class Drawn:
    """Two views: a pixel at a random place, and one of a random brightness."""

    draws = 3

    def views(self, sizes: NDArray[np.int64], uniforms: NDArray[np.float64]) -> Views:
        corner = np.floor(uniforms[:, :2] * sizes)
        boxes = np.concatenate([corner, np.ones_like(corner)], axis=1)
        return Views(np.stack([boxes, boxes], axis=1), crop_first=True)

    def change(self, views: Tensor, uniforms: NDArray[np.float64]) -> Tensor:
        changed = views.clone()
        changed[:, 1] = torch.from_numpy(np.floor(256 * uniforms[:, 2]))[:, None, None, None]
        return changed

    def reduce(self, logits: Tensor) -> Tensor:
        return logits.mean(dim=1)


def views_of(
    images: ImageSource, *parts: list[int], workers: int = 0, indexed: bool = True
) -> Tensor:
    """Returns the pixels of the views of some images, (N, 2, 3)."""
    split = Split(images, np.arange(len(images)) % 2)
    dataset = Dataset(("ant", "bee"), {"train": split, "test": split})
    config = LoaderConfig(torch.device("cpu"), workers, skip_corrupt=False)
    inference = CheckedInference(Drawn(), component("inference"))
    loader = InferenceBatches(dataset, "test", inference, 1, config, indexed=indexed)
    found = loader.of((0, np.array(part)) for part in parts)
    return torch.cat([batch.views[..., 0, 0] for batch in found])


def test_views_follow_from_the_index_alone() -> None:
    seen = views_of(ArrayImages(PIXELS), [0, 1, 2, 3, 4, 5])
    numbers = view_uniforms(np.arange(IMAGES), 3)
    for image, (row, column, brightness) in enumerate(numbers):
        pixel = PIXELS[image, int(row * SIDE), int(column * SIDE)]
        assert seen[image].tolist() == [pixel.tolist(), [int(256 * brightness)] * 3]
    assert len(np.unique(numbers)) == 3 * IMAGES
    again = views_of(ArrayImages(PIXELS), [5, 2], [0])
    assert torch.equal(again, seen[[5, 2, 0]])


def test_images_of_no_split_have_the_same_numbers() -> None:
    alike = ArrayImages(np.repeat(PIXELS[:1], 3, axis=0))
    seen = views_of(alike, [0, 1], [2], indexed=False)
    assert torch.equal(seen, views_of(alike, [0]).expand(3, -1, -1))


@pytest.mark.parametrize("workers", [0, 1])
def test_files_and_workers_change_nothing(workers: int, tmp_path: Path) -> None:
    for index, pixels in enumerate(PIXELS):
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    files = FileImages(tmp_path, pa.array([f"{index}.png" for index in range(IMAGES)]))
    seen = views_of(files, [0, 1, 2], [3, 4, 5], workers=workers)
    assert torch.equal(seen, views_of(ArrayImages(PIXELS), [0, 1, 2, 3, 4, 5]))
