"""Equivalence tests of measured accuracies with published numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.comparison.labels import label_cells
from ltbench.analysis.comparison.published_targets import Target
from ltbench.analysis.stats.equivalence import Equivalence, equivalence_test
from ltbench.analysis.stats.multiplicity import correct_p_values
from ltbench.errors import ConfigError
from ltbench.storage.results import Cell

Verdict = Literal["equivalent", "inconclusive", "different", "untested"]
_MAX_SEEDS_NEEDED = 1000  # larger numbers of seeds are not suggested


@dataclass(frozen=True)
class EquivalenceTest:
    """Tests that a difference lies within a margin, and that it lies beyond it. Percent points.

    Args:
        found: Difference, p value and interval of two one-sided t tests, not corrected.
        p: P value of the claim that the difference is within the margin, corrected.
        p_beyond: P value of the claim that the difference is beyond the margin, corrected.
        seeds_needed: Approximate number of seeds that would show equivalence with the same mean and
            standard deviation; None where equivalence is decided or no such number is found.
    """

    found: Equivalence
    p: float
    p_beyond: float
    seeds_needed: int | None


@dataclass(frozen=True)
class Reproduction:
    """Comparison of a cell with a published number.

    Args:
        cell: Measured runs.
        name: Label of the cell.
        target: Published number.
        values: (S,) accuracies of the seeds in percent.
        test: Equivalence test; None with a single seed.
        verdict: Result: "equivalent", the difference is within the margin; "different", it is
            beyond the margin; "inconclusive", neither is significant; "untested", a single seed.
    """

    cell: Cell
    name: str
    target: Target
    values: NDArray[np.float64]
    test: EquivalenceTest | None
    verdict: Verdict

    @property
    def mean(self) -> float:
        """Mean over the seeds, in percent."""
        return float(self.values.mean())

    @property
    def difference(self) -> float:
        """Mean minus the published number, in percent points."""
        return self.mean - self.target.value


@dataclass(frozen=True)
class Reproductions:
    """Comparisons of several cells with published numbers.

    Args:
        each: Comparisons, in the order given.
        metric: Name of the accuracy.
        margin: Largest irrelevant difference, in percent points.
        level: Confidence level of the tests, 0 to 1.
        tests: Number of tests that p values are corrected for (Holm).
    """

    each: tuple[Reproduction, ...]
    metric: str
    margin: float
    level: float
    tests: int

    @property
    def interval_level(self) -> float:
        """Coverage of the interval that corresponds to two one-sided tests at `level`."""
        return round(2 * self.level - 1, 12)


def compare_with_published(
    pairs: Sequence[tuple[Cell, Target]], metric: str, margin: float, *, level: float = 0.95
) -> Reproductions:
    """Tests whether the mean over a cell's seeds is within a margin of a published number.

    Args:
        pairs: Cells and published numbers.
        metric: Name of the accuracy.
        margin: Largest irrelevant difference, in percent points, above 0.
        level: Confidence level, 0 to 1. P values are corrected for several numbers (Holm), for the
            claims "within the margin" and "beyond the margin" separately.

    Raises:
        ConfigError: The shot group of the metric has no classes in a cell.
    """
    values = [_seed_accuracies(cell, metric) for cell, _ in pairs]
    found = [
        equivalence_test(each, target.value, margin, level=level) if len(each) > 1 else None
        for each, (_, target) in zip(values, pairs, strict=True)
    ]
    tested = [each for each in found if each is not None]
    within = iter(correct_p_values([each.p for each in tested], "holm"))
    # The t statistics of the two claims differ only in sign.
    beyond = iter(correct_p_values([1 - each.p for each in tested], "holm"))
    strictest = 1 - (1 - level) / max(len(tested), 1)
    named = label_cells([cell for cell, _ in pairs])
    done = []
    for (cell, target), name, each, one in zip(pairs, named, values, found, strict=True):
        test: EquivalenceTest | None = None
        verdict: Verdict = "untested"
        if one is not None:
            p, p_beyond = float(next(within)), float(next(beyond))
            verdict = _verdict(p, p_beyond, level)
            needed = None
            if verdict == "inconclusive":
                needed = _seeds_needed(each, margin - abs(one.difference), strictest)
            test = EquivalenceTest(one, p, p_beyond, needed)
        done.append(Reproduction(cell, name, target, each, test, verdict))
    return Reproductions(tuple(done), metric, margin, level, len(tested))


def _seed_accuracies(cell: Cell, metric: str) -> NDArray[np.float64]:
    values = [run.metrics.value(metric) for run in cell.runs]
    if any(value is None for value in values):
        raise ConfigError(
            f"the runs in {cell.runs[0].path.parent} have no {metric}-shot classes",
            hint="choose another --metric, or give other runs",
        )
    found = np.array(values, dtype=np.float64)
    # No seed would give another value: those of its stored runs, and of one more at least.
    return np.repeat(found, max(2, 1 + len(cell.repeats))) if cell.seedless else found


def _verdict(p: float, p_beyond: float, level: float) -> Verdict:
    if p < 1 - level:
        return "equivalent"
    return "different" if p_beyond < 1 - level else "inconclusive"


def _seeds_needed(values: NDArray[np.float64], room: float, level: float) -> int | None:
    from scipy.stats import t as student

    counts = np.arange(len(values) + 1, _MAX_SEEDS_NEEDED + 1)
    reach = student.ppf(level, counts - 1) * values.std(ddof=1) / np.sqrt(counts)
    enough = counts[reach < room]
    return int(enough[0]) if len(enough) else None
