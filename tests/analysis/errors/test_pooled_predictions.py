from __future__ import annotations

import numpy as np
import pytest

from ltbench.analysis.errors.pooled_predictions import PooledPredictions
from ltbench.errors import DataError
from tests.analysis.errors.pools import NAMES, TRAIN, one_seed, read, two_seeds


def test_classes_have_groups_and_counts() -> None:
    pooled = one_seed()
    assert pooled.group_of.tolist() == [0, 1, 2, 2, 2]
    assert pooled.test_images.tolist() == [4, 4, 4, 2, 0]
    assert pooled.rare_group == "few"
    assert two_seeds().wrong.sum(axis=1).tolist() == [7, 4]


def test_the_rare_group_is_one_with_test_images() -> None:
    pooled = PooledPredictions.of([read()], NAMES, [200, 50, 30, 30, 1])
    assert pooled.rare_group == "medium"


def test_a_rule_of_a_later_version_counts_as_the_default() -> None:
    pooled = PooledPredictions.of([read()], NAMES, [100, 20, 5, 3, 1], "strict")
    assert pooled.rule.name == "exclusive"
    inclusive = PooledPredictions.of([read()], NAMES, [100, 20, 5, 3, 1], "inclusive")
    assert inclusive.group_of.tolist() == [0, 2, 2, 2, 2]


def test_seeds_with_other_images_are_refused() -> None:
    other = read()
    other.indices = np.arange(len(other.labels))
    with pytest.raises(DataError, match="not tested on the same images"):
        PooledPredictions.of([read(), other], NAMES, TRAIN)
