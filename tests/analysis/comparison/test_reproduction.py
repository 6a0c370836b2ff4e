from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import t as student

from ltbench.analysis.comparison.published_targets import Target, match_targets, resolve_targets
from ltbench.analysis.comparison.reproduction import Reproductions, compare_with_published
from ltbench.analysis.comparison.reproduction_text import (
    describe_close_target,
    reproduction_notes,
    reproduction_sentence,
)
from ltbench.errors import ConfigError
from ltbench.published import PublishedResult
from ltbench.registry.component import Published
from ltbench.registry.registry import Registry
from ltbench.storage.results import Cell, find_runs
from tests.runs import UNTRAINED, altered, spec_of, store

Make = Callable[..., Cell]
PAPER = Target(78.3, "Doe, 2025")


@pytest.fixture
def make(tmp_path: Path, registry: Registry) -> Make:
    """Stores a cell whose seeds have given accuracies."""

    def cell(*accuracies: float | None, metric: str = "accuracy", **settings: Any) -> Cell:
        out = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        for seed, accuracy in enumerate(accuracies):
            changed = {"metrics": {metric: accuracy}}
            store(out, spec_of(registry, seed=seed, **settings), changed=changed)
        (made,) = find_runs([out]).cells()
        return made

    return cell


def published(registry: Registry, **changed: Any) -> Registry:
    """Returns a registry with one published number."""
    result = PublishedResult(
        **{
            "dataset": "digits_lt",
            "backbone": "clip_tiny",
            "method": "lift",
            "metrics": {"accuracy": 78.3},
            "source": "Doe, 2025",
            **changed,
        }
    )
    return replace(registry, published=(Published(result, registry.plugins[0]),))


def said(found: Reproductions) -> str:
    (one,) = found.each
    return reproduction_sentence(one, found)


def test_seeds_close_to_the_number_reproduce_it(make: Make) -> None:
    # Mean 78.1, standard deviation 0.1, standard error 0.1 / sqrt(3), t(0.95, 2) = 2.91999.
    found = compare_with_published([(make(78.0, 78.1, 78.2), PAPER)], "accuracy", 0.5)
    (one,) = found.each
    assert one.test is not None
    assert one.verdict == "equivalent"
    assert one.difference == pytest.approx(-0.2)
    error = 0.1 / 3**0.5
    assert (one.test.found.low, one.test.found.high) == pytest.approx(
        (-0.2 - 2.91999 * error, -0.2 + 2.91999 * error), abs=1e-5
    )
    # t with 2 degrees of freedom: p = 1/2 - t / (2 sqrt(2 + t^2)), with t = 0.3 / error.
    t = 0.3 / error
    assert one.test.p == pytest.approx(0.5 - t / (2 * (2 + t**2) ** 0.5))
    assert one.test.p + one.test.p_beyond == pytest.approx(1)
    assert found.interval_level == pytest.approx(0.9)
    assert said(found) == (
        "lift_plus on digits_lt with clip_tiny reproduces 78.3 % (Doe, 2025) in overall accuracy: "
        "78.10 over 3 seeds, difference -0.20 points [-0.37, -0.03] lies within the margin of 0.5, "
        "p = 0.018 (one comparison)"
    )


def test_seeds_that_spread_show_nothing(make: Make) -> None:
    cell = make(77.6, 78.1, 78.6)
    found = compare_with_published([(cell, PAPER)], "accuracy", 0.5)
    (one,) = found.each
    assert one.test is not None
    assert one.verdict == "inconclusive"
    needed = one.test.seeds_needed
    assert needed is not None

    def reach(seeds: int) -> float:
        return float(student.ppf(0.95, seeds - 1)) * 0.5 / seeds**0.5

    # The spread is 0.5 and there are 0.3 points left.
    assert reach(needed) < 0.3 <= reach(needed - 1)
    assert said(found) == (
        "lift_plus on digits_lt with clip_tiny does not show equivalence with 78.3 % (Doe, 2025) "
        "in overall accuracy: 78.10 over 3 seeds, difference -0.20 points [-1.04, 0.64] extends "
        "beyond the margin of 0.5, p = 0.20 (one comparison); more seeds are needed, about "
        f"{needed} if mean and standard deviation stay the same"
    )


def test_no_number_of_seeds_helps_where_the_mean_is_beyond_the_margin(make: Make) -> None:
    found = compare_with_published([(make(77.2, 77.7, 78.2), PAPER)], "accuracy", 0.5)
    assert found.each[0].verdict == "inconclusive"
    assert found.each[0].test is not None
    assert found.each[0].test.seeds_needed is None
    assert said(found).endswith(
        "the difference is 0.60 points, and more seeds are needed to decide whether it is beyond "
        "the margin"
    )


