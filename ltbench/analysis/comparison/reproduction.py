"""Measured seeds against a published number: is it reproduced?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.comparison.labels import labels
from ltbench.analysis.comparison.published_targets import Target
from ltbench.analysis.stats.equivalence import Equivalence, equivalence
from ltbench.analysis.stats.multiplicity import correct
from ltbench.errors import ConfigError
from ltbench.storage.results import Cell

Verdict = Literal["equivalent", "inconclusive", "different", "untested"]
_MOST_SEEDS = 1000  # that anybody would be told to run


@dataclass(frozen=True)
class EquivalenceTest:
    """Two one-sided t tests, and the opposite claim. Percent points.

    Args:
        found: Difference, p and interval, for this number alone.
        p: Of the difference being within the margin, for there being several numbers.
        p_beyond: Of the difference being larger than the margin, for there being several numbers.
        seeds_needed: About how many would show equivalence if mean and spread stayed as they are;
            None where none would, or where it is shown.
    """

    found: Equivalence
    p: float
    p_beyond: float
    seeds_needed: int | None


@dataclass(frozen=True)
class Reproduction:
    """A cell against a number.

    Args:
        cell: The measured runs.
        name: Of the cell, in words.
        target: The number.
        values: (S,) accuracy of each seed in percent.
        test: None with a single seed.
        verdict: "equivalent": surely within the margin; "different": surely not; "inconclusive":
            neither is shown; "untested": a single seed.
    """

    cell: Cell
    name: str
    target: Target
    values: NDArray[np.float64]
    test: EquivalenceTest | None
    verdict: Verdict

    @property
    def mean(self) -> float:
        """Of the seeds, in percent."""
        return float(self.values.mean())

    @property
    def difference(self) -> float:
        """Mean less the published number, in percent points."""
        return self.mean - self.target.value


@dataclass(frozen=True)
class Reproductions:
    """Several cells against their numbers.

    Args:
        each: In the order given.
        metric: Which accuracy.
        margin: Largest difference that does not matter, in percent points.
        level: Of confidence of the tests.
        tests: That p values are corrected for, by Holm.
    """

    each: tuple[Reproduction, ...]
    metric: str
    margin: float
    level: float
    tests: int

    @property
    def interval_level(self) -> float:
        """Coverage of the interval that says the same as two one-sided tests at the level."""
        return round(2 * self.level - 1, 12)


def reproduce(
    pairs: Sequence[tuple[Cell, Target]], metric: str, margin: float, *, level: float = 0.95
) -> Reproductions:
    """Tests whether the mean over a cell's seeds is within a margin of a published number.

    Args:
        pairs: Cells and numbers.
        metric: Which accuracy.
        margin: Largest difference that does not matter, in percent points, above 0.
        level: Of confidence. P values are corrected by Holm for there being several numbers, those
            of "within the margin" and those of "beyond it" each by themselves.

    Raises:
        ConfigError: A cell has no classes in that group.
    """
    values = [_values(cell, metric) for cell, _ in pairs]
    found = [
        equivalence(each, target.value, margin, level=level) if len(each) > 1 else None
        for each, (_, target) in zip(values, pairs, strict=True)
    ]
    tested = [each for each in found if each is not None]
    within = iter(correct([each.p for each in tested], "holm"))
    # The t statistic of one claim is that of the other with the opposite sign.
    beyond = iter(correct([1 - each.p for each in tested], "holm"))
    strictest = 1 - (1 - level) / max(len(tested), 1)
    named = labels([cell for cell, _ in pairs])
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


def _values(cell: Cell, metric: str) -> NDArray[np.float64]:
    values = [run.metrics.value(metric) for run in cell.runs]
    if any(value is None for value in values):
        raise ConfigError(
            f"the runs in {cell.runs[0].path.parent} have no {metric}-shot classes",
            hint="choose another --metric, or leave these runs out",
        )
    return np.array(values, dtype=np.float64)


def _verdict(p: float, p_beyond: float, level: float) -> Verdict:
    if p < 1 - level:
        return "equivalent"
    return "different" if p_beyond < 1 - level else "inconclusive"


def _seeds_needed(values: NDArray[np.float64], room: float, level: float) -> int | None:
    from scipy.stats import t as student

    counts = np.arange(len(values) + 1, _MOST_SEEDS + 1)
    reach = student.ppf(level, counts - 1) * values.std(ddof=1) / np.sqrt(counts)
    enough = counts[reach < room]
    return int(enough[0]) if len(enough) else None
