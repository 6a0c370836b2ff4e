"""Differences between the configurations of cells, and short names that distinguish cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ltbench.config.options import as_typed
from ltbench.config.runspec import RunSpec
from ltbench.errors import shortened
from ltbench.specs import SPECS
from ltbench.storage.results import Cell

Choices = dict[str, str]
"""Dotted option keys of a run and their values as typed on the command line."""
_MAX_SHOWN_CHOICES = 8
_MAX_SHOWN_VALUES = 6


def list_choices(spec: RunSpec) -> Choices:
    """Returns all choices of a run except its seed, by dotted key, as typed.

    Args:
        spec: Choices of the run.
    """
    found = {}
    for key, value in spec.to_dict().items():
        if key in SPECS:
            found[key] = value["name"]
            found |= {f"{key}.{option}": as_typed(v) for option, v in value["options"].items()}
            found |= {f"{key}.{part}": value[part] for part in ("identity", "plugin")}
            found[f"{key}.version"] = str(value["version"])
        elif isinstance(value, Mapping):
            found |= {f"{key}.{option}": as_typed(v) for option, v in value.items()}
        elif key != "seed":
            found[key] = as_typed(value)
    return found


def diff_cells(cells: Sequence[Cell]) -> dict[str, list[str]]:
    """Returns the choices in which cells differ, with the value of each cell (`diff_choices`)."""
    return diff_choices([list_choices(cell.spec) for cell in cells])


def diff_choices(each: Sequence[Choices]) -> dict[str, list[str]]:
    """Returns the keys whose values differ, with all values; "-" for a missing key.

    Options of components with different names are left out: the names show the difference.

    Args:
        each: Choices of each run.
    """
    keys = dict.fromkeys(key for one in each for key in one)
    table = {key: [one.get(key, "-") for one in each] for key in keys}
    unlike = {key: values for key, values in table.items() if len(set(values)) > 1}
    return {
        key: values
        for key, values in unlike.items()
        if "." not in key or key.partition(".")[0] not in unlike
    }


def format_diff(unlike: Mapping[str, Sequence[str]]) -> str:
    """Returns a difference of configurations as one line.

    >>> format_diff({"loss": ["ce", "ldam"], "train.lr": ["0.1", "0.2"]})
    'loss ce | ldam, train.lr 0.1 | 0.2'
    """
    items = [f"{key} {_format_values(values)}" for key, values in unlike.items()]
    more = f" and {len(items) - _MAX_SHOWN_CHOICES} more" if len(items) > _MAX_SHOWN_CHOICES else ""
    return ", ".join(items[:_MAX_SHOWN_CHOICES]) + more


def _format_values(values: Sequence[str]) -> str:
    """Returns a value for each cell; of many cells the first different values."""
    if len(values) <= _MAX_SHOWN_VALUES:
        return " | ".join(map(shortened, values))
    different = list(dict.fromkeys(values))
    more = len(different) - _MAX_SHOWN_VALUES
    shown = " | ".join(map(shortened, different[:_MAX_SHOWN_VALUES]))
    return f"{shown} and {more:,} more" if more > 0 else shown


def name_cells(cells: Sequence[Cell]) -> list[str]:
    """Returns a short, unique name for each cell: its method, and the choices that differ."""
    methods: dict[str, list[int]] = {}
    for number, cell in enumerate(cells):
        methods.setdefault(cell.spec.method.name, []).append(number)
    found = [""] * len(cells)
    for method, alike in methods.items():
        unlike = diff_cells([cells[number] for number in alike])
        for place, number in enumerate(alike):
            own = [f"{key}={_short(key, values[place])}" for key, values in unlike.items()]
            more = ", ..." if len(own) > _MAX_SHOWN_CHOICES else ""
            found[number] = (
                f"{method} ({', '.join(own[:_MAX_SHOWN_CHOICES])}{more})" if own else method
            )
    return found


def _short(key: str, value: str) -> str:
    """Returns the value of a choice for a name; of the hash of files, the last digits.

    >>> _short("init.identity", "sha256:0123456789abcdef"), _short("init.identity", "")
    ('89abcdef', 'none')
    """
    return (value[-8:] or "none") if key.endswith(".identity") else value
