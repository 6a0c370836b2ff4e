from __future__ import annotations

import numpy as np
import pytest

from ltbench.analysis.stats.bayes import bayesian_signed_rank


def test_one_difference_by_hand() -> None:
    """A weight w of the difference gives w^2 (and both by 2 w (1 - w)) over (1 - w)^2."""
    found = bayesian_signed_rank(np.array([10.0]), rope=1.0)
    w = np.random.default_rng(1).beta(1, 0.5, 400_000)
    assert found.first == pytest.approx((w**2 + 2 * w * (1 - w) > 0.5).mean(), abs=0.01)
    assert found.second == 0
    assert found.first + found.equivalent == pytest.approx(1)


def test_equals_the_definition_in_a_loop() -> None:
    differences, rope = np.array([1.2, -0.4, 2.5, 0.3]), 0.5
    values = [0.0, *differences]
    random = np.random.default_rng(2)
    won = np.zeros(3)
    for weights in random.dirichlet([0.5, 1, 1, 1, 1], 4000):
        shares = np.zeros(3)
        for i, a in enumerate(values):
            for j, b in enumerate(values):
                side = 0 if a + b > 2 * rope else 2 if a + b < -2 * rope else 1
                shares[side] += weights[i] * weights[j]
        won[shares.argmax()] += 1
    found = bayesian_signed_rank(differences, rope)
    expected = won / 4000
    assert [found.first, found.equivalent, found.second] == pytest.approx(expected, abs=0.03)


def test_sides_and_region() -> None:
    random = np.random.default_rng(0)
    large = random.normal(3, 0.5, 15)
    assert bayesian_signed_rank(large, 1.0).first > 0.95
    assert bayesian_signed_rank(-large, 1.0).second > 0.95
    assert bayesian_signed_rank(random.normal(0, 0.2, 15), 1.0).equivalent > 0.95


@pytest.mark.parametrize(("differences", "rope"), [([], 1.0), ([1.0], 0.0)])
def test_what_it_needs(differences: list[float], rope: float) -> None:
    with pytest.raises(ValueError, match="positive region"):
        bayesian_signed_rank(np.array(differences), rope)
