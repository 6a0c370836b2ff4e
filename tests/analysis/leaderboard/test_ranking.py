"""Groups of cells that are ranked together, and shared ranks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltbench.analysis.comparison.all_pairs import compare_family
from ltbench.analysis.comparison.seed_predictions import read_seed_predictions
from ltbench.analysis.leaderboard import ranking
from ltbench.analysis.leaderboard.board import build_leaderboard
from ltbench.analysis.leaderboard.ranking import Ranking, group_by_conditions, rank_cells
from ltbench.analysis.metrics import DEFAULT_RULE
from ltbench.config.minimal_settings import Shorthand
from ltbench.metric_names import ACCURACIES
from ltbench.registry.registry import Registry
from ltbench.storage.predictions import Predictions
from ltbench.storage.result_schema import Metrics, RunResult
from ltbench.storage.results import Cell, find_runs
from ltbench.storage.run_directory import RunDirectory
from tests.runs import COUNTS, PER_CLASS, UNTRAINED, altered, spec_of, store


def rankings(out: Path, registry: Registry, **how: Any) -> list[Ranking]:
    arranged = group_by_conditions(find_runs([out]).cells(), Shorthand(registry))
    return [rank_cells(*each, **how) for each in arranged]


def drawn(out: Path, registry: Registry, *, rows: int, seeds: int) -> list[Cell]:
    """Stores and returns cells that differ only in an option."""
    for dim, seed in itertools.product(range(1, rows + 1), range(seeds)):
        store(out, spec_of(registry, method="lora", method__dim=dim, seed=seed))
    return find_runs([out]).cells()


def redrawn(
    cells: Sequence[Cell], registry: Registry, random: np.random.Generator
) -> list[Ranking]:
    """Ranks cells with other predictions, drawn from equal models on the same images."""
    n = len(COUNTS) * PER_CLASS
    easy = random.normal(size=n) + 1

    def drawn(run: RunResult) -> RunResult:
        right = easy + 0.5 * random.normal(size=n) > 0
        spec = run.spec
        path = RunDirectory(run.path).predictions(spec.inference, spec.inference)
        predictions = Predictions.read(path)
        labels = predictions.labels
        top = np.where(right, labels, (labels + 1) % len(COUNTS))
        changed = replace(predictions, classes=np.stack([top, (top + 2) % len(COUNTS)], axis=1))
        about = {"hash": spec.hash, "inference": spec.inference.name, "split": spec.split}
        changed.write(path, about)
        return altered(run, {"metrics": Metrics.of(changed, COUNTS)})

    cells = [replace(cell, runs=tuple(map(drawn, cell.runs))) for cell in cells]
    return [rank_cells(*each) for each in group_by_conditions(cells, Shorthand(registry))]


def ranks(found: Ranking) -> dict[str, int | None]:
    return {entry.name: entry.rank for entry in found.entries}


@pytest.fixture
def three(tmp_path: Path, registry: Registry) -> Path:
    """Two methods without a significant difference, and one that is far worse."""
    for seed in range(3):
        store(tmp_path, spec_of(registry, method="lora", seed=seed), skill=1.6)
        store(tmp_path, spec_of(registry, method="bitfit", seed=seed), skill=1.5)
        store(tmp_path, spec_of(registry, method="full", seed=seed), skill=0.0)
    return tmp_path


def test_a_method_without_seeds_is_tested_and_has_no_spread(
    three: Path, registry: Registry
) -> None:
    for seed in range(3):
        spec = spec_of(registry, method="zero_shot", train__epochs=0, seed=seed)
        store(three, spec, skill=0.1, changed=UNTRAINED, noise_seed=0)
    board = build_leaderboard(find_runs([three]).cells(), registry)
    row = next(row for row in board.rows() if row.method == "zero_shot")
    assert (row.seeds, row.accuracy_std, row.claim) == (1, None, "methods")
    assert row.significant is True
    assert row.accuracy_ci_low is not None
    assert not any("NO CLAIM" in note for note in board.rankings[0].notes)


def test_rows_without_a_significant_difference_share_a_rank(
    three: Path, registry: Registry
) -> None:
    (found,) = rankings(three, registry)
    assert sorted(ranks(found).values()) == [1, 1, 3]
    assert ranks(found)["full"] == 3
    assert [entry.significant for entry in found.entries] == [None, False, True]
    assert found.entries[0].p is None


def test_images_are_kept_once_for_all_rows(three: Path, registry: Registry) -> None:
    first, other, *_ = [
        read_seed_predictions(cell, cell.key) for cell in find_runs([three]).cells()
    ]
    shared = other.share_arrays(first)
    assert shared.labels is first.labels
    assert shared.indices is first.indices
    unlike = replace(first, labels=first.labels[::-1].copy())
    assert other.share_arrays(unlike) is other


def test_p_values_are_corrected_for_all_pairs(three: Path, registry: Registry) -> None:
    (found,) = rankings(three, registry)
    samples = [read_seed_predictions(entry.cell, entry.name) for entry in found.entries]
    family = compare_family(samples, "accuracy", DEFAULT_RULE)
    assert family is not None
    assert [entry.p for entry in found.entries[1:]] == family.p[0, 1:].tolist()
    assert {entry.claim for entry in found.entries} == {"methods"}


@pytest.mark.full
def test_of_equal_methods_all_share_rank_1(tmp_path: Path, registry: Registry) -> None:
    """Eight rows, three seeds: the best is selected after the comparison."""
    cells = drawn(tmp_path, registry, rows=8, seeds=3)
    separated = 0
    for world in range(40):
        (found,) = redrawn(cells, registry, np.random.default_rng(world))
        separated += any(entry.rank != 1 for entry in found.entries)
    assert separated <= 5


def test_rows_of_one_seed_share_a_rank_and_have_no_p_value(
    tmp_path: Path, registry: Registry
) -> None:
    for method, skill in (("lora", 2.5), ("bitfit", 0.0), ("full", -2.0)):
        store(tmp_path, spec_of(registry, method=method), skill=skill)
    (found,) = rankings(tmp_path, registry)
    for entry in found.entries:
        assert (entry.rank, entry.p, entry.significant) == (1, None, None)
        assert entry.claim == "none: one seed"
    assert found.notes[0].startswith("NO CLAIM about the methods of 3 of 3 rows")


def test_a_row_of_one_seed_hides_nothing_of_the_others(tmp_path: Path, registry: Registry) -> None:
    """The best and the third have one seed; the others are compared with each other."""
    store(tmp_path, spec_of(registry, method="lora"), skill=3.0)
    store(tmp_path, spec_of(registry, method="vpt"), skill=0.6)
    for seed in range(3):
        store(tmp_path, spec_of(registry, method="bitfit", seed=seed), skill=1.5)
        store(tmp_path, spec_of(registry, method="full", seed=seed), skill=-0.5)
    (found,) = rankings(tmp_path, registry)
    assert list(ranks(found).items()) == [("lora", 1), ("bitfit", 1), ("vpt", 1), ("full", 4)]
    assert [entry.p is None for entry in found.entries] == [True, True, True, False]


def test_later_groups_are_made_against_their_own_first(tmp_path: Path, registry: Registry) -> None:
    for seed in range(3):
        for method, skill in (("lora", 2.5), ("bitfit", 0.5), ("vpt", 0.45), ("full", -1.5)):
            store(tmp_path, spec_of(registry, method=method, seed=seed), skill=skill)
    (found,) = rankings(tmp_path, registry)
    assert ranks(found) == {"lora": 1, "bitfit": 2, "vpt": 2, "full": 4}


def test_the_metric_decides_the_order(tmp_path: Path, registry: Registry) -> None:
    for method, few in (("lora", 10.0), ("bitfit", 90.0)):
        spec = spec_of(registry, method=method)
        store(tmp_path, spec, skill=1.0, changed={"metrics": {"few": few}})
    (found,) = rankings(tmp_path, registry, metric="few")
    assert [entry.name for entry in found.entries] == ["bitfit", "lora"]
    assert found.metric == "few"


@pytest.mark.parametrize(
    "other",
    [
        {"inference": "center"},
        {"select": "val"},
        {"split": "val"},
        {"dataset__ratio": 50.0},
        {"data_seed": 1},
    ],
)
def test_other_conditions_are_another_ranking(
    tmp_path: Path, registry: Registry, other: dict[str, Any]
) -> None:
    store(tmp_path, spec_of(registry, method="lora"))
    store(tmp_path, spec_of(registry, method="lora", **other))
    found = rankings(tmp_path, registry)
    assert [ranks(each) for each in found] == [{"lora": 1}, {"lora": 1}]
    assert len({each.conditions for each in found}) == 2


def test_other_shot_rules_are_another_ranking(tmp_path: Path, registry: Registry) -> None:
    for seed, rule in enumerate(("exclusive", "inclusive")):
        spec = spec_of(registry, seed=seed)
        store(tmp_path, spec, changed={"metrics": {"shot_rule": rule}})
    found = rankings(tmp_path, registry)
    assert [each.conditions.shot_rule for each in found] == ["exclusive", "inclusive"]
    assert [each.entries[0].cell.seeds for each in found] == [(0,), (1,)]


def test_data_sets_of_other_content_have_different_labels(
    tmp_path: Path, registry: Registry
) -> None:
    spec = spec_of(registry)
    store(tmp_path, spec)
    store(tmp_path, replace(spec, dataset=replace(spec.dataset, identity="sha256:0123456789ab")))
    found = [each.conditions.dataset for each in rankings(tmp_path, registry)]
    assert "digits_lt [456789ab]" in found
    assert len(set(found)) == 2


def test_views_of_one_kind_are_ranked_together(tmp_path: Path, registry: Registry) -> None:
    for expand in (2, 6):
        store(tmp_path, spec_of(registry, method="lora", inference__expand=expand))
    (found,) = rankings(tmp_path, registry)
    assert {"lora (inference.expand=2)", "lora (inference.expand=6)"} == set(ranks(found))


def test_one_method_with_one_seed(tmp_path: Path, registry: Registry) -> None:
    store(tmp_path, spec_of(registry))
    (found,) = rankings(tmp_path, registry)
    (entry,) = found.entries
    assert (entry.rank, entry.p, entry.significant) == (1, None, None)
    assert list(entry.intervals) == list(ACCURACIES)
    low, high = entry.intervals["accuracy"]
    assert 0 <= low < entry.cell.runs[0].metrics.accuracy < high <= 100


@pytest.mark.parametrize("seeds", [(1, 2, 3), (7, 8, 9)])
def test_seeds_need_not_be_the_same(
    tmp_path: Path, registry: Registry, seeds: tuple[int, ...]
) -> None:
    for method, own, skill in (("lora", (0, 1, 2), 2.0), ("bitfit", seeds, -0.5)):
        for seed in own:
            store(tmp_path, spec_of(registry, method=method, seed=seed), skill=skill)
    (found,) = rankings(tmp_path, registry)
    assert ranks(found) == {"lora": 1, "bitfit": 2}
    assert found.entries[1].significant
    assert not found.notes


def test_without_predictions_there_is_no_interval(three: Path, registry: Registry) -> None:
    for path in (three / "digits_lt" / "clip_tiny" / "bitfit").glob("*/predictions-*"):
        path.unlink()
    (found,) = rankings(three, registry)
    missing = next(entry for entry in found.entries if entry.name == "bitfit")
    assert (missing.intervals, missing.p, missing.significant) == ({}, None, None)
    assert any(note.startswith("bitfit has no interval and no p value") for note in found.notes)


def test_many_rows_without_predictions_are_counted(three: Path, registry: Registry) -> None:
    for method in ("adaptformer", "ncm"):
        store(three, spec_of(registry, method=method))
    for path in three.rglob("predictions-*"):
        path.unlink()
    (found,) = rankings(three, registry)
    unread = [note for note in found.notes if "no interval and no p value" in note]
    assert all("predictions" in note for note in unread[:3])
    assert unread[3:] == ["2 more rows have no interval and no p value"]


def test_cells_without_the_shot_group_come_last_and_have_no_rank(
    tmp_path: Path, registry: Registry
) -> None:
    store(tmp_path, spec_of(registry, method="lora"), counts=np.maximum(COUNTS, 30))
    (found,) = rankings(tmp_path, registry, metric="few")
    assert ranks(found) == {"lora": None}


def test_only_the_best_of_very_many_are_tested(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "MAX_TESTED_ROWS", 2)
    for dim, seed in itertools.product((1, 2, 4), (0, 1)):
        spec = spec_of(registry, method="lora", method__dim=dim, seed=seed)
        store(tmp_path, spec, skill=1 + dim / 4)
    (found,) = rankings(tmp_path, registry)
    assert [entry.p is None for entry in found.entries] == [True, False, True]
    assert found.entries[2].rank == 3
    assert found.entries[2].claim == "none: not tested"
    assert "only the 2 best of 3 rows are compared with each other" in found.notes