def test_seeds_far_from_the_number_do_not_reproduce_it(make: Make) -> None:
    found = compare_with_published([(make(76.0, 76.1, 76.2), PAPER)], "accuracy", 0.5)
    (one,) = found.each
    assert one.test is not None
    assert one.verdict == "different"
    assert one.test.found.high < -0.5
    t = 1.7 / (0.1 / 3**0.5)
    assert one.test.p_beyond == pytest.approx(0.5 - t / (2 * (2 + t**2) ** 0.5))
    assert said(found).endswith(
        "does not reproduce 78.3 % (Doe, 2025) in overall accuracy: 76.10 over 3 seeds, difference "
        "-2.20 points [-2.37, -2.03] lies outside the margin of 0.5, p < 0.001 (one comparison)"
    )


def test_one_seed_is_not_tested(make: Make) -> None:
    found = compare_with_published([(make(78.3), PAPER)], "accuracy", 0.5)
    (one,) = found.each
    assert (one.verdict, one.test, found.tests) == ("untested", None, 0)
    assert said(found) == (
        "lift_plus on digits_lt with clip_tiny was not tested against 78.3 % (Doe, 2025) in "
        "overall accuracy: 78.30 over one seed, difference 0.00 points; a test needs two "
        "seeds or more"
    )
    assert list(reproduction_notes(found)) == []


def test_seeds_without_spread(make: Make) -> None:
    found = compare_with_published([(make(78.2, 78.2), PAPER)], "accuracy", 0.5)
    assert found.each[0].verdict == "equivalent"
    assert "every seed has the same accuracy" in " ".join(reproduction_notes(found))
    far = compare_with_published([(make(70.0, 70.0), PAPER)], "accuracy", 0.5)
    assert far.each[0].verdict == "different"


def test_one_run_of_a_method_without_seeds_is_all_of_it(registry: Registry, tmp_path: Path) -> None:
    changed = {**UNTRAINED, "metrics": {"accuracy": 78.0}}
    store(tmp_path, spec_of(registry, method="zero_shot"), changed=changed)
    found = compare_with_published([(find_runs([tmp_path]).cells()[0], PAPER)], "accuracy", 0.5)
    assert found.each[0].verdict == "equivalent"
    assert "78.00 over every seed, difference -0.30 points [-0.30, -0.30] lies within" in said(
        found
    )


def test_several_numbers_are_corrected_by_holm(make: Make) -> None:
    good, poor = make(78.0, 78.1, 78.2), make(77.98, 78.1, 78.22, method="lift")
    pairs = [(good, PAPER), (poor, PAPER), (make(78.1, method="bitfit"), PAPER)]
    alone = [compare_with_published([pair], "accuracy", 0.5).each[0].test for pair in pairs[:2]]
    assert alone[0] is not None
    assert alone[1] is not None
    found = compare_with_published(pairs, "accuracy", 0.5)
    tests = [one.test for one in found.each]
    assert tests[0] is not None
    assert tests[1] is not None
    assert tests[2] is None
    assert found.tests == 2
    assert alone[0].p < alone[1].p < 0.05
    assert tests[0].p == pytest.approx(2 * alone[0].p)
    assert tests[1].p == pytest.approx(max(2 * alone[0].p, alone[1].p))
    assert "(Holm, 2 comparisons)" in reproduction_sentence(found.each[0], found)


def test_an_interval_within_the_margin_is_not_enough_among_many(make: Make) -> None:
    cell = make(77.96, 78.1, 78.24)
    found = compare_with_published([(cell, PAPER)] * 3, "accuracy", 0.5)
    one = found.each[0]
    assert one.test is not None
    assert one.test.found.low > -0.5
    assert one.verdict == "inconclusive"
    assert one.test.seeds_needed is not None
    assert one.test.seeds_needed > 3
    assert (
        "lies within the margin of 0.5, but not after the correction for 3 numbers"
        in reproduction_sentence(one, found)
    )


def test_a_group_without_classes_is_an_error(make: Make) -> None:
    with pytest.raises(ConfigError, match="no few-shot classes"):
        compare_with_published([(make(None, None, metric="few"), PAPER)], "few", 0.5)


def test_what_a_reader_must_know(make: Make) -> None:
    cell = make(78.0, 78.1, metric="few", data_seed=5)
    skipped = {"evaluation": {"skipped_images": 2}}
    cell = replace(cell, runs=tuple(altered(run, skipped) for run in cell.runs))
    text = "\n".join(reproduction_notes(compare_with_published([(cell, PAPER)], "few", 0.5)))
    assert "a coverage of 90 %, which corresponds to two one-sided t tests at 95 %" in text
    assert "other seeds on the same test images, not to other images" in text
    assert "few is fewer than 20" in text
    assert "4 corrupt test images were skipped" in text
    assert "data_seed is 5" in text


