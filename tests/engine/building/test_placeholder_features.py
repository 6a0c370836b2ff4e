"""Placeholders have the shapes and labels of the features that they stand for."""

from __future__ import annotations

import pytest
import torch

from ltbench.engine.building.placeholder_features import PlaceholderFeatures


@pytest.mark.parametrize(
    ("per_class", "labels"),
    [(None, [0, 0, 0, 2]), (2, [0, 0, 2]), (1, [0, 2])],
)
def test_each_class_has_as_many_as_images(per_class: int | None, labels: list[int]) -> None:
    placeholders = PlaceholderFeatures((3, 0, 1), 5, "cpu")
    features, found = placeholders(per_class)
    assert found.tolist() == labels
    assert features.shape == (len(labels), 5)
    assert torch.allclose(features.norm(dim=1), torch.ones(len(labels)))
    assert torch.equal(features, placeholders(per_class)[0])
