"""Features of a split's views: the same from the cache and from the encoder."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from ltbench.data import ArrayImages, Dataset, Split
from ltbench.data.loading.batches import Batch, Batches, LoaderConfig
from ltbench.engine.model.split_features import SplitFeatures
from ltbench.views import Views, center_square, one_view

LABELS = np.array([0, 1, 0, 2, 1])


@pytest.fixture
def computed() -> SplitFeatures:
    """Features of images 3, 0 and 4: the mean colour of the one view."""
    pixels = np.random.default_rng(0).integers(0, 255, (5, 8, 8, 3), dtype=np.uint8)
    split = Split(ArrayImages(pixels), LABELS)
    dataset = Dataset(("ant", "bee", "cat"), {"train": split, "test": split})
    batches = Batches(
        dataset,
        "train",
        lambda sizes, epoch, draws: one_view(Views(center_square(sizes))),
        8,
        LoaderConfig(torch.device("cpu"), 0, False),
    )
    return SplitFeatures(batches, 0, np.array([3, 0, 4]), 2, mean_color)


def mean_color(batch: Batch) -> Tensor:
    return batch.views.float().mean(dim=(-2, -1))


def test_the_iteration_has_passes_of_the_given_size(computed: SplitFeatures) -> None:
    passes = [(batch.indices.tolist(), batch.labels.tolist()) for batch in computed]
    assert passes == [([3, 0], [2, 0]), ([4], [1])]


def test_cached_features_equal_computed_ones(computed: SplitFeatures) -> None:
    features, labels = computed.whole()
    assert labels.tolist() == [2, 0, 1]
    cached = replace(computed, cached=features)
    for ours, theirs in zip(computed, cached, strict=True):
        assert torch.equal(ours.features, theirs.features)
        assert torch.equal(ours.labels, theirs.labels)
        assert torch.equal(ours.indices, theirs.indices)
    assert torch.equal(cached.whole()[0], features)
    draws = np.array([4, 3 + 5, 4 + 10])  # a draw is an image and a number of the round
    (ours,), (theirs,) = (one.of([(7, draws)]) for one in (computed, cached))
    assert torch.equal(ours.features, theirs.features)
    assert ours.indices.tolist() == theirs.indices.tolist() == [4, 3, 4]


def test_rows_of_all_images_serve_any_order_of_some(computed: SplitFeatures) -> None:
    every = np.arange(5)
    whole, _ = replace(computed, indices=every).whole()
    held = replace(computed, cached=whole, held=every)
    assert torch.equal(held.whole()[0], computed.whole()[0])
    assert torch.equal(held.whole()[1], computed.whole()[1])
    for ours, theirs in zip(held, computed, strict=True):
        assert torch.equal(ours.features, theirs.features)


@pytest.mark.parametrize("is_cached", [False, True])
def test_the_rest_is_computed_when_features_are_read(
    computed: SplitFeatures, is_cached: bool
) -> None:
    outputs, _ = computed.whole()
    doubled = replace(computed, rest=lambda found: 2 * found, cached=outputs if is_cached else None)
    assert torch.equal(doubled.whole()[0], 2 * outputs)
    assert torch.equal(torch.cat([batch.features for batch in doubled]), 2 * outputs)
