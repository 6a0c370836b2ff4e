from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_rel

from ltbench.analysis.diagnosis.group_diagnosis import derived_columns, mean_columns
from ltbench.analysis.diagnosis.paired_diagnoses import PairedDiagnoses
from ltbench.errors import ConfigError
from ltbench.registry.registry import Registry
from ltbench.storage.diagnosis_schema import Diagnosis
from tests.analysis.diagnosis.diagnosed import diagnosis_of, stored_run

FEW = np.array([150, 120, 30, 9, 8, 7, 6, 5, 4, 3])


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> list[Diagnosis]:
    run = stored_run(tmp_path_factory.mktemp("near"), registry, FEW)
    return [diagnosis_of(run, seed=seed) for seed in range(3)]


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> list[Diagnosis]:
    run = stored_run(tmp_path_factory.mktemp("far"), registry, FEW)
    return [diagnosis_of(run, shift=6, seed=seed) for seed in range(3)]


def test_one_seed_is_a_paired_t_test_over_classes(
    near: list[Diagnosis], far: list[Diagnosis]
) -> None:
    paired = PairedDiagnoses.of(far[:1], near[:1], ("full", "light"))
    rows = paired.differences.set_index(["shot_group", "measure"])
    one, other = (derived_columns(mean_columns(each[:1])) for each in (far, near))
    p_values = {}
    for group, members in {"few": slice(3, None), "many": slice(0, 2)}.items():
        name = "energy_excess"
        expected = ttest_rel(one[name][members], other[name][members])
        row = rows.loc[(group, name)]
        assert row["p_value"] == pytest.approx(expected.pvalue)
        interval = expected.confidence_interval()
        assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
        assert row["difference"] == pytest.approx((one[name] - other[name])[members].mean())
        assert row["difference"] == pytest.approx(row["first"] - row["second"])
        p_values[group] = row["p_value"]
    assert rows.loc[("few", "energy_excess"), "p_value_corrected"] == 2 * p_values["few"]
    assert math.isnan(rows.loc[("medium", "energy_excess"), "p_value"])  # one class
    assert paired.sentences[0].startswith(
        "full has a larger train-test distance than light on few-shot classes by 0."
    )
    assert "), corrected p " in paired.sentences[0]
    assert paired.sentences[0].endswith(" over 7 classes.")
    reverse = PairedDiagnoses.of(near[:1], far[:1], ("light", "full"))
    assert reverse.sentences[0] == paired.sentences[0]
    assert repr(paired).startswith("<PairedDiagnoses of full and light>\nfull has")


def test_seeds_add_their_own_error(near: list[Diagnosis], far: list[Diagnosis]) -> None:
    paired = PairedDiagnoses.of(far, near, ("full", "light"))
    assert paired.seeds == 3
    row = paired.differences.set_index(["shot_group", "measure"]).loc[("few", "energy_excess")]
    assert row["low"] > 0
    assert row["p_value_corrected"] < 0.05
    seedless = PairedDiagnoses.of(far, near[:1], ("full", "light"))
    assert seedless.seeds == 3


def test_a_method_does_not_differ_from_itself(near: list[Diagnosis]) -> None:
    paired = PairedDiagnoses.of(near[:1], near[:1], ("one", "two"))
    assert (paired.differences["difference"] == 0).all()
    assert paired.sentences[0] == (
        "No difference of the train-test distance on few-shot classes is detected: one exceeds two "
        "by 0.000 (95 % interval 0.000 to 0.000), corrected p = 1.00 over 7 classes."
    )


def test_other_images_are_not_compared(
    near: list[Diagnosis], tmp_path: Path, registry: Registry
) -> None:
    other = diagnosis_of(stored_run(tmp_path, registry))
    with pytest.raises(ConfigError, match="other train images"):
        PairedDiagnoses.of(near[:1], [other], ("one", "two"))
    with pytest.raises(ConfigError, match="expected the same seeds, got 3 and 2"):
        PairedDiagnoses.of(near, near[:2], ("one", "two"))
    val = near[0].model_copy(update={"split": "val"})
    with pytest.raises(ConfigError, match=r"their split differs \(test, val\)"):
        PairedDiagnoses.of(near[:1], [val], ("one", "two"))
