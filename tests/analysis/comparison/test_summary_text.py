"""Names, differences and sentences of comparisons."""

from __future__ import annotations

import doctest
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ltbench.analysis.comparison import config_diff as differences
from ltbench.analysis.comparison import pairs
from ltbench.analysis.comparison import summary_text as words
from ltbench.analysis.comparison.config_diff import diff_cells, format_diff, name_cells
from ltbench.analysis.comparison.pairs import DifferenceEvidence, MetricComparison, PairComparison
from ltbench.analysis.comparison.seed_predictions import SeedPredictions, read_seed_predictions
from ltbench.registry.registry import Registry
from ltbench.storage.results import Cell, find_runs
from tests.runs import spec_of, store


@pytest.fixture
def cells(tmp_path: Path, registry: Registry) -> list[Cell]:
    for settings in (
        {"method": "bitfit"},
        {"method": "lora", "method__dim": 4},
        {"method": "lora", "method__dim": 8},
    ):
        for seed in (0, 1):
            store(tmp_path, spec_of(registry, seed=seed, **settings))
    found = find_runs([tmp_path]).cells()
    return sorted(found, key=lambda cell: (cell.spec.method.name, str(cell.spec.method.options)))


def samples(cells: list[Cell]) -> list[SeedPredictions]:
    return [
        read_seed_predictions(cell, name)
        for cell, name in zip(cells, name_cells(cells), strict=True)
    ]


def test_cells_are_named_by_what_tells_them_apart(cells: list[Cell]) -> None:
    assert name_cells(cells) == ["bitfit", "lora (method.dim=4)", "lora (method.dim=8)"]
    assert name_cells(cells[:2]) == ["bitfit", "lora"]


def test_options_of_other_components_are_no_differences_of_their_own(cells: list[Cell]) -> None:
    assert list(diff_cells(cells[1:])) == ["method.dim"]
    unlike = diff_cells(cells[:2])
    assert unlike["method"] == ["bitfit", "lora"]
    assert not [key for key in unlike if key.startswith("method.")]


def test_many_differences_are_cut_short() -> None:
    unlike = {f"key{number}": ["a", "b"] for number in range(11)}
    assert format_diff(unlike).endswith("key7 a | b and 3 more")
    cells = [str(number % 100) for number in range(4000)]
    assert format_diff({"lr": cells}) == "lr 0 | 1 | 2 | 3 | 4 | 5 and 94 more"
    assert format_diff({"lr": ["a", "b"] * 9}) == "lr a | b"


@pytest.mark.parametrize("module", [differences, words])
def test_examples(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def outcome(difference: float, low: float, high: float, p: float) -> MetricComparison:
    evidence = DifferenceEvidence(difference, low, high, "some test", p, 2.3, False)
    return MetricComparison("few", 4, 80.0, 80.0 - difference, evidence, p, None)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            outcome(3.1, 1.2, 5.0, 0.004),
            "bitfit is better than lora on few-shot classes by 3.1 points [1.2, 5.0], p = 0.004 "
            "(Holm, 5 comparisons)",
        ),
        (
            outcome(-3.1, -5.0, -1.2, 0.0004),
            "bitfit is worse than lora on few-shot classes by 3.1 points [1.2, 5.0], p < 0.001 "
            "(Holm, 5 comparisons)",
        ),
        (
            outcome(0.4, -0.9, 1.7, 0.41),
            "no difference was found between bitfit and lora on few-shot classes: 0.4 points "
            "[-0.9, 1.7], p = 0.41 (Holm, 5 comparisons); a true difference of 2.3 points would be "
            "found 4 times in 5 by a single comparison",
        ),
        (None, "few-shot: no classes with test images, no comparison"),
    ],
)
def test_sentences(cells: list[Cell], found: MetricComparison | None, said: str) -> None:
    first, second = samples(cells[:2])
    pair = PairComparison(first, second, (0, 1), "exclusive", {"few": found})
    assert words.comparison_sentence(pair, "few", "holm", 5, 0.95) == said


def test_models_that_are_right_on_the_same_images(cells: list[Cell]) -> None:
    one = samples(cells)[0]
    pair = pairs.compare_pair(one, replace(one, name="twin"), ["accuracy"])
    assert words.comparison_sentence(pair, "accuracy", "holm", 1, 0.95).endswith(
        "correct on the same images"
    )


