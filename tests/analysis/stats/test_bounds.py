"""Limits of the intervals of differences, and their agreement with p values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from ltbench.analysis.stats.bounds import (
    Bounds,
    bounds_without_spread,
    clopper_pearson,
    has_no_spread,
)
from ltbench.analysis.stats.strata import Strata


def one_class(images: int) -> Strata:
    return Strata.from_labels(np.zeros(images, int), {"all": np.array([True])})


@pytest.mark.parametrize("p", [0.001, 0.0499, 0.05, 0.064, 1.0])
@pytest.mark.parametrize("difference", [-0.5, -1e-9, 0.2])
@pytest.mark.parametrize("low", [-2.0, -7e-16, 0.0, 7e-16])
def test_the_p_value_decides_on_which_side_of_zero_a_bound_lies(
    difference: float, p: float, low: float
) -> None:
    bounds = Bounds(low, 1.5) if difference > 0 else Bounds(-1.5, -low)
    found = bounds.align_with_p(difference, p, 0.95)
    assert (found.low > 0 or found.high < 0) == (p < 1 - 0.95)
    assert (100 * found.low > 0 or 100 * found.high < 0) == (p < 1 - 0.95)
    assert -1 <= found.low <= found.high <= 1


@pytest.mark.parametrize("images", range(1, 12))
def test_images_that_all_differ_alike_agree_with_the_sign_test(images: int) -> None:
    found = bounds_without_spread(1.0, np.ones(1), np.array([images]), 0.95)
    assert found.low == pytest.approx(2 * 0.025 ** (1 / images) - 1)
    assert found.high == 1
    assert (found.low > 0) == (binomtest(images, images).pvalue < 0.05)
    swapped = bounds_without_spread(-1.0, np.ones(1), np.array([images]), 0.95)
    assert (swapped.low, swapped.high) == pytest.approx((-found.high, -found.low))


def test_clopper_pearson_equals_scipy() -> None:
    for right, images in ((0, 9), (4, 9), (9, 9)):
        exact = binomtest(right, images).proportion_ci(0.9, method="exact")
        found = clopper_pearson(right / images, images, 0.9)
        assert found == pytest.approx((exact.low, exact.high))


def test_what_has_no_spread() -> None:
    groups = {"many": np.array([True, False]), "few": np.array([False, True])}
    strata = Strata.from_labels(np.repeat([0, 1], 4), groups)
    values = np.array([1, 1, 1, 1, 0, 0, 1, 0.0])
    assert has_no_spread(values, strata).tolist() == [False, False, True, False]
    assert has_no_spread(np.repeat([1.0, 0.0], 4), strata).all()


def test_the_mean_of_all_right_is_one_to_the_last_bit() -> None:
    for images in range(1, 60):
        assert one_class(images).means(np.ones(images)).tolist() == [1.0] * 3
