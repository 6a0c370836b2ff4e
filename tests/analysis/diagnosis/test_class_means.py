from __future__ import annotations

import numpy as np
import pytest

from ltbench.analysis.diagnosis.class_means import MAX_BINS, class_similarity
from ltbench.analysis.metrics import DEFAULT_RULE
from tests.analysis.diagnosis.diagnosed import unit


def test_bins_are_means_over_pairs_of_different_classes() -> None:
    generator = np.random.default_rng(0)
    counts = generator.integers(2, 300, size=130)
    directions = unit(generator.normal(size=(130, 6)))
    present = generator.random(130) > 0.1
    found = class_similarity(directions, present, counts, DEFAULT_RULE.groups(counts))
    heatmap = found.heatmap
    order = np.array(heatmap.order)
    assert (np.diff(counts[order]) <= 0).all()
    assert sorted(order) == np.flatnonzero(present).tolist()
    assert len(heatmap.cosines) == MAX_BINS
    cosines = directions @ directions.T
    np.fill_diagonal(cosines, np.nan)
    for one in (0, 1, 57, 99):
        rows = order[heatmap.edges[one] : heatmap.edges[one + 1]]
        for other in (0, 1, 57, 98):
            columns = order[heatmap.edges[other] : heatmap.edges[other + 1]]
            block = cosines[np.ix_(rows, columns)]
            expected = np.nanmean(block) if np.isfinite(block).any() else None
            assert heatmap.cosines[one][other] == pytest.approx(expected)
    assert found.overall == pytest.approx(np.nanmean(cosines[np.ix_(order, order)]))


def test_one_class_has_no_pair() -> None:
    counts = np.array([5, 200])
    one = np.eye(2)
    found = class_similarity(one, np.array([True, False]), counts, DEFAULT_RULE.groups(counts))
    assert found.overall is None
    assert found.heatmap.cosines == [[None]]
    assert found.by_groups["few"]["many"] is None
    none = class_similarity(one, np.zeros(2, dtype=bool), counts, DEFAULT_RULE.groups(counts))
    assert (none.overall, none.heatmap.order) == (None, [])
