"""Published numbers that are about stored cells: the same choices, or nearly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ltbench.analysis.comparison.config_diff import Choices, choices, differing_choices
from ltbench.config.resolve import resolve
from ltbench.errors import LTBenchError
from ltbench.registry.component import Published
from ltbench.registry.registry import Registry
from ltbench.specs import SPECS
from ltbench.storage.results import Cell

_NAMED = ("dataset", "backbone", "method")
# What a paper does not say, or what changes no more than another seed does.
_IGNORED = {f"{kind}.{part}" for kind in SPECS for part in ("identity", "plugin")} | {
    "data_seed",
    "precision",
    "on_corrupt",
}


@dataclass(frozen=True)
class Target:
    """A number to set measured ones against.

    Args:
        value: Percent.
        source: Whose it is.
        plugin: That brought it; empty where the user gave it.
    """

    value: float
    source: str
    plugin: str = ""


@dataclass(frozen=True)
class Known:
    """A published number of a run that ltbench can make.

    Args:
        target: The number.
        choices: Of that run.
    """

    target: Target
    choices: Choices


@dataclass(frozen=True)
class Close:
    """A cell, and a published number of the same data set, backbone and method.

    Args:
        cell: Which is about another run than the number.
        target: The number.
        unlike: Choices in which they differ: the published value, then the cell's.
    """

    cell: Cell
    target: Target
    unlike: dict[str, list[str]]


@dataclass(frozen=True)
class Matches:
    """What is published about some cells.

    Args:
        pairs: Cells and the numbers that are about them.
        close: For cells without such a number, those of nearly the same choices.
        without: Cells without either.
    """

    pairs: tuple[tuple[Cell, Target], ...]
    close: tuple[Close, ...]
    without: tuple[Cell, ...]


def known_targets(registry: Registry, metric: str) -> tuple[list[Known], list[str]]:
    """Resolves the published results of runs that ltbench can make.

    Args:
        registry: With the published results.
        metric: Which of their accuracies; results without it are left out.

    Returns:
        The numbers, and what is wrong with results whose settings are those of no run.
    """
    known, faults = [], []
    for published in registry.published:
        result = published.result
        settings = result.run_settings
        named = all(settings[kind] in registry.components[kind] for kind in _NAMED)
        if metric not in result.metrics or not named:
            continue
        target = Target(result.metrics[metric], result.source, published.plugin.name)
        try:
            # No data and no weights are needed, so it does not matter where they would lie.
            run = resolve(registry, settings, Path(), identify=False).spec
        except LTBenchError as error:
            faults.append(f"{_described(published)}: {error.message}")
        else:
            known.append(Known(target, _compared(choices(run))))
    return known, faults


def match(cells: Iterable[Cell], known: Sequence[Known]) -> Matches:
    """Finds what is published about cells.

    A number is about a cell where all choices are the same but those that papers do not tell:
    versions of plugins, identities, seeds, precision, what becomes of corrupt images.
    """
    about: dict[tuple[str, ...], list[Known]] = {}
    for one in known:
        about.setdefault(_place(one.choices), []).append(one)
    pairs: list[tuple[Cell, Target]] = []
    close: list[Close] = []
    without: list[Cell] = []
    for cell in cells:
        own = _compared(choices(cell.spec))
        near = about.get(_place(own), [])
        same = [one for one in near if one.choices == own]
        pairs += [(cell, one.target) for one in same]
        if not near:
            without.append(cell)
        elif not same:
            close += [
                Close(cell, one.target, differing_choices([one.choices, own])) for one in near
            ]
    return Matches(tuple(pairs), tuple(close), tuple(without))


def _compared(every: Choices) -> Choices:
    return {key: value for key, value in every.items() if key not in _IGNORED}


def _place(chosen: Choices) -> tuple[str, ...]:
    """Names of data set, backbone and method, and the options of the data set."""
    options = sorted(key for key in chosen if key.startswith("dataset."))
    return tuple(chosen[kind] for kind in _NAMED) + tuple(
        text for key in options for text in (key, chosen[key])
    )


def _described(published: Published) -> str:
    result = published.result
    return (
        f"the published result of {result.method} on {result.dataset} with {result.backbone} "
        f"(plugin {published.plugin.name})"
    )
