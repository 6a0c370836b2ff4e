from __future__ import annotations

from pathlib import Path

import pytest

from ltbench.analysis.leaderboard.board import build_leaderboard
from ltbench.engine.stored_split import EvaluatedSplits
from ltbench.registry.registry import Registry
from ltbench.report.page.content import ImageSheet, Notes, Section, Table, WithInterval
from ltbench.report.sections.errors import errors_section
from ltbench.report.sections.evidence import gather_evidence
from ltbench.storage.results import find_runs
from tests.runs import spec_of, store
from tests.runs_on_images import failing_run


def section(runs: Path, registry: Registry, *, pictures: bool = False) -> Section:
    found = find_runs([runs])
    (ranking,) = build_leaderboard(found.cells(), registry).rankings
    evidence = gather_evidence(ranking, ("accuracy",))
    assert evidence is not None
    return errors_section(evidence, "digits_tte", EvaluatedSplits() if pictures else None)


def tables(made: Section) -> dict[str, Table]:
    return {block.name: block for block in made.blocks if isinstance(block, Table)}


def test_errors_of_the_best_method_over_its_seeds(tmp_path: Path, registry: Registry) -> None:
    for seed in range(2):
        store(tmp_path, spec_of(registry, method="lora", seed=seed), skill=1)
        store(tmp_path, spec_of(registry, method="full", seed=seed), skill=0)
    made = section(tmp_path, registry)
    assert made.name == "digits-tte-errors"
    assert ("seeds", "2") in made.facts
    assert made.answer is not None
    assert made.answer.headline.startswith("The 2 few-shot classes have an accuracy of")
    worst = tables(made)["digits_tte_errors_worst_classes"]
    assert [column.title for column in worst.columns][-1] == "best method %"
    for row in worst.rows:
        assert isinstance(row[4], WithInterval)
        assert str(row[3]).endswith(" of 40")  # images times seeds
        assert float(str(row[-1])) >= row[4].value - 1e-9
    methods = tables(made)["digits_tte_errors_methods"]
    assert [row[0] for row in methods.rows] == ["lora", "full"]
    assert isinstance(made.blocks[-1], Notes)
    assert not any(isinstance(block, ImageSheet) for block in made.blocks)


def test_pictures_are_of_the_data_set(tmp_path: Path, registry: Registry) -> None:
    _, run = failing_run(tmp_path, registry)
    made = section(run, registry, pictures=True)
    (sheet,) = [block for block in made.blocks if isinstance(block, ImageSheet)]
    assert len(sheet.images) == 4
    assert all(image.data.startswith(b"\xff\xd8\xff") for image in sheet.images)
    assert sheet.images[0].description.startswith("test/")
    assert "at most 128 pixels, together at most 256 KB" in sheet.caption


@pytest.mark.parametrize("seeds", [1, 2])
def test_a_perfect_method_has_tables_without_rows_left_out(
    tmp_path: Path, registry: Registry, seeds: int
) -> None:
    for seed in range(seeds):
        store(tmp_path, spec_of(registry, seed=seed), skill=99)
    made = section(tmp_path, registry)
    assert "digits_tte_errors_worst_classes" not in tables(made)
    assert "digits_tte_errors_calibration" in tables(made)
