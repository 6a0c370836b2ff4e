from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from ltbench.analysis.leaderboard.board import build_leaderboard
from ltbench.analysis.leaderboard.ranking import Ranking
from ltbench.registry.registry import Registry
from ltbench.report.build import build_report
from ltbench.report.page.content import Notes, Picture, Section, Table
from ltbench.report.page.figure_set import FigureSet
from ltbench.report.sections.diagnosis import HEADING, ranking_diagnosis
from ltbench.storage.diagnosis_schema import Diagnosis, write_diagnosis
from ltbench.storage.results import find_runs
from tests.analysis.diagnosis.diagnosed import diagnosis_of, stored_run

COUNTS = np.array([200, 150, 60, 12, 10, 8, 6, 4])


def ranking_of(out: Path, registry: Registry) -> Ranking:
    (ranking,) = build_leaderboard(find_runs([out]).cells(), registry).rankings
    return ranking


@pytest.fixture(scope="module")
def ranking(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Ranking:
    """Three methods: two with a diagnosis, of which one lacks that of a seed; one without."""
    out = tmp_path_factory.mktemp("runs")
    for method, seed, shift in (("lora", 0, 0.0), ("lora", 1, None), ("full", 0, 2.0)):
        run = stored_run(out, registry, COUNTS, method=method, seed=seed)
        if shift is not None:
            write_diagnosis(run, diagnosis_of(run, shift=shift))
    stored_run(out, registry, COUNTS, method="bitfit")
    return ranking_of(out, registry)


@pytest.fixture(scope="module")
def made(ranking: Ranking) -> Section:
    found = ranking_diagnosis(ranking, "digits_tte", FigureSet())
    assert found is not None
    return found


def notes(made: Section) -> str:
    last = made.blocks[-1]
    assert isinstance(last, Notes)
    return "\n".join(last.texts)


def test_the_best_method_is_compared_with_the_others(made: Section) -> None:
    assert (made.name, made.title) == ("digits-tte-diagnosis", HEADING)
    assert made.answer is not None
    assert re.match(
        r"full has a larger train-test distance than lora on few-shot classes by 0\.\d{3} "
        r"\(95 % interval 0\.\d{3} to 0\.\d{3}\), corrected p ",
        made.answer.headline,
    ), made.answer.headline


def test_it_has_tables_and_figures_of_the_methods_that_have_a_diagnosis(made: Section) -> None:
    names = [block.name for block in made.blocks if isinstance(block, Picture)]
    assert [name.removeprefix("digits_tte_diagnosis_") for name in names] == [
        "excess",
        "gap",
        "distances",
        "similarity",
    ]
    (distances,) = [
        block
        for block in made.blocks
        if isinstance(block, Table) and block.name.endswith("_distances")
    ]
    assert {row[1] for row in distances.rows} == {"lora", "full"}


def test_runs_without_a_diagnosis_are_named_with_the_command(made: Section) -> None:
    said = notes(made)
    assert "2 runs of these methods have no stored diagnosis: " in said
    assert "bitfit" in said
    assert "ltbench diagnose RUN" in said


def test_without_any_diagnosis_there_is_no_section(tmp_path: Path, registry: Registry) -> None:
    run = stored_run(tmp_path, registry)
    assert ranking_diagnosis(ranking_of(tmp_path, registry), "digits", FigureSet()) is None
    (run.path / Diagnosis.FILE).write_text("{", encoding="utf-8")
    assert ranking_diagnosis(ranking_of(tmp_path, registry), "digits", FigureSet()) is None


def test_a_damaged_diagnosis_is_a_note(tmp_path: Path, registry: Registry) -> None:
    run = stored_run(tmp_path, registry)
    write_diagnosis(run, diagnosis_of(run))
    broken = stored_run(tmp_path, registry, method="full")
    (broken.path / Diagnosis.FILE).write_text("{", encoding="utf-8")
    made = ranking_diagnosis(ranking_of(tmp_path, registry), "digits", FigureSet())
    assert made is not None
    assert "full, seed 0: " in notes(made)
    assert "is not JSON" in notes(made)
    assert made.answer is not None
    assert made.answer.headline.startswith("Train and test features of few-shot classes ")


@pytest.mark.full
def test_methods_without_a_common_seed_are_a_note(tmp_path: Path, registry: Registry) -> None:
    for method, seed in (("lora", 0), ("full", 1)):
        run = stored_run(tmp_path, registry, method=method, seed=seed)
        write_diagnosis(run, diagnosis_of(run))
    made = ranking_diagnosis(ranking_of(tmp_path, registry), "digits", FigureSet())
    assert made is not None
    assert "have no common seed" in notes(made)


@pytest.mark.full
def test_a_report_has_the_section_behind_the_errors(tmp_path: Path, registry: Registry) -> None:
    run = stored_run(tmp_path, registry)
    write_diagnosis(run, diagnosis_of(run))
    found = find_runs([tmp_path])
    made = build_report(found, build_leaderboard(found.cells(), registry))
    (details,) = [one for one in made.page.sections if one.title == "digits_lt in detail"]
    names = [one.name.removeprefix("digits-lt-tte-") for one in details.sections]
    assert names[:3] == ["frequency", "errors", "diagnosis"]
    assert "figures/digits_lt_tte_diagnosis_similarity.svg" in {
        f"figures/{name}" for name in made.figures.files()
    }
