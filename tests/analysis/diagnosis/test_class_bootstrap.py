from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from ltbench.analysis.diagnosis.class_bootstrap import class_means, class_ratios
from ltbench.storage.diagnosis_schema import ClassMean


def test_intervals_of_few_classes_are_as_wide_as_those_of_student() -> None:
    values = np.random.default_rng(0).normal(size=12)
    found = class_means({"one": np.append(values, np.nan)}, {})["one"]
    assert found is not None
    assert found.low is not None
    assert (found.mean, found.classes) == (pytest.approx(values.mean()), 12)
    reach = t.ppf(0.975, 11) * values.std(ddof=1) / np.sqrt(12)
    assert found.mean - found.low == pytest.approx(reach, rel=0.15)


def test_ratios_are_of_sums() -> None:
    sums, sizes = np.array([6.0, 2.0, 0.0]), np.array([3.0, 2.0, 0.0])
    found = class_ratios({"one": sums}, {"one": sizes}, {"one": (0, 1.7)})["one"]
    assert found is not None
    assert (found.mean, found.classes, found.high) == (1.6, 2, 1.7)


def test_one_class_has_no_interval() -> None:
    values = {"one": np.array([np.nan, 3.0]), "none": np.array([np.nan, np.nan])}
    assert class_means(values, {}) == {
        "one": ClassMean(mean=3, low=None, high=None, classes=1),
        "none": None,
    }
    assert class_means({"empty": np.empty(0)}, {}) == {"empty": None}
