"""Notes on different precisions, torch versions or devices of compared runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from ltbench.storage.environment_schema import Environment

_ASPECTS: dict[str, Callable[[Environment], str | None]] = {
    "precisions": lambda environment: environment.precision,
    "versions of torch": lambda environment: environment.packages.get("torch"),
    "devices": lambda environment: environment.device,
}


def environment_notes(cells: Mapping[str, Sequence[Environment]]) -> Iterator[str]:
    """Yields a sentence for each property of the environment in which the runs differ.

    These properties are not part of a run's hash: the seeds of one cell may come from different
    machines.

    Args:
        cells: Cell name -> environments of its runs.
    """
    counts = {name: _count_objects(each) for name, each in cells.items()}
    for aspect, read in _ASPECTS.items():
        found = {name: _count_values(read, each) for name, each in counts.items()}
        if len({value for counts in found.values() for value in counts}) > 1:
            yield f"the runs were trained with different {aspect}: {_format_cells(found)}"


def _count_objects(environments: Sequence[Environment]) -> list[tuple[Environment, int]]:
    """Returns each object with its number: runs of an index have few different ones."""
    objects = {id(one): one for one in environments}
    return [(objects[at], number) for at, number in Counter(map(id, environments)).items()]


def _count_values(
    read: Callable[[Environment], str | None], counts: Sequence[tuple[Environment, int]]
) -> dict[str, int]:
    """Returns the number of runs with each value; runs without a recorded value are ignored."""
    found: dict[str, int] = {}
    for environment, number in counts:
        if (value := read(environment)) is not None:
            found[value] = found.get(value, 0) + number
    return dict(sorted(found.items()))


def _format_cells(found: Mapping[str, Mapping[str, int]]) -> str:
    """Returns the cells and their values as text; cells with the same values are grouped."""
    named: dict[str, list[str]] = {}
    for name, counts in found.items():
        shown = " and ".join(
            _format_value(v, n if len(counts) > 1 else None) for v, n in counts.items()
        )
        if shown:
            named.setdefault(shown, []).append(name)
    most = max(named, key=lambda shown: len(named[shown]))
    exceptions = [
        f"{_format_names(names)} {shown}" for shown, names in named.items() if shown != most
    ]
    others = "the others" if exceptions and len(named[most]) > 1 else _format_names(named[most])
    return "; ".join([*exceptions, f"{others} {most}"])


def _format_value(value: str, runs: int | None) -> str:
    return value if runs is None else f"{value} ({runs} run{'s' * (runs > 1)})"


def _format_names(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
