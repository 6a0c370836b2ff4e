from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.weightstats import DescrStatsW

from ltbench.analysis.stats.equivalence import equivalence_test

VALUES = np.array([76.8, 77.2, 76.9, 77.4, 77.0])


@pytest.mark.parametrize(("target", "margin"), [(77.0, 0.5), (76.5, 0.5), (77.9, 1.0)])
def test_equals_statsmodels(target: float, margin: float) -> None:
    found = equivalence_test(VALUES, target, margin)
    expected = DescrStatsW(VALUES).ttost_mean(target - margin, target + margin)[0]
    assert found.p == pytest.approx(expected)
    low, high = DescrStatsW(VALUES - target).tconfint_mean(alpha=0.1)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert (found.p < 0.05) == (-margin < low and high < margin)


def test_values_without_spread() -> None:
    assert equivalence_test(np.full(3, 5.0), 5.2, 0.3).p == 0
    assert equivalence_test(np.full(3, 5.0), 5.5, 0.3).p == 1


@pytest.mark.parametrize(("values", "margin"), [([1.0], 1.0), ([1.0, 2.0], 0.0)])
def test_what_it_needs(values: list[float], margin: float) -> None:
    with pytest.raises(ValueError, match="two values or more and a positive margin"):
        equivalence_test(np.array(values), 0.0, margin)


def test_false_positives_at_the_margin_and_power_within() -> None:
    random = np.random.default_rng(0)
    at_margin, within = random.normal(0.5, 0.1, (2000, 5)), random.normal(0, 0.1, (200, 5))
    found = np.mean([equivalence_test(row, 0.0, 0.5).p < 0.05 for row in at_margin])
    assert 0.035 <= found <= 0.065
    assert np.mean([equivalence_test(row, 0.0, 0.5).p < 0.05 for row in within]) > 0.95
