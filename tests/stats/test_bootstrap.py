from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from ltbench.stats.bootstrap import stratified_interval


def test_one_class_equals_scipy() -> None:
    correct = np.repeat([1.0, 0.0], [70, 30])
    ours = stratified_interval(np.array([70]), np.array([100]), {"a": np.array([1.0])})["a"]
    theirs = bootstrap((100 * correct,), np.mean, method="percentile", n_resamples=9999, rng=0)
    assert ours == pytest.approx(list(theirs.confidence_interval), abs=1.0)


def test_strata_equal_resampling_of_images() -> None:
    """The binomial draw has the spread of resampling each class's images by hand."""
    support, correct = np.array([50, 10, 4]), np.array([45, 6, 1])
    weights = {"mean": np.full(3, 1 / 3), "all": support / support.sum(), "none": None}
    ours = stratified_interval(correct, support, weights)
    random = np.random.default_rng(1)
    images = [np.repeat([1, 0], [c, n - c]) for c, n in zip(correct, support, strict=True)]
    shares = np.array(
        [[random.choice(image, len(image)).mean() for image in images] for _ in range(4000)]
    )
    for name in ("mean", "all"):
        expected = np.percentile(100 * shares @ weights[name], [2.5, 97.5])
        assert ours[name] == pytest.approx(list(expected), abs=2.0)
    assert ours["none"] is None


def test_the_interval_covers() -> None:
    """Over many data sets of known accuracy, about 95 % of the intervals hold it."""
    random = np.random.default_rng(0)
    support = np.full(20, 50)
    truth = np.linspace(0.4, 0.9, 20)
    weights = {"mean": np.full(20, 1 / 20)}
    held = 0
    for _ in range(300):
        low, high = stratified_interval(random.binomial(support, truth), support, weights)["mean"]
        held += low <= 100 * truth.mean() <= high
    assert 0.91 <= held / 300 <= 0.98
