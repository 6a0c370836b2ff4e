"""The training images of an epoch: which are drawn, and what they show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ltbench.data import ArrayImages, Dataset, Split
from ltbench.data.loading.batches import LoaderConfig
from ltbench.engine.training.train_loader import ImageLoader, Part, in_parts, own_inputs
from ltbench.errors import PluginError
from ltbench.protocols import Augmentation, Targets
from ltbench.ranks.group import SINGLE
from ltbench.views import Views
from ltbench_plugins.augmentations.cutmix import Cutmix
from ltbench_plugins.augmentations.mixup import Mixup
from ltbench_plugins.augmentations.none import Plain
from ltbench_plugins.augmentations.standard import Standard
from tests.strangers import guarded

LABELS = np.repeat([0, 1], [90, 10])


def loader(
    augmentation: Augmentation,
    weights: list[float] | None = None,
    epochs: int = 3,
    seed: int = 0,
    greys: Any = range(100),
    chosen: list[int] | None = None,
) -> ImageLoader:
    """Of 100 images of 8 x 8, each of one grey."""
    pixels = np.tile(np.array(greys, np.uint8)[:, None, None, None], (1, 8, 8, 3))
    split = Split(ArrayImages(pixels), LABELS)
    dataset = Dataset(("many", "few"), {"train": split, "test": split})
    loader_config = LoaderConfig(torch.device("cpu"), workers=0, skip_corrupt=False)
    drawn = None if weights is None else np.array(weights)
    some = None if chosen is None else np.array(chosen)
    return ImageLoader(dataset, guarded(augmentation), 8, loader_config, seed, epochs, drawn, some)


def whole(epoch: Iterator[Sequence[Part]]) -> Iterator[tuple[Tensor, Targets]]:
    """Images and targets of batches in one part."""
    for (part,) in epoch:
        yield part.inputs, part.targets


def shown(made: ImageLoader, epoch: int = 0) -> tuple[list[int], Tensor]:
    """Which images an epoch shows, known by their grey, and their labels."""
    batches = list(whole(made.epoch(epoch, batch_size=32)))
    assert [len(images) for images, _ in batches] == [32, 32, 32, 4]
    pixels = torch.cat([images[:, 0, 0, 0] for images, _ in batches])
    return pixels.tolist(), torch.cat([targets.labels for _, targets in batches])


def test_every_image_is_seen_once() -> None:
    images, labels = shown(loader(Plain()))
    assert sorted(images) == list(range(100))
    assert labels.tolist() == LABELS[images].tolist()
    assert len(loader(Plain())) == 100


def test_classes_are_seen_as_often_as_their_weights_say() -> None:
    made = loader(Plain(), [1, 3])
    epochs = [shown(made, epoch) for epoch in range(50)]
    for images, labels in epochs:
        assert labels.tolist() == LABELS[images].tolist()
    seen = torch.cat([labels for _, labels in epochs]).bincount()
    assert seen[1] / seen.sum() == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize("weights", [None, [1.0, 1.0]])
def test_only_chosen_images_are_seen(weights: list[float] | None) -> None:
    made = loader(Recording(), weights, chosen=[5, 3, 95, 91, 92])
    assert len(made) == 5
    batches = [batch for epoch in range(8) for batch in whole(made.epoch(epoch, batch_size=3))]
    assert [len(images) for images, _ in batches] == [3, 2] * 8
    images = torch.cat([images[:, 0, 0, 0] for images, _ in batches]).long()
    assert set(images.tolist()) == {3, 5, 91, 92, 95}
    labels = torch.cat([targets.labels for _, targets in batches])
    assert labels.tolist() == LABELS[images.tolist()].tolist()
    if weights is None:
        assert images.bincount()[[3, 5, 91, 92, 95]].tolist() == [8] * 5
    numbers = np.concatenate([uniforms for uniforms, _ in made.augmentation._augmentation.asked])
    assert len(np.unique(numbers, axis=0)) == len(images)  # also where one is drawn again


def test_an_epoch_depends_on_its_number_and_the_seed() -> None:
    assert shown(loader(Plain(), [1, 1]), 1)[0] == shown(loader(Plain(), [1, 1]), 1)[0]
    assert shown(loader(Plain(), [1, 1]), 1)[0] != shown(loader(Plain(), [1, 1]), 2)[0]
    assert shown(loader(Plain(), [1, 1]), 1)[0] != shown(loader(Plain(), [1, 1], seed=1), 1)[0]


@dataclass
class Recording:
    """Sees the whole image, and remembers what it was asked with."""

    draws = 2

    def __post_init__(self) -> None:
        self.asked: list[tuple[np.ndarray, float]] = []

    def views(self, sizes: np.ndarray, uniforms: np.ndarray, progress: float) -> Views:
        self.asked.append((uniforms, progress))
        return Plain().views(sizes, uniforms, progress)


def test_an_image_that_is_drawn_again_is_seen_otherwise() -> None:
    recording = Recording()
    images, _ = shown(loader(recording, [0, 1]))
    assert len(set(images)) <= 10
    uniforms = np.concatenate([asked for asked, _ in recording.asked])
    assert len(np.unique(uniforms, axis=0)) == 100


@pytest.mark.parametrize(("epochs", "expected"), [(1, [0]), (3, [0, 0.5, 1])])
def test_augmentations_are_told_how_far_the_training_is(epochs: int, expected: list[float]) -> None:
    recording = Recording()
    made = loader(recording, epochs=epochs)
    for epoch in range(epochs):
        shown(made, epoch)
    assert sorted({progress for _, progress in recording.asked}) == expected


def test_a_plain_image_shows_one_class() -> None:
    for augmentation in (Plain(), Standard()):
        for images, targets in whole(loader(augmentation).epoch(0, 32)):
            assert images.dtype == torch.uint8
            assert (targets.partners, targets.share) == (None, 1.0)


@pytest.mark.parametrize("augmentation", [Mixup(1.0), Cutmix(1.0)])
def test_a_mixed_image_shows_two(augmentation: Any) -> None:
    shares = set()
    for images, targets in whole(loader(augmentation, [1, 1], greys=200 * LABELS).epoch(0, 32)):
        assert torch.equal(targets.partners, targets.labels.flip(0))
        expected = 200 * (targets.share * targets.labels + (1 - targets.share) * targets.partners)
        assert torch.allclose(images.float().mean(dim=(1, 2, 3)), expected, atol=1e-3)
        shares.add(targets.share)
    assert len(shares) == 4  # one for each batch


def test_a_part_of_a_batch_keeps_its_partners() -> None:
    images, labels = torch.arange(5), torch.arange(5)
    own = own_inputs(images, 2, SINGLE)
    parts = in_parts(own, Targets(labels, labels.flip(0), 0.3), 2, SINGLE)
    assert [part.inputs.tolist() for part in parts] == [[0, 1, 2], [3, 4]]
    assert [part.targets.labels.tolist() for part in parts] == [[0, 1, 2], [3, 4]]
    assert [part.targets.partners.tolist() for part in parts] == [[4, 3, 2], [1, 0]]
    assert {part.targets.share for part in parts} == {0.3}


class Halving(Standard):
    """Changes what it must not."""

    def change(self, images: Tensor, labels: Tensor, uniforms: Any) -> tuple[Tensor, Targets]:
        return images[..., :4], Targets(labels)


def test_an_augmentation_must_keep_the_shape() -> None:
    with pytest.raises(PluginError, match=r"made no images of shape \(32, 3, 8, 8\)"):
        next(iter(loader(Halving()).epoch(0, 32)))
