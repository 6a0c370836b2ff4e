from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ltbench.analysis.diagnosis.class_statistics import (
    ClassFeatures,
    FeatureStatistics,
    intra_distance,
)
from ltbench.analysis.diagnosis.distance_histograms import others_distances
from ltbench.errors import NonFiniteLossError
from ltbench.registry.registry import Registry
from ltbench.storage.diagnosis_schema import DISTANCES, ClassMean, Diagnosis
from tests.analysis.diagnosis.diagnosed import COUNTS, WIDTH, drawn, stored_run, unit

SIZES = np.tile([2, 3, 5, 10, 15, 20, 40, 70, 110, 200], 12)
"""Training images of the classes of a simulation."""


def simulated(folder: Path, registry: Registry, shift: float) -> Diagnosis:
    run = stored_run(folder, registry, SIZES)
    statistics = FeatureStatistics(run, WIDTH, draws=30)
    for k, count in enumerate(SIZES.tolist()):
        statistics.add(drawn(k, count, shift=shift, seed=5))
    return statistics.diagnosis("run")


def mean_of(diagnosis: Diagnosis, group: str, name: str) -> ClassMean:
    found = diagnosis.groups[group].measures[name]
    assert found is not None
    return found


def test_classes_do_not_look_inconsistent_for_being_small(
    tmp_path: Path, registry: Registry
) -> None:
    diagnosis = simulated(tmp_path, registry, shift=0)
    for group in ("many", "medium", "few"):
        for name in DISTANCES:
            excess = mean_of(diagnosis, group, f"{name}_excess")
            assert excess.low is not None
            error = (excess.mean - excess.low) / 2
            assert abs(excess.mean) < 3 * error, (group, name)
            assert abs(excess.mean) < 0.1 * mean_of(diagnosis, group, f"{name}_floor").mean
        share = diagnosis.groups[group].inconsistent_classes
        assert share is not None
        assert share <= 15
    # What papers draw: a mean that includes the image makes small classes look tight.
    train, own, test = (
        mean_of(diagnosis, "few", f"intra_{name}").mean for name in ("train", "train_own", "test")
    )
    assert test - own > 0.05
    assert train == pytest.approx(test, abs=0.02)
    many = mean_of(diagnosis, "many", "intra_test").mean
    assert mean_of(diagnosis, "many", "intra_train_own").mean == pytest.approx(many, abs=0.01)


def test_a_shift_of_the_test_features_is_found(tmp_path: Path, registry: Registry) -> None:
    diagnosis = simulated(tmp_path, registry, shift=4)
    for group in ("many", "medium", "few"):
        for name in DISTANCES:
            low = mean_of(diagnosis, group, f"{name}_excess").low
            assert low is not None
            assert low > 0, (group, name)
    shares = [diagnosis.groups[name].inconsistent_classes or 0 for name in ("many", "few")]
    assert shares[0] == 100
    assert shares[1] > 50


def test_columns_equal_a_direct_computation(tmp_path: Path, registry: Registry) -> None:
    run = stored_run(tmp_path, registry)
    statistics = FeatureStatistics(run, WIDTH, draws=20)
    parts = [drawn(k, int(count), predicted=0) for k, count in enumerate(COUNTS)]
    for part in reversed(parts):  # in any order
        statistics.add(part)
    diagnosis = statistics.diagnosis("run")
    found = diagnosis.classes
    assert found.train_features == COUNTS.tolist()
    assert found.test_images == [20] * 6
    means = []
    for k, part in enumerate(parts):
        train, test = (unit(rows.astype(np.float64)) for rows in (part.train, part.test))
        direction = train.mean(axis=0) / np.linalg.norm(train.mean(axis=0))
        own = (1 - train @ direction).mean()
        assert found.intra_train_own[k] == pytest.approx(own)
        pairs = test @ test.T
        mean_pair = (pairs.sum() - np.trace(pairs)) / (20 * 19)
        assert found.intra_test[k] == pytest.approx(1 - np.sqrt(mean_pair))
        means.append(test.mean(axis=0) / np.linalg.norm(test.mean(axis=0)))
    cosines = np.stack(means) @ np.stack(means).T
    off = cosines[~np.eye(6, dtype=bool)]
    assert diagnosis.similarity.overall == pytest.approx(off.mean())
    assert diagnosis.similarity.by_groups["many"]["few"] == pytest.approx(cosines[:2, 4:].mean())
    assert diagnosis.similarity.by_groups["few"]["few"] == pytest.approx(cosines[4, 5])
    assert diagnosis.similarity.heatmap.order == [0, 1, 2, 3, 4, 5]
    counts = diagnosis.histograms.groups["few"]
    assert (sum(counts.train), sum(counts.test)) == (16, 40)
    assert found.test_accuracy[1] == 50
    assert found.errors == [0, 10, 10, 10, 10, 10]
    assert diagnosis.groups["few"].taken_by_head == 50
    assert diagnosis.groups["few"].measures["gap"] == ClassMean(mean=50, low=50, high=50, classes=2)


def test_the_number_of_features_does_not_change_the_intra_class_distance() -> None:
    generator = np.random.default_rng(0)
    features = unit(1 + generator.normal(size=(4000, 8)))
    whole = intra_distance(features)
    assert whole == pytest.approx(others_distances(features).mean(), abs=1e-3)
    few = np.mean([intra_distance(part) for part in features.reshape(-1, 4, 8)])
    assert few == pytest.approx(whole, abs=0.02)


def test_classes_with_more_images_are_drawn_from(tmp_path: Path, registry: Registry) -> None:
    run = stored_run(tmp_path, registry)
    large = FeatureStatistics(run, WIDTH, draws=20, max_features=30)
    whole = FeatureStatistics(run, WIDTH, draws=20)
    for statistics in (large, whole):
        statistics.add(drawn(0, 200))
        statistics.add(drawn(4, 12))
    one, other = large.diagnosis("run"), whole.diagnosis("run")
    assert one.classes.intra_train == other.classes.intra_train
    assert one.classes.energy[0] != other.classes.energy[0]
    assert one.classes.energy[4] == other.classes.energy[4]
    assert one.histograms == other.histograms


def test_classes_without_enough_images_have_no_distance(tmp_path: Path, registry: Registry) -> None:
    statistics = FeatureStatistics(stored_run(tmp_path, registry), WIDTH)
    for k, (train, test) in enumerate([(1, 20), (20, 1), (0, 5), (5, 0), (0, 0)]):
        statistics.add(drawn(k, train, test, predicted=5))
    diagnosis = statistics.diagnosis("run", skipped_train=2)
    classes = diagnosis.classes
    assert classes.energy == classes.mean_shift_floor == classes.energy_p == [None] * 6
    assert [value is None for value in classes.intra_train] == [
        True,
        False,
        True,
        False,
        True,
        True,
    ]
    assert classes.intra_train_own[0] == pytest.approx(0)
    assert classes.test_accuracy[3] is None
    assert diagnosis.similarity.heatmap.order == [0, 1, 2]
    assert diagnosis.groups["few"].measures["energy_excess"] is None
    assert diagnosis.groups["few"].taken_by_head is None
    assert diagnosis.skipped_train == 2


def test_features_that_are_not_finite_are_refused(tmp_path: Path, registry: Registry) -> None:
    statistics = FeatureStatistics(stored_run(tmp_path, registry), 2)
    broken = np.array([[1, np.nan]], dtype=np.float32)
    with pytest.raises(NonFiniteLossError, match="features of class 'class 2' are not finite"):
        statistics.add(ClassFeatures(2, broken, broken))
