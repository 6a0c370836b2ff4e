"""Runs of the best settings on the test split, and the comparison of the methods."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal

from ltbench.analysis.comparison.pairs import PairComparison, compare_pair, correct_pairs
from ltbench.analysis.comparison.seed_predictions import read_seed_predictions
from ltbench.config.resolve import Resolver
from ltbench.engine.launch import PlannedRun
from ltbench.progress import ProgressReporter
from ltbench.registry.registry import Registry
from ltbench.specs import Settings
from ltbench.storage.results import Cell, group

if TYPE_CHECKING:
    from ltbench.engine.run import RuntimeConfig

CORRECTION: Literal["holm"] = "holm"


def run_on_test(
    registry: Registry,
    resolver: Resolver,
    chosen: Mapping[str, Settings],
    seeds: Sequence[int],
    runtime: RuntimeConfig,
    progress: Callable[[], AbstractContextManager[ProgressReporter]],
    report: Callable[[str, int], None],
) -> dict[str, Cell]:
    """Trains and evaluates the chosen settings; finished runs are not executed again.

    Args:
        registry: Components and plugins.
        resolver: Resolver of the runs.
        chosen: Settings of each method.
        seeds: Seeds of the runs.
        runtime: Runtime configuration.
        progress: Function that returns the display of a training.
        report: Function that is called before each run with its method and seed.

    Raises:
        LTBenchError: A run could not be finished; a later call resumes it.
    """
    cells = {}
    for method, settings in chosen.items():
        results = []
        for seed in seeds:
            report(method, seed)
            resolved = resolver.resolve({**settings, "split": "test", "seed": seed})
            with progress() as shown:
                planned = PlannedRun(registry, resolved)
                results.append(planned.execute(runtime, "never", shown))
        (cells[method],) = group(results)
    return cells


def compare_methods(cells: Mapping[str, Cell], level: float) -> tuple[list[PairComparison], int]:
    """Returns the comparisons of all pairs, with corrected p values, and their number.

    Args:
        cells: Runs of each method on the test split.
        level: Confidence level, between 0 and 1.
    """
    samples = [read_seed_predictions(cell, method) for method, cell in cells.items()]
    pairs = [
        compare_pair(first, second, level=level)
        for first, second in itertools.combinations(samples, 2)
    ]
    return correct_pairs(pairs, CORRECTION)
