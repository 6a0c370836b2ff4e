"""The answer of a comparison."""

from __future__ import annotations

import doctest

import pytest

from ltbench.analysis.comparison import verdict as module
from ltbench.analysis.comparison.compare_options import CompareOptions
from ltbench.analysis.comparison.pairs import DifferenceEvidence, MetricComparison, PairComparison
from ltbench.analysis.comparison.seed_predictions import SeedPredictions, read_seed_predictions
from ltbench.analysis.comparison.verdict import better_names, verdict
from ltbench.registry.registry import Registry
from ltbench.storage.results import find_runs
from tests.runs import spec_of, store

OPTIONS = CompareOptions("holm", 4, 0.95, None)
HOLM = "(Holm, 4 comparisons)"


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> list[SeedPredictions]:
    folder = tmp_path_factory.mktemp("runs")
    for method in ("bitfit", "lora"):
        store(folder, spec_of(registry, method=method))
    return [read_seed_predictions(c, c.spec.method.name) for c in find_runs([folder]).cells()]


def test_examples() -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("differences", "said"),
    [
        (
            {"accuracy": (3.1, 0.004), "many": (0.2, 0.6), "medium": (-0.2, 0.6), "few": (5, 0.01)},
            f"bitfit is better than lora in overall accuracy by 3.1 points [2.1, 4.1], p = 0.004 "
            f"{HOLM}; better also on few-shot classes; tie on many-shot and medium-shot classes",
        ),
        (
            {"accuracy": (-3.1, 0.0001), "few": (-5.0, 0.01)},
            f"lora is better than bitfit in overall accuracy by 3.1 points [2.1, 4.1], p < 0.001 "
            f"{HOLM}; better also on few-shot classes",
        ),
        (
            {"accuracy": (0.1, 0.7), "many": (-4.0, 0.01), "few": (5.0, 0.01)},
            f"lora is better than bitfit on many-shot classes by 4.0 points [3.0, 5.0], p = 0.010 "
            f"{HOLM}; bitfit is better on few-shot classes; tie in overall accuracy",
        ),
        (
            {"accuracy": (-0.4, 0.7), "few": (0.5, 0.9)},
            "tie: no difference was found between bitfit and lora in any of 2 accuracies; in "
            f"overall accuracy -0.4 points [-1.4, 0.6], p = 0.70 {HOLM}",
        ),
        (
            {"few": (0.5, 0.9)},
            "tie: no difference was found between bitfit and lora; on few-shot classes 0.5 points "
            f"[-0.5, 1.5], p = 0.90 {HOLM}",
        ),
        ({"many": None}, "no comparison of bitfit and lora: no classes with test images"),
    ],
)
def test_answers(
    samples: list[SeedPredictions], differences: dict[str, tuple[float, float] | None], said: str
) -> None:
    outcomes = {
        metric: None if found is None else outcome(metric, *found)
        for metric, found in differences.items()
    }
    pair = PairComparison(*samples, (0, 1), "exclusive", outcomes)
    assert verdict(pair, OPTIONS, "accuracy") == said


def test_one_seed_is_named(samples: list[SeedPredictions]) -> None:
    found = {"accuracy": outcome("accuracy", 3.1, 0.004), "many": None}
    pair = PairComparison(*samples, (7,), "exclusive", found)
    assert verdict(pair, OPTIONS, "accuracy").startswith(
        "bitfit with seed 7 is better than lora with seed 7 in overall accuracy"
    )
    assert better_names(pair, OPTIONS) == ["bitfit", "-"]


def outcome(metric: str, difference: float, p: float) -> MetricComparison:
    low, high = difference - 1, difference + 1
    evidence = DifferenceEvidence(difference, low, high, "some test", p, 2.3, False)
    return MetricComparison(metric, 4, 80.0, 80.0 - difference, evidence, p, None)
