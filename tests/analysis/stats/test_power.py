from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.power import TTestPower

from ltbench.analysis.stats.power import detectable_difference, detectable_difference_from_error
from ltbench.analysis.stats.randomisation import randomisation_test
from tests.analysis.stats.simulate import strata


def test_one_class_solves_connors_formula() -> None:
    n, psi = 400, 0.1
    d = detectable_difference(np.array([psi]), np.array([n]), np.ones(1))
    a, b = norm.ppf(0.975), norm.ppf(0.8)
    assert n * d**2 == pytest.approx((a * np.sqrt(psi) + b * np.sqrt(psi - d**2)) ** 2)
    assert detectable_difference(np.zeros(1), np.array([n]), np.ones(1)) == 0


def test_more_images_or_less_discordance_show_smaller_differences() -> None:
    def found(psi: float, n: int) -> float:
        return detectable_difference(np.full(3, psi), np.full(3, n), np.full(3, 1 / 3))

    assert found(0.1, 200) < found(0.1, 50) < found(0.3, 50)


def test_the_power_is_what_was_asked_for() -> None:
    """The detectable difference is significant in about 80 % of the cases."""
    sizes = np.array([120, 90, 60, 60])
    layers, psi = strata(sizes), 0.15
    weights = layers.weights["mean_class"]
    d = detectable_difference(np.full(4, psi), sizes, weights)
    chances = [(psi + d) / 2, (psi - d) / 2, 1 - psi]
    random = np.random.default_rng(0)
    p = [
        randomisation_test(
            random.choice(np.array([1, -1, 0], np.int8), sizes.sum(), p=chances),
            layers,
            resamples=499,
        )["mean_class"].p
        for _ in range(300)
    ]
    assert 0.70 <= (np.array(p) < 0.05).mean() <= 0.88


def test_with_seeds_it_nears_the_noncentral_t() -> None:
    n = 12
    found = detectable_difference_from_error(1 / np.sqrt(n), n - 1)
    power = TTestPower().power(found, n, 0.05)
    assert power == pytest.approx(0.8, abs=0.02)
    assert detectable_difference_from_error(1.0, np.inf) == pytest.approx(
        norm.ppf(0.975) + norm.ppf(0.8)
    )
