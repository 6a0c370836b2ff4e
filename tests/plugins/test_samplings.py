"""How often each class is drawn, computed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ltbench.data.randomness import draw_epoch
from tests import parity
from tests.covered import value_of
from tests.specs import specs_of

SPECS = specs_of("sampling")
COUNTS = [100, 4, 1, 0]


def weights(name: str, **options: Any) -> Any:
    spec = SPECS[name]
    ctx = parity.context(COUNTS, parity.narrow_vit(1))
    return spec.build(spec.config(**options), ctx).weights()


@value_of("sampling", "instance_balanced")
def test_instance_balanced_sees_every_image_once() -> None:
    assert weights("instance_balanced") is None


@value_of("sampling", "class_balanced", "square_root", "effective_number")
@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("class_balanced", {}, [1, 1, 1, 1]),
        ("square_root", {}, [10, 2, 1, 0]),
        # effective numbers of 100, 4 and 1 images: 1 + 1/2 + 1/4 + ... = 2, 15/8 and 1
        ("effective_number", {"beta": 0.5}, [50, 32 / 15, 1, 0]),
        ("effective_number", {"beta": 0.0}, COUNTS),
    ],
)
def test_weights_by_hand(name: str, options: dict[str, Any], expected: list[float]) -> None:
    assert weights(name, **options) == pytest.approx(expected)


def test_effective_numbers_are_between_images_and_classes() -> None:
    near_one = weights("effective_number", beta=1 - 1e-9)
    assert near_one[:3] == pytest.approx([1, 1, 1], rel=1e-5)
    half_way = weights("effective_number")[:3]
    assert (np.diff(half_way / half_way.sum()) < 0).all()


@pytest.mark.parametrize("name", sorted(SPECS.keys() - {"instance_balanced"}))
def test_a_class_without_images_takes_nothing_from_the_others(name: str) -> None:
    labels = np.repeat([0, 1, 2], COUNTS[:3])
    draws = [draw_epoch(seed, 0, labels, weights(name)) % len(labels) for seed in range(200)]
    shares = np.bincount(labels[np.concatenate(draws)], minlength=4) / (200 * len(labels))
    expected = weights(name)[:3]
    assert shares[:3] == pytest.approx(expected / expected.sum(), abs=0.015)
    assert shares[3] == 0
