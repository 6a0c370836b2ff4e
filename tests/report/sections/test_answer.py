"""The answer of a report in words."""

from __future__ import annotations

import re
from pathlib import Path

from ltbench.analysis.leaderboard.board import build_leaderboard
from ltbench.analysis.leaderboard.ranking import Ranking
from ltbench.registry.registry import Registry
from ltbench.report.page.content import Answer
from ltbench.report.sections.answer import ranking_answer, several_answer
from ltbench.storage.results import find_runs
from tests.runs import UNTRAINED, spec_of, store


def rankings(runs: Path, registry: Registry) -> tuple[Ranking, ...]:
    return build_leaderboard(find_runs([runs]).cells(), registry).rankings


def answer(runs: Path, registry: Registry) -> Answer:
    (ranking,) = rankings(runs, registry)
    return ranking_answer(ranking, None)


def test_a_tie_is_said_with_the_number_of_methods_in_it(tmp_path: Path, registry: Registry) -> None:
    for method, skill in (("lora", 1.0), ("full", 1.0), ("bitfit", -1.0)):
        for seed in range(2):
            store(tmp_path, spec_of(registry, method=method, seed=seed), skill=skill)
    found = answer(tmp_path, registry)
    assert re.match(
        r"(lora|full) leads 3 methods on digits_lt with \d+\.\d % overall accuracy, in a "
        r"statistical tie with one other\.$",
        found.headline,
    )
    assert re.match(r"The next, (lora|full), is .* points behind\. bitfit is sig", found.detail)
    assert found.detail.endswith("Measured with 2 seeds, clip_tiny.")


def test_settings_of_one_method_are_configurations(tmp_path: Path, registry: Registry) -> None:
    for dim in (1, 2):
        for seed in range(2):
            store(tmp_path, spec_of(registry, method="lora", method__dim=dim, seed=seed))
    assert "leads 2 configurations on digits_lt" in answer(tmp_path, registry).headline
    assert "tie with the other." in answer(tmp_path, registry).headline


def test_rows_without_the_accuracy_are_no_answer(tmp_path: Path, registry: Registry) -> None:
    store(tmp_path, spec_of(registry), changed={"metrics": {"few": None}})
    cells = find_runs([tmp_path]).cells()
    (ranking,) = build_leaderboard(cells, registry, metric="few").rankings
    assert ranking_answer(ranking, None) == Answer("No method has few-shot accuracy on digits_lt.")


def test_several_rankings_count_first_places(tmp_path: Path, registry: Registry) -> None:
    for ratio in (20.0, 50.0):
        store(tmp_path, spec_of(registry, method="lora", dataset__ratio=ratio))
    found = several_answer(rankings(tmp_path, registry), None)
    assert found.headline == "lora has the highest overall accuracy in 2 of 2 rankings."
    assert "digits_lt: lora (" in found.detail


def test_rows_with_one_seed_are_not_in_the_field_that_a_method_is_best_of(
    tmp_path: Path, registry: Registry
) -> None:
    for method, skill, seeds in (("lora", 2.0, 3), ("full", 1.9, 1), ("bitfit", -1.0, 3)):
        for seed in range(seeds):
            store(tmp_path, spec_of(registry, method=method, seed=seed), skill=skill)
    found = answer(tmp_path, registry)
    assert found.headline.startswith("lora is the best of the 2 tested methods on digits_lt: ")
    assert "1 of 3 rows has one seed" in found.detail


def test_a_method_without_seeds_is_not_counted_among_the_seeds(
    tmp_path: Path, registry: Registry
) -> None:
    for seed in range(2):
        store(tmp_path, spec_of(registry, method="lora", seed=seed))
    store(tmp_path, spec_of(registry, method="zero_shot"), changed=UNTRAINED)
    assert answer(tmp_path, registry).detail.endswith("Measured with 2 seeds, clip_tiny.")


def test_methods_that_are_first_as_often_are_named_together(
    tmp_path: Path, registry: Registry
) -> None:
    for ratio, method in ((10.0, "lora"), (20.0, "lora"), (30.0, "full"), (50.0, "full")):
        store(tmp_path, spec_of(registry, method=method, dataset__ratio=ratio))
    found = several_answer(rankings(tmp_path, registry), None)
    assert found.headline == (
        "lora and full each have the highest overall accuracy in 2 of 4 rankings."
    )
