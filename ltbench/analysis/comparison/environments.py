"""Differences of precision, torch version or device between runs that are set side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ltbench.storage.result_schema import Environment, RunResult

_ASPECTS: dict[str, Callable[[Environment], str | None]] = {
    "precisions": lambda environment: environment.precision,
    "versions of torch": lambda environment: environment.packages.get("torch"),
    "devices": lambda environment: environment.device,
}


def environment_notes(cells: Mapping[str, Sequence[RunResult]]) -> Iterator[str]:
    """Yields a sentence for each aspect in which the runs were not trained alike.

    None of this is in a run's hash: seeds of one cell may come from several machines.

    Args:
        cells: Runs by the name of their cell.
    """
    for aspect, read in _ASPECTS.items():
        found = {
            name: _counts([read(run.environment) for run in runs]) for name, runs in cells.items()
        }
        if len({value for counts in found.values() for value in counts}) > 1:
            yield f"the runs were trained with different {aspect}: {_listed(found)}"


def _counts(values: Sequence[str | None]) -> dict[str, int]:
    """Returns how many runs have each value; runs that recorded none are left out."""
    known = sorted(value for value in values if value is not None)
    return {value: known.count(value) for value in known}


def _listed(found: Mapping[str, Mapping[str, int]]) -> str:
    """Returns which cells have which values; cells with the same values are named together."""
    named: dict[str, list[str]] = {}
    for name, counts in found.items():
        shown = " and ".join(_shown(v, n if len(counts) > 1 else None) for v, n in counts.items())
        if shown:
            named.setdefault(shown, []).append(name)
    most = max(named, key=lambda shown: len(named[shown]))
    said = [f"{_few(names)} {shown}" for shown, names in named.items() if shown != most]
    others = "the others" if said and len(named[most]) > 1 else _few(named[most])
    return "; ".join([*said, f"{others} {most}"])


def _shown(value: str, runs: int | None) -> str:
    return value if runs is None else f"{value} ({runs} run{'s' * (runs > 1)})"


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
