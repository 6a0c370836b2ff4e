from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import scikit_posthocs
from scipy.stats import friedmanchisquare

from ltbench.analysis.stats.ranks import (
    average_ranks,
    critical_difference,
    friedman,
    pairwise_signed_rank,
)

RANDOM = np.random.default_rng(0)
SCORES = RANDOM.normal(80, 3, (10, 1)) + RANDOM.normal([0, 1, 1.2, 4], 1, (10, 4))


def test_average_ranks_by_hand() -> None:
    scores = np.array([[90, 80, 70], [60, 60, 50], [70, 75, 80.0]])
    np.testing.assert_allclose(
        average_ranks(scores), [(1 + 1.5 + 3) / 3, (2 + 1.5 + 2) / 3, (3 + 3 + 1) / 3]
    )


def test_friedman_equals_scipy_with_and_without_ties() -> None:
    for scores in (SCORES, np.round(SCORES / 2)):
        found, expected = friedman(scores), friedmanchisquare(*scores.T)
        assert found.statistic == pytest.approx(expected.statistic)
        assert found.p == pytest.approx(expected.pvalue)


def test_the_example_of_demsar() -> None:
    """JMLR 2006, section 3.2.2: average ranks of four classifiers on 14 data sets."""
    ranks = np.array([3.143, 2.000, 2.893, 1.964])
    statistic = 12 * 14 / (4 * 5) * ((ranks**2).sum() - 4 * 25 / 4)
    assert statistic == pytest.approx(9.28, abs=0.01)
    assert 13 * statistic / (14 * 3 - statistic) == pytest.approx(3.69, abs=0.01)
    found = critical_difference(np.tile([4.0, 3, 2, 1], (14, 1)), level=0.95)
    assert found.difference == pytest.approx(1.25, abs=0.005)
    at_90 = critical_difference(np.tile([4.0, 3, 2, 1], (14, 1)), level=0.9)
    assert at_90.difference == pytest.approx(1.12, abs=0.005)


def test_iman_and_davenport() -> None:
    found = friedman(SCORES)
    assert found.f == pytest.approx(9 * found.statistic / (30 - found.statistic))
    agreed = friedman(np.tile([3.0, 2, 1], (4, 1)))
    assert (math.isinf(agreed.f), agreed.f_p) == (True, 0)
    assert friedman(np.ones((4, 3))).p == 1
    with pytest.raises(ValueError, match="three methods"):
        friedman(np.ones((4, 2)))


@pytest.mark.parametrize(("k", "q"), [(2, 1.960), (3, 2.343), (5, 2.728), (10, 3.164)])
def test_critical_values_are_those_of_demsars_table(k: int, q: float) -> None:
    scores = np.random.default_rng(1).random((6, k))
    expected = q * math.sqrt(k * (k + 1) / 36)
    assert critical_difference(scores).difference == pytest.approx(expected, abs=0.001)


def test_nemenyi_equals_scikit_posthocs() -> None:
    expected = scikit_posthocs.posthoc_nemenyi_friedman(SCORES)
    np.testing.assert_allclose(critical_difference(SCORES).p, expected, atol=1e-6)


def test_wilcoxon_equals_scikit_posthocs() -> None:
    k = SCORES.shape[1]
    frame = pd.DataFrame(SCORES, columns=list(map(str, range(k)))).melt()
    expected = scikit_posthocs.posthoc_wilcoxon(
        frame, val_col="value", group_col="variable", method="exact", p_adjust="holm"
    )
    np.testing.assert_allclose(pairwise_signed_rank(SCORES), expected)


def test_groups_are_the_bars_of_the_diagram() -> None:
    def groups(ranks: list[float], difference: float) -> tuple[tuple[int, ...], ...]:
        from ltbench.analysis.stats.ranks import _indistinct_groups

        return _indistinct_groups(np.array(ranks), difference)

    assert groups([1.0, 4.0, 2.0, 3.0], 1.5) == ((0, 2), (2, 3), (3, 1))
    assert groups([1.0, 1.2, 1.4, 4.0], 1.0) == ((0, 1, 2),)  # and none within it
    assert groups([1.0, 2.0, 3.0], 1.0) == ()  # as much as the difference is enough


def test_false_positives_and_power_of_friedman() -> None:
    random = np.random.default_rng(0)
    null = random.normal(size=(1500, 12, 4))
    better = random.normal([0, 0, 0, 1.5], 1, size=(100, 12, 4))
    assert 0.03 <= np.mean([friedman(each).p < 0.05 for each in null]) <= 0.07
    assert np.mean([friedman(each).p < 0.05 for each in better]) > 0.8
