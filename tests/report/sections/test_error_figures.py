from __future__ import annotations

from pathlib import Path

from ltbench.analysis.leaderboard.board import build_leaderboard
from ltbench.registry.registry import Registry
from ltbench.report.page.content import Picture
from ltbench.report.page.figure_set import FigureSet
from ltbench.report.sections.errors import errors_section
from ltbench.report.sections.evidence import gather_evidence
from ltbench.storage.results import find_runs
from tests.runs import spec_of, store


def pictures(runs: Path, registry: Registry) -> list[Picture]:
    found = find_runs([runs])
    (ranking,) = build_leaderboard(found.cells(), registry).rankings
    evidence = gather_evidence(ranking, ("accuracy",))
    assert evidence is not None
    made = errors_section(evidence, "digits", figures=FigureSet())
    return [block for block in made.blocks if isinstance(block, Picture)]


def test_rare_classes_have_their_takers_and_calibration(tmp_path: Path, registry: Registry) -> None:
    store(tmp_path, spec_of(registry), skill=0.5)
    takers, calibration = pictures(tmp_path, registry)
    assert takers.name == "digits_errors_takers"
    # The stored predictions are right, or the next class.
    assert takers.description == (
        "class 4: 65 % correct, 35 % class 5; class 5: 80 % correct, 20 % class 0."
    )
    assert 'data-tip="class 4: 35.0 % taken by class 5 (few)"' in takers.svg
    assert calibration.description.startswith("Calibration errors in percent: many-shot ")


def test_a_model_without_mistakes_has_no_takers(tmp_path: Path, registry: Registry) -> None:
    store(tmp_path, spec_of(registry), skill=50)
    assert [one.name for one in pictures(tmp_path, registry)] == ["digits_errors_calibration"]
