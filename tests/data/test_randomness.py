from __future__ import annotations

import numpy as np
from scipy.stats import kstest

from ltbench.data.randomness import shuffled, uniforms


def test_a_number_depends_on_seed_epoch_and_image_alone() -> None:
    whole = uniforms(3, 5, np.arange(100), 4)
    assert np.array_equal(uniforms(3, 5, np.array([70, 7]), 4), whole[[70, 7]])
    for other in (uniforms(4, 5, np.arange(100), 4), uniforms(3, 6, np.arange(100), 4)):
        assert not np.isclose(other, whole).any(axis=1).any()


def test_uniform_and_independent() -> None:
    drawn = uniforms(0, 0, np.arange(20_000), 3)
    for column in drawn.T:
        assert kstest(column, "uniform").pvalue > 0.01
    assert np.abs(np.corrcoef(drawn.T) - np.eye(3)).max() < 0.02
    assert abs(np.corrcoef(drawn[:-1, 0], drawn[1:, 0])[0, 1]) < 0.02
    later = uniforms(0, 1, np.arange(20_000), 1)[:, 0]
    assert abs(np.corrcoef(drawn[:, 0], later)[0, 1]) < 0.02


def test_no_draws_are_possible() -> None:
    assert uniforms(0, 0, np.arange(5), 0).shape == (5, 0)


def test_every_epoch_has_its_own_order() -> None:
    assert np.array_equal(np.sort(shuffled(1, 2, 50)), np.arange(50))
    assert np.array_equal(shuffled(1, 2, 50), shuffled(1, 2, 50))
    assert not np.array_equal(shuffled(1, 2, 50), shuffled(1, 3, 50))
    assert not np.array_equal(shuffled(1, 2, 50), shuffled(2, 2, 50))
