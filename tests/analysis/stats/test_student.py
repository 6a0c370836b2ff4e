from __future__ import annotations

import numpy as np
import pytest
from scipy.special import stdtr

from ltbench.analysis.stats.student import student_cdf


@pytest.mark.parametrize("freedom", [*range(1, 31), 99, 100])
def test_it_is_the_distribution_function_of_t(freedom: int) -> None:
    values = np.concatenate([np.linspace(-9, 9, 1001), [-1e6, 0, 1e6]])
    expected = stdtr(freedom, values)
    assert student_cdf(values, freedom) == pytest.approx(expected, abs=1e-13, rel=0)
