"""Figures of features of training and test images."""

from __future__ import annotations

import re

import numpy as np
import pytest

from ltbench.report.figures import (
    DistanceCounts,
    SimilarityMap,
    draw_class_similarity,
    draw_intra_class_distances,
    draw_train_test_accuracy,
    draw_train_test_excess,
    to_svg,
)
from ltbench.report.figures.class_similarity import MAX_MAPS, shade_opacities
from ltbench.report.figures.intra_class_distances import MAX_ROWS
from tests.report.figures.test_points import dots, texts

NAN = np.nan


def a_map(classes: int = 4, *, bins: int | None = None) -> SimilarityMap:
    bins = bins or classes
    at = np.arange(float(bins))
    cosines = np.exp(-np.abs(at[:, None] - at) / bins)
    np.fill_diagonal(cosines, NAN)
    groups = {"many": (0, classes // 4), "few": (classes // 4, classes)}
    return SimilarityMap(np.linspace(0, classes, bins + 1), cosines, groups, {("few", "few"): 0.5})


def test_a_map_has_shades_borders_and_means_of_shot_groups() -> None:
    figure = draw_class_similarity({"full": a_map()})
    assert {"full", "many", "few"} <= set(texts(figure))
    tips = list(figure.tips.values())
    assert "full, few and few: mean cosine 0.500" in tips
    assert "full, many and few: mean cosine \N{EN DASH}" in tips
    shades = [patch.get_alpha() for patch in figure.axes[0].patches if patch.get_alpha()]
    assert all(0 < float(str(shade)) <= 1 for shade in shades)


def test_shades_add_up_to_equal_steps() -> None:
    seen = 1 - np.cumprod(1 - shade_opacities())
    assert np.diff(seen) == pytest.approx(np.full(len(seen) - 1, seen[0]))


def test_a_map_of_many_bins_is_reduced_to_what_is_visible() -> None:
    wide = {f"m{number}": a_map(8000, bins=100) for number in range(MAX_MAPS + 2)}
    svg = to_svg(draw_class_similarity(wide), "one")
    assert len(svg) < 300_000
    assert "m3" in svg
    assert "m4" not in svg


def test_a_map_of_one_class_has_no_pairs() -> None:
    one = SimilarityMap(np.array([0.0, 1.0]), np.array([[NAN]]), {"few": (0, 1)}, {})
    assert "cosine 0.00 or less" in texts(draw_class_similarity({"full": one}))


def test_histograms_are_densities_with_means() -> None:
    train = {"many": np.array([10, 0, 0, 0]), "few": np.array([0, 2, 0, 0])}
    test = {"many": np.array([20, 0, 0, 0]), "few": np.array([0, 0, 4, 0])}
    one = DistanceCounts(np.linspace(0, 2, 5), train, test)
    figure = draw_intra_class_distances({"full": one}, axis="1 - cosine")
    assert list(figure.tips.values()) == [
        "full, many-shot: 10 training images, mean 0.250; 20 test images, mean 0.250",
        "full, few-shot: 2 training images, mean 0.750; 4 test images, mean 1.250",
    ]
    assert "medium" not in texts(figure)  # no images


def test_histograms_beyond_the_last_row_are_left_out() -> None:
    counts = {"few": np.array([1, 2])}
    one = DistanceCounts(np.array([0, 1.0, 2.0]), counts, counts)
    figure = draw_intra_class_distances(
        {f"m{number}": one for number in range(MAX_ROWS + 1)}, axis="a"
    )
    assert f"m{MAX_ROWS - 1}" in texts(figure)
    assert f"m{MAX_ROWS}" not in texts(figure)
    nothing = DistanceCounts(np.array([0, 1.0]), {"few": np.zeros(1)}, {"few": np.zeros(1)})
    assert "a" in texts(draw_intra_class_distances({"full": nothing}, axis="a"))


def test_an_excess_has_an_interval_and_a_line_at_zero() -> None:
    means = np.array([[0.05, NAN], [-0.01, 0.2]])
    figure = draw_train_test_excess(
        ["a", "b"], ["many-shot", "few-shot"], means, means - 0.02, means + 0.03, axis="energy"
    )
    assert list(figure.tips.values()) == [
        "a, many-shot: 0.0500 above the floor (interval 0.0300 to 0.0800)",
        "b, many-shot: -0.0100 above the floor (interval -0.0300 to 0.0200)",
        "a, few-shot: unknown",
        "b, few-shot: 0.2000 above the floor (interval 0.1800 to 0.2300)",
    ]
    assert {"energy", "0.050", "\N{MINUS SIGN}0.010", "\N{EN DASH}"} <= set(texts(figure))
    zero = re.compile(r"(?<![\d.])0\.0(?!\d)")
    assert any(zero.fullmatch(text) for text in texts(figure))


def test_a_gap_has_two_marks_and_a_number() -> None:
    train, test = np.array([[99.0, NAN]]), np.array([[90.5, 40.0]])
    figure = draw_train_test_accuracy(["a"], ["many-shot", "few-shot"], train, test)
    assert {"8.5", "\N{EN DASH}", "training images", "test images"} <= set(texts(figure))
    assert list(figure.tips.values()) == [
        "a, many-shot: 99.0 % on training images, 90.5 % on test images, gap +8.5",
        "a, few-shot: 40.0 % on test images",
    ]
    marks = dots(figure)
    assert len(marks) == 6  # two in each panel, two in the legend
