from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ks_2samp, wasserstein_distance

from ltbench.analysis.diagnosis.class_distances import (
    class_distances,
    partition_distances,
)
from tests.analysis.diagnosis.diagnosed import unit

Floats = NDArray[np.float64]


def cosine(one: Floats, other: Floats) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def by_hand(train: Floats, test: Floats) -> dict[str, float]:
    """Computes each distance image by image."""
    n, m = len(train), len(test)
    own = [1 - cosine(x, np.delete(train, i, axis=0).mean(axis=0)) for i, x in enumerate(train)]
    other = [1 - cosine(y, train.mean(axis=0)) for y in test]

    def mean_distance(one: Floats, two: Floats) -> float:
        return float(np.mean([[np.linalg.norm(a - b) for b in two] for a in one]))

    between = 2 * mean_distance(train, test)
    energy = between - mean_distance(train, train) - mean_distance(test, test)
    squares = sum(((part - part.mean(axis=0)) ** 2).sum() for part in (train, test))
    shift = np.linalg.norm(train.mean(axis=0) - test.mean(axis=0))
    return {
        "wasserstein": float(wasserstein_distance(own, other)),
        "ks": float(ks_2samp(own, other).statistic),
        "energy": energy / between,
        "mean_shift": float(shift / np.sqrt(squares / (n + m - 2))),
    }


@pytest.mark.parametrize(("n", "m"), [(2, 2), (2, 9), (7, 3), (15, 11)])
def test_distances_equal_those_computed_image_by_image(n: int, m: int) -> None:
    generator = np.random.default_rng(n)
    features = unit(generator.normal(size=(n + m, 5)) + 1)
    parts = np.zeros((3, n + m), dtype=bool)
    for row in range(3):
        parts[row, generator.permutation(n + m)[:n]] = True
    found = partition_distances(features @ features.T, parts)
    for row, inside in enumerate(parts):
        expected = by_hand(features[inside], features[~inside])
        assert {name: values[row] for name, values in found.items()} == pytest.approx(expected)


def test_floor_is_the_mean_over_all_partitions_of_few_images() -> None:
    features = unit(np.random.default_rng(1).normal(size=(4, 3)))
    found = class_distances(features[:2], features[2:], 4000, np.random.default_rng(0))
    every = np.zeros((6, 4), dtype=bool)
    for row, chosen in enumerate(combinations(range(4), 2)):
        every[row, list(chosen)] = True
    each = partition_distances(features @ features.T, every)
    assert found.floor == pytest.approx({k: v.mean() for k, v in each.items()}, rel=0.05)
    assert found.found == pytest.approx(by_hand(features[:2], features[2:]))


def test_p_values_of_equal_distributions_are_uniform() -> None:
    generator = np.random.default_rng(3)
    p_values = []
    for _ in range(200):
        features = unit(generator.normal(size=(12, 4)))
        p_values.append(class_distances(features[:4], features[4:], 39, generator).energy_p)
    assert 0.01 <= np.mean(np.array(p_values) <= 0.05) <= 0.1
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.07)


def test_identical_features_have_no_distance() -> None:
    one = np.tile(unit(np.ones((1, 3))), (5, 1))
    found = class_distances(one[:2], one[2:], 20, np.random.default_rng(0))
    assert found.found == pytest.approx(dict.fromkeys(found.found, 0.0))
    assert found.floor == pytest.approx(dict.fromkeys(found.found, 0.0))
    assert found.energy_p == 1


def test_two_points_have_no_spread_to_measure_a_shift_by() -> None:
    apart = np.repeat(np.eye(2), 3, axis=0)
    found = class_distances(apart[:3], apart[3:], 50, np.random.default_rng(0))
    assert np.isnan(found.found["mean_shift"])
    assert np.isfinite(found.floor["mean_shift"])
    assert found.found["energy"] == pytest.approx(1)
    assert found.found["wasserstein"] == pytest.approx(1)


def test_features_of_length_0_are_far_from_any_mean() -> None:
    features = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    found = class_distances(features[:2], features[2:], 20, np.random.default_rng(0))
    assert all(np.isfinite(value) for value in found.found.values())


def test_the_energy_of_a_shift_does_not_depend_on_the_number_of_images() -> None:
    generator = np.random.default_rng(7)

    def mean_excess(n: int) -> float:
        each = []
        for _ in range(60):
            mean, away = generator.normal(size=(2, 32))
            features = mean + generator.normal(size=(n + 30, 32))
            features[n:] += 3 * away / np.linalg.norm(away)
            features = unit(features)
            found = class_distances(features[:n], features[n:], 20, generator)
            each.append(found.found["energy"] - found.floor["energy"])
        return float(np.mean(each))

    assert mean_excess(2) == pytest.approx(mean_excess(60), rel=0.25)
