"""Methods beside each other: their tables and their differences."""

from __future__ import annotations

from pathlib import Path

import pytest

from ltbench.analysis.diagnosis.diagnosis_tables import diagnosis_tables
from ltbench.analysis.diagnosis.method_diagnosis import (
    MethodDiagnosis,
    expect_same_images,
    paired_with_first,
)
from ltbench.analysis.errors.display_tables import ErrorEstimate
from ltbench.errors import ConfigError
from ltbench.registry.registry import Registry
from ltbench.storage.results import Cell
from tests.analysis.diagnosis.diagnosed import diagnosis_of, stored_run


@pytest.fixture(scope="module")
def methods(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> list[MethodDiagnosis]:
    """A method with seeds 0 and 1, one with seeds 1 and 2, and a pretrained encoder."""
    out = tmp_path_factory.mktemp("runs")
    found = []
    for name, seeds in (("lora", (0, 1)), ("full", (1, 2))):
        runs = [stored_run(out, registry, method=name, seed=seed) for seed in seeds]
        each = [diagnosis_of(run, shift=float(name == "full"), seed=run.seed) for run in runs]
        found.append(MethodDiagnosis(name, tuple(runs), tuple(each)))
    run = found[0].runs[0]
    before = MethodDiagnosis("pretrained", (run,), (diagnosis_of(run, head=False),), seedless=True)
    return [before, *found]


def test_numbers_are_means_over_the_seeds(methods: list[MethodDiagnosis]) -> None:
    lora = methods[1]
    for group in ("overall", "many"):
        each = [one.groups[group].measures["ks_excess"] for one in lora.diagnoses]
        values = [one.mean for one in each if one is not None]
        assert lora.value(group, "ks_excess") == pytest.approx(sum(values) / 2)
    assert lora.number("few", "taken_by_head") == pytest.approx(50)
    assert methods[0].number("few", "taken_by_head") is None
    overall = [one.similarity.overall or 0 for one in lora.diagnoses]
    assert lora.similarity("overall", "overall") == pytest.approx(sum(overall) / 2)


def test_one_method_has_a_row_for_each_group(methods: list[MethodDiagnosis]) -> None:
    tables = {table.name: table for table in diagnosis_tables(methods[1:2])}
    assert list(tables) == ["distances", "consequences", "intra_class", "similarity"]
    assert [row[0] for row in tables["distances"].rows] == ["overall", "many", "medium", "few"]
    assert isinstance(tables["distances"].rows[0][2], ErrorEstimate)
    assert [row[0] for row in tables["similarity"].rows] == ["many", "medium", "few"]
    assert tables["similarity"].texts()[0][1:] != ["-", "-", "-"]


def test_several_methods_are_beside_each_other_in_each_group(
    methods: list[MethodDiagnosis],
) -> None:
    distances, consequences, *_ = diagnosis_tables(methods)
    assert [row[:2] for row in distances.rows[:3]] == [
        ("many", "pretrained"),
        ("many", "lora"),
        ("many", "full"),
    ]
    assert [row[1] for row in consequences.rows[:2]] == ["lora", "full"]  # those with a head


def test_methods_without_predictions_have_no_accuracies(methods: list[MethodDiagnosis]) -> None:
    assert "consequences" not in [table.name for table in diagnosis_tables(methods[:1])]
    assert not methods[0].has_accuracy


def test_pretrained_features_are_of_one_choice_of_backbone_options(
    tmp_path: Path, registry: Registry
) -> None:
    runs = [
        stored_run(
            tmp_path,
            registry,
            backbone="in1k_efficientnet_lite0",
            backbone__pretrained=False,
            backbone__resolution=resolution,
            init="class_mean",
        )
        for resolution in (64, 96)
    ]
    cells = [Cell.of(run.key, [run]) for run in runs]
    expect_same_images(cells, ("one", "other"))
    with pytest.raises(ConfigError, match="their choice of backbone options differs"):
        expect_same_images(cells, ("one", "other"), pretrained=True)


def test_differences_are_those_of_common_seeds(methods: list[MethodDiagnosis]) -> None:
    before, lora, full = methods
    (pair,) = paired_with_first([lora, full])
    assert (pair.first, pair.second, pair.seeds) == ("full", "lora", 1)
    assert [pair.seeds for pair in paired_with_first([before, lora, full])] == [2, 2]
    assert paired_with_first([lora]) == []
    alone = MethodDiagnosis("full", full.runs[1:], full.diagnoses[1:])
    with pytest.raises(ConfigError, match="full and lora have no common seed: 2 and 0, 1"):
        paired_with_first([lora, alone])
