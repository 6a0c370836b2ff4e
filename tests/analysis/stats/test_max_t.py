"""Max-T test of all pairs of several rows."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest, studentized_range

from ltbench.analysis.stats.max_t import MaxTTest, max_t_test
from ltbench.analysis.stats.strata import Strata

Rights = list[NDArray[np.bool_]]


def one_class(images: int) -> Strata:
    return Strata.from_labels(np.zeros(images, int), {"all": np.array([True])}).select(["accuracy"])


def drawn(random: np.random.Generator, better: list[float], seeds: int, images: int) -> Rights:
    easy = random.normal(size=images) + 1
    return [easy + b + 0.7 * random.normal(size=(seeds, images)) > 0 for b in better]


def test_two_rows_without_seeds_of_their_own_have_the_p_of_the_sign_test() -> None:
    """Deterministic methods: ten images differ, nine of them in favour of the first."""
    rows = np.zeros((2, 60), bool)
    rows[0, :9] = rows[1, 9] = True
    found = max_t_test([np.stack([row] * 3) for row in rows], one_class(60), resamples=50_000)
    assert found.difference[0, 1] == pytest.approx(8 / 60)
    assert found.p[0, 1] == pytest.approx(binomtest(9, 10).pvalue, rel=0.1)
    np.testing.assert_allclose(found.p, found.p.T)
    np.testing.assert_allclose(found.low, -found.high.T, atol=1e-12)


def test_a_row_without_seeds_adds_no_variance_of_seeds() -> None:
    """False positives of pairs with such a row: the other rows' seeds are all that varies."""
    random, found = np.random.default_rng(1), 0
    for _ in range(200):
        easy = random.normal(size=300) + 1
        single = easy + 0.7 * random.normal(size=300) > 0
        rights = [np.stack([single] * 2)]
        rights += [easy + 0.7 * random.normal(size=(3, 300)) > 0 for _ in range(2)]
        found += max_t_test(rights, one_class(300), resamples=199).p[0].min() < 0.05
    assert 1 <= found <= 20


def test_where_seeds_decide_it_is_the_studentised_range() -> None:
    """All rows have the same accuracy except for the effect of seeds: Tukey (1949).

    Of 4,000 images each seed of a row recognises another number, the first ones: nothing else
    varies with the images, and the seeds of all rows vary by the same.
    """
    numbers = np.array([[2000, 2100, 2200], [2050, 2150, 2250], [2350, 2450, 2550]])
    # Images in another order for each seed, so that interaction is all there is of images.
    random = np.random.default_rng(0)
    rights = []
    for row in numbers:
        order = np.stack([random.permutation(4000) for _ in row])
        rights.append(order < row[:, None])
    found = max_t_test(rights, one_class(4000), resamples=20_000)
    shares = numbers / 4000
    pooled = shares.var(axis=1, ddof=1).mean() / 3
    expected = studentized_range.sf(
        abs(shares[0].mean() - shares[2].mean()) / np.sqrt(pooled), 3, 6
    )
    assert found.p[0, 2] == pytest.approx(float(expected), rel=0.3)


def test_p_values_grow_with_the_number_of_rows() -> None:
    """The variance is the row's own with many seeds, and pooled with few."""
    random = np.random.default_rng(3)
    rights = drawn(random, [0.3, 0.22, *[0.28] * 10], 15, 400)
    few = max_t_test(rights[:2], one_class(400))
    many = max_t_test(rights, one_class(400))
    assert few.p[0, 1] < many.p[0, 1]
    assert few.low[0, 1] > many.low[0, 1]
    assert few.difference[0, 1] == many.difference[0, 1]


def agrees(found: MaxTTest, level: float) -> None:
    apart = (found.low > 0) | (found.high < 0)
    np.testing.assert_array_equal(apart, found.p < 1 - level)
    assert found.low.min() >= -1
    assert found.high.max() <= 1


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_intervals_exclude_zero_exactly_where_p_is_small(level: float) -> None:
    random = np.random.default_rng(4)
    for better in np.linspace(0, 1, 8):
        rights = drawn(random, [0, better / 2, better], 3, 150)
        agrees(max_t_test(rights, one_class(150), level=level, resamples=499), level)


def test_rows_may_have_seeds_of_their_own_number() -> None:
    random = np.random.default_rng(5)
    rights = drawn(random, [0, 1.5], 5, 300)
    found = max_t_test([rights[0][:2], rights[1]], one_class(300))
    assert found.p[0, 1] < 0.05


def test_a_row_whose_seeds_vary_far_more_keeps_its_own_variance() -> None:
    """Two seeds 20 points apart: no difference of 10 points can be found with that row."""
    random = np.random.default_rng(6)
    easy = random.random(1000)
    steady = [easy + 0.02 * random.normal(size=(2, 1000)) < 0.7 for _ in range(6)]
    wild = easy + 0.02 * random.normal(size=(2, 1000)) < np.array([[0.7], [0.9]])
    found = max_t_test([wild, *steady], one_class(1000))
    assert found.p[0, 1:].min() > 0.05


def test_rows_that_are_right_on_the_same_images_do_not_differ() -> None:
    right = np.random.default_rng(7).random((2, 50)) < 0.7
    found = max_t_test([right, right.copy()], one_class(50))
    assert found.p.tolist() == [[1, 1], [1, 1]]
    still = np.stack([right[0]] * 2)
    found = max_t_test([still, still], one_class(50))
    assert (found.p[0, 1], found.low[0, 1], found.high[0, 1]) == (1, 0, 0)


def test_one_seed_is_too_few() -> None:
    with pytest.raises(ValueError, match="two seeds"):
        max_t_test([np.ones((1, 9), bool)] * 2, one_class(9))
