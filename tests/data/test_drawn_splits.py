"""Splits drawn class by class."""

from __future__ import annotations

import numpy as np
import pytest

from ltbench.data.drawn_splits import draw_splits, drawn_counts

COUNTS = (40, 11, 3, 2, 1)
LABELS = np.repeat(np.arange(len(COUNTS)), COUNTS)


@pytest.mark.parametrize(
    ("test", "val", "tested", "validated"),
    [
        (0.2, None, (8, 2, 1, 1, 0), (0, 0, 0, 0, 0)),
        (5, None, (5, 5, 2, 1, 0), (0, 0, 0, 0, 0)),
        (5, 2, (5, 5, 2, 1, 0), (2, 2, 0, 0, 0)),
        (0.5, 0.25, (20, 6, 2, 1, 0), (10, 3, 0, 0, 0)),
        (None, 1, (0, 0, 0, 0, 0), (1, 1, 1, 1, 0)),
    ],
)
def test_every_class_gives_its_amount_and_keeps_an_image(
    test: float | None, val: float | None, tested: tuple[int, ...], validated: tuple[int, ...]
) -> None:
    members = draw_splits(LABELS, test, val, 0)
    split = {name: np.bincount(LABELS[at], minlength=5) for name, at in members.items()}
    nothing = np.zeros(5)
    assert tuple(split.get("test", nothing)) == tested
    assert tuple(split.get("val", nothing)) == validated
    assert split["train"].min() == 1
    assert sorted(np.concatenate(list(members.values()))) == list(range(len(LABELS)))
    assert all((np.diff(at) > 0).all() for at in members.values())


def test_the_seed_decides() -> None:
    first, again, other = (draw_splits(LABELS, 0.2, None, seed)["test"] for seed in (0, 0, 1))
    assert first.tolist() == again.tolist() != other.tolist()
    # A validation split takes its images from training: the test images stay the same.
    assert draw_splits(LABELS, 0.2, 0.1, 0)["test"].tolist() == first.tolist()


def test_a_share_refers_to_all_images_of_a_class() -> None:
    left, whole = np.array([16, 4]), np.array([20, 5])
    assert drawn_counts(left, 0.2, of=whole).tolist() == [4, 1]
