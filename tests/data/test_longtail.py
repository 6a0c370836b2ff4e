from __future__ import annotations

import hashlib

import numpy as np
import pytest

from ltbench.data.longtail import exponential_counts, select_counts
from tests import parity


@pytest.mark.parametrize("ratio", ["100", "50", "10"])
def test_the_selection_of_cifar100_lt(ratio: str) -> None:
    expected = parity.facts()["cifar100_lt"][ratio]
    counts = exponential_counts(100, 500, float(ratio))
    assert (counts, sum(counts)) == (expected["counts"], expected["total"])
    targets = np.random.RandomState(123).permutation(np.repeat(np.arange(100), 500))
    state = np.random.get_state()[1].copy()
    selected = select_counts(targets, counts, data_seed=0)
    assert selected[:10].tolist() == expected["selected_head"]
    digest = hashlib.sha256(np.asarray(selected, dtype=np.int64).tobytes()).hexdigest()
    assert digest == expected["selected_sha256"]
    assert np.array_equal(np.random.get_state()[1], state)  # the global generator is left alone


def test_a_class_that_is_too_small_gives_all_it_has() -> None:
    selected = select_counts(np.array([0, 1, 1, 0, 1]), [5, 2], data_seed=1)
    assert sorted(selected[:2]) == [0, 3]
    assert len(selected) == 4
