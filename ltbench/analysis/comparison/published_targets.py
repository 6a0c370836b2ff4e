"""Published numbers that match stored cells, exactly or nearly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ltbench.analysis.comparison.config_diff import Choices, diff_choices, list_choices
from ltbench.config.resolve import resolve
from ltbench.errors import LTBenchError
from ltbench.registry.component import Published
from ltbench.registry.registry import Registry
from ltbench.specs import SPECS
from ltbench.storage.results import Cell

_MATCHED_KINDS = ("dataset", "backbone", "method")
# Choices that papers do not report, or that matter no more than the seed.
_IGNORED_CHOICES = {f"{kind}.{part}" for kind in SPECS for part in ("identity", "plugin")} | {
    "data_seed",
    "precision",
    "compile",
    "on_corrupt",
}


@dataclass(frozen=True)
class Target:
    """Published accuracy that measured ones are compared with.

    Args:
        value: Accuracy in percent.
        source: Source of the number, for example a paper and a table.
        plugin: Name of the plugin that provides the number; empty where the user gave it.
    """

    value: float
    source: str
    plugin: str = ""


@dataclass(frozen=True)
class ResolvedTarget:
    """Published number, with the choices of the run that it describes.

    Args:
        target: Published number.
        choices: Choices of the run, without those that papers do not report.
    """

    target: Target
    choices: Choices


@dataclass(frozen=True)
class CloseTarget:
    """Published number with the data set, backbone and method of a cell, but other choices.

    Args:
        cell: Measured runs.
        target: Published number.
        differences: Choices that differ -> published value and the cell's value.
    """

    cell: Cell
    target: Target
    differences: dict[str, list[str]]


@dataclass(frozen=True)
class TargetMatches:
    """Published numbers found for some cells.

    Args:
        pairs: Cells with the published numbers that match them.
        close: Close numbers of cells that no number matches.
        unmatched: Cells without a matching or close number.
    """

    pairs: tuple[tuple[Cell, Target], ...]
    close: tuple[CloseTarget, ...]
    unmatched: tuple[Cell, ...]


def resolve_targets(registry: Registry, metric: str) -> tuple[list[ResolvedTarget], list[str]]:
    """Resolves published results to the choices of runs.

    Args:
        registry: Registry with the published results and the components.
        metric: Name of the accuracy; results without it are ignored, and so are results with a
            component that is not installed.

    Returns:
        Resolved numbers, and error messages of results whose settings are invalid.
    """
    known, faults = [], []
    for published in registry.published:
        result = published.result
        settings = result.run_settings
        named = all(settings[kind] in registry.components[kind] for kind in _MATCHED_KINDS)
        if metric not in result.metrics or not named:
            continue
        target = Target(result.metrics[metric], result.source, published.plugin.name)
        try:
            # Resolving reads no data and no weights, so any data folder will do.
            run = resolve(registry, settings, Path(), identify=False).spec
        except LTBenchError as error:
            faults.append(f"{_describe_result(published)}: {error.message}")
        else:
            known.append(ResolvedTarget(target, _comparable_choices(list_choices(run))))
    return known, faults


def match_targets(cells: Iterable[Cell], known: Sequence[ResolvedTarget]) -> TargetMatches:
    """Finds the published numbers that match cells.

    A number matches a cell where all choices agree, except those that papers do not report:
    versions of plugins, identities, seeds, precision and the handling of corrupt images.

    Args:
        cells: Measured runs.
        known: Resolved published numbers.
    """
    about: dict[tuple[str, ...], list[ResolvedTarget]] = {}
    for one in known:
        about.setdefault(_matching_key(one.choices), []).append(one)
    pairs: list[tuple[Cell, Target]] = []
    close: list[CloseTarget] = []
    without: list[Cell] = []
    for cell in cells:
        own = _comparable_choices(list_choices(cell.spec))
        near = about.get(_matching_key(own), [])
        same = [one for one in near if one.choices == own]
        pairs += [(cell, one.target) for one in same]
        if not near:
            without.append(cell)
        elif not same:
            close += [
                CloseTarget(cell, one.target, diff_choices([one.choices, own])) for one in near
            ]
    return TargetMatches(tuple(pairs), tuple(close), tuple(without))


def _comparable_choices(every: Choices) -> Choices:
    return {key: value for key, value in every.items() if key not in _IGNORED_CHOICES}


def _matching_key(chosen: Choices) -> tuple[str, ...]:
    """Returns the names of data set, backbone and method, and the options of the data set."""
    options = sorted(key for key in chosen if key.startswith("dataset."))
    return tuple(chosen[kind] for kind in _MATCHED_KINDS) + tuple(
        text for key in options for text in (key, chosen[key])
    )


def _describe_result(published: Published) -> str:
    result = published.result
    return (
        f"the published result of {result.method} on {result.dataset} with {result.backbone} "
        f"(plugin {published.plugin.name})"
    )
