from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ltbench.analysis.diagnosis.feature_diagnosis import FeatureDiagnosis
from ltbench.analysis.diagnosis.group_diagnosis import mean_groups
from ltbench.registry.registry import Registry
from ltbench.storage.diagnosis_schema import GROUP_MEASURES
from tests.analysis.diagnosis.diagnosed import diagnosis_of, stored_run


def test_frames_and_findings_of_a_run(tmp_path: Path, registry: Registry) -> None:
    run = stored_run(tmp_path, registry)
    stored = diagnosis_of(run, shift=5)
    found = FeatureDiagnosis.of_runs([run], [stored])
    assert found.title == "lift_plus on digits_lt with clip_tiny, seed 0"
    assert (found.rare_group, found.seeds, found.notes) == ("few", 1, ())
    assert found.groups["shot_group"].tolist() == ["overall", "many", "medium", "few"]
    assert set(found.measures["measure"]) == set(GROUP_MEASURES)
    assert found.classes["train_images"].tolist() == sorted(run.classes.train_images, reverse=True)
    assert found.classes["energy"].tolist() == pytest.approx(stored.classes.energy)
    few = found.measures.set_index(["shot_group", "measure"]).loc[("few", "energy_excess")]
    members = found.classes[found.classes["shot_group"] == "few"]
    assert few["mean"] == pytest.approx(members["energy_excess"].mean())
    assert found.similarity.loc[0, "cosine"] == pytest.approx(stored.similarity.overall)
    first, *others = found.sentences
    assert first.startswith("Train and test features of few-shot classes")
    assert any("a gap of 50.0 points" in text for text in others)
    assert any("Many-shot classes take 50.0 % of the test images" in text for text in others)
    assert repr(found).startswith("<FeatureDiagnosis of lift_plus on digits_lt")
    assert "<td>mean_shift_excess</td>" in found._repr_html_()


def test_features_without_a_head_have_no_accuracy(tmp_path: Path, registry: Registry) -> None:
    run = stored_run(tmp_path, registry, np.array([200, 1]))
    found = FeatureDiagnosis.of_runs([run], [diagnosis_of(run, head=False)])
    assert found.groups["errors"].isna().all()
    assert found.rare_group == "many"
    assert found.notes == (
        "1 of 2 classes has fewer than two training or two test images, and no distances between "
        "them.",
    )
    assert not any("accuracy" in text for text in found.sentences)
    assert "gap" not in found._repr_html_()


def test_seeds_are_averaged_class_by_class(tmp_path: Path, registry: Registry) -> None:
    run = stored_run(tmp_path, registry)
    seeds = [diagnosis_of(run, seed=seed) for seed in range(2)]
    found = FeatureDiagnosis.of_runs([run, run], seeds, "both")
    assert (found.title, found.seeds) == ("both", 2)
    one, other = (np.array(seed.classes.energy, dtype=float) for seed in seeds)
    assert found.classes["energy"].to_numpy() == pytest.approx((one + other) / 2)
    groups = mean_groups(seeds)
    taken = [seed.groups["few"].taken_by_head for seed in seeds]
    assert groups["few"].taken_by_head == pytest.approx(np.mean(np.array(taken, dtype=float)))


def test_a_quick_look_is_noted(tmp_path: Path, registry: Registry) -> None:
    run = stored_run(tmp_path, registry, limit=8)
    found = FeatureDiagnosis.of_runs([run], [diagnosis_of(run)])
    assert found.notes[0].startswith("This run is a quick look (limit=8): ")


def test_nothing_is_said_of_many_shot_classes_where_there_are_none(
    tmp_path: Path, registry: Registry
) -> None:
    run = stored_run(tmp_path, registry, np.array([60, 50, 40, 30, 12, 4]))
    sentences = " ".join(FeatureDiagnosis.of_runs([run], [diagnosis_of(run)]).sentences)
    assert "Errors on few-shot classes go " in sentences
    assert "many-shot" not in sentences.lower()