def matched(registry: Registry, cell: Cell, **changed: Any) -> tuple[int, dict[str, list[str]]]:
    known, faults = resolve_targets(published(registry, **changed), "accuracy")
    assert faults == []
    found = match_targets([cell], known)
    assert len(found.pairs) + len(found.close) + len(found.unmatched) == 1
    return len(found.pairs), found.close[0].differences if found.close else {}


def test_the_same_choices_match(make: Make, registry: Registry) -> None:
    assert matched(registry, make(78.0, method="lift")) == (1, {})
    center = make(78.0, method="lift", inference="center")
    assert matched(registry, center, settings={"inference": "center"}) == (1, {})
    ratio = make(78.0, method="lift", dataset__ratio=10)
    assert matched(registry, ratio, settings={"dataset.ratio": 10}) == (1, {})


def test_what_papers_do_not_say_is_ignored(make: Make, registry: Registry) -> None:
    cell = make(78.0, method="lift", data_seed=3, precision="fp32", on_corrupt="skip")
    run = cell.runs[0]
    dataset = replace(run.spec.dataset, identity="sha256:0", plugin="ltbench 9")
    spec = replace(run.spec, dataset=dataset)
    other = Cell(cell.key, (altered(run, {"spec": spec}),))
    assert matched(registry, other) == (1, {})


@pytest.mark.parametrize(
    ("settings", "unlike"),
    [
        ({"train__lr": 0.02}, {"train.lr": ["0.01", "0.02"]}),
        ({"train__epochs": 3}, {"train.epochs": ["10", "3"]}),
        ({"inference": "center"}, {"inference": ["tte", "center"]}),
        ({"split": "val"}, {"split": ["test", "val"]}),
        ({"select": "val"}, {"select": ["last", "val"]}),
        ({"method__layers": 1}, {"method.layers": ["all", "1"]}),
    ],
)
def test_other_choices_are_close(
    make: Make, registry: Registry, settings: dict[str, Any], unlike: dict[str, list[str]]
) -> None:
    assert matched(registry, make(78.0, method="lift", **settings)) == (0, unlike)


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "lift_plus"},
        {"method": "lift", "dataset": "glyphs_lt"},
        {"method": "lift", "dataset__ratio": 7},
    ],
)
def test_other_methods_and_data_are_not_close(
    make: Make, registry: Registry, settings: dict[str, Any]
) -> None:
    assert matched(registry, make(78.0, **settings)) == (0, {})


def test_a_close_number_is_left_out_where_another_matches(make: Make, registry: Registry) -> None:
    one = published(registry).published
    other = published(registry, settings={"inference": "center"}).published
    known, _ = resolve_targets(replace(registry, published=one + other), "accuracy")
    assert len(known) == 2
    found = match_targets([make(78.0, method="lift")], known)
    assert (len(found.pairs), found.close) == (1, ())


def test_what_is_close_in_words(make: Make, registry: Registry) -> None:
    known, _ = resolve_targets(published(registry), "accuracy")
    (close,) = match_targets([make(78.0, method="lift", train__lr=0.02)], known).close
    assert describe_close_target(close) == (
        "lift on digits_lt with clip_tiny: 78.3 % (Doe, 2025) differs in train.lr 0.01 | 0.02 "
        "(published | here)"
    )


def test_numbers_of_methods_elsewhere_are_no_targets(registry: Registry) -> None:
    for changed in ({"method": "VL-LTR"}, {"backbone": "ResNeXt-50"}, {"dataset": "LVIS"}):
        assert resolve_targets(published(registry, **changed), "accuracy") == ([], [])
    assert resolve_targets(published(registry), "few") == ([], [])


def test_invalid_settings_are_reported_with_their_plugin(registry: Registry) -> None:
    sick = published(registry, settings={"train.speed": 3})
    known, (fault,) = resolve_targets(sick, "accuracy")
    assert known == []
    assert f"of lift on digits_lt with clip_tiny (plugin {registry.plugins[0].name})" in fault
    assert "train.speed" in fault


def test_cells_of_one_method_have_different_names(make: Make) -> None:
    pairs = [(make(78.0, 78.1, dataset__ratio=ratio), PAPER) for ratio in (10, 20)]
    named = [one.name for one in compare_with_published(pairs, "accuracy", 0.5).each]
    assert named == [
        "lift_plus on digits_lt with clip_tiny (dataset.ratio 10.0)",
        "lift_plus on digits_lt with clip_tiny (dataset.ratio 20.0)",
    ]