def test_pairs_equal_the_stored_metrics(cells: list[Cell]) -> None:
    first, second = samples(cells[:2])
    found = pairs.compare_pair(first, second).outcomes
    for metric, each in found.items():
        assert each is not None
        by_seed = [
            getattr(one.metrics, metric) - getattr(other.metrics, metric)
            for one, other in zip(first.cell.runs, second.cell.runs, strict=True)
        ]
        assert each.evidence.across_seeds is not None
        np.testing.assert_allclose(each.evidence.across_seeds.differences, by_seed, atol=1e-9)
        assert each.evidence.difference == pytest.approx(np.mean(by_seed))
        assert each.evidence.low <= each.evidence.difference <= each.evidence.high


def of_right(sample: SeedPredictions, right: list[list[int]], name: str) -> SeedPredictions:
    """Returns predictions that are correct on these images, all of one class."""
    rows = np.array(right, dtype=bool)
    images = np.arange(rows.shape[1])
    return replace(sample, name=name, indices=images, labels=np.zeros(len(images), int), right=rows)


def test_models_of_which_one_is_always_wrong_are_not_right_on_the_same_images(
    cells: list[Cell],
) -> None:
    """Five images, nothing varies: -100 points; the sign test's p is 2 / 2^5."""
    one = samples(cells)[0]
    wrong, right = of_right(one, [[0] * 5] * 2, "wrong"), of_right(one, [[1] * 5] * 2, "right")
    pair = pairs.compare_pair(wrong, right, ["accuracy"])
    found = pair.outcomes["accuracy"]
    assert found is not None
    evidence = found.evidence
    assert (found.first, found.second, evidence.difference) == (0.0, 100.0, -100.0)
    assert evidence.p == pytest.approx(0.0625)
    assert (evidence.low, evidence.high) == (-100.0, pytest.approx(100 * (1 - 2 * 0.025**0.2)))
    assert 0 < evidence.detectable <= 100
    said = words.comparison_sentence(pair, "accuracy", "holm", 1, 0.95)
    assert "same images" not in said
    assert "-100.0 points [-100.0, 4.4], p = 0.062 (one comparison)" in said


def test_nine_of_nine_images_of_one_seed_are_not_certain(cells: list[Cell]) -> None:
    one = samples(cells)[0]
    one = replace(one, cell=replace(one.cell, runs=one.cell.runs[:1]))
    right, wrong = of_right(one, [[1] * 9], "right"), of_right(one, [[0] * 9], "wrong")
    pair = pairs.compare_pair(right, wrong, ["accuracy"])
    found = pair.outcomes["accuracy"]
    assert found is not None
    evidence = found.evidence
    assert (found.first, evidence.difference, evidence.high) == (100.0, 100.0, 100.0)
    assert evidence.low == pytest.approx(100 * (2 * 0.025 ** (1 / 9) - 1))
    said = words.comparison_sentence(pair, "accuracy", "holm", 1, 0.95)
    assert said.startswith("right with seed 0 is better than wrong with seed 0 in overall accuracy")


@pytest.mark.parametrize("seeds", [1, 2])
def test_intervals_exclude_zero_exactly_where_p_is_small_and_stay_within_100_points(
    cells: list[Cell], seeds: int
) -> None:
    one = samples(cells)[0]
    one = replace(one, cell=replace(one.cell, runs=one.cell.runs[:seeds]))
    random = np.random.default_rng(1)
    for images in (2, 5, 9, 14, 40):
        for share in (0.0, 0.05, 0.2, 0.4):
            drawn = [random.random((seeds, images)) < each for each in (1 - share, share)]
            first, second = (of_right(one, each.tolist(), "a") for each in drawn)
            found = pairs.compare_pair(first, second, ["accuracy"]).outcomes["accuracy"]
            assert found is not None
            evidence = found.evidence
            assert -100 <= evidence.low <= evidence.difference <= evidence.high <= 100
            assert (evidence.low > 0 or evidence.high < 0) == (evidence.p < 1 - 0.95)
