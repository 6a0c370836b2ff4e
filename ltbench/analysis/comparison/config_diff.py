"""In which choices cells differ, and short names that tell them apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ltbench.config.options import as_typed
from ltbench.config.runspec import RunSpec
from ltbench.specs import SPECS
from ltbench.storage.results import Cell

Choices = dict[str, str]
_SHOWN = 8  # of many choices


def choices(spec: RunSpec) -> Choices:
    """Returns every choice of a run but its seed by dotted key, as typed.

    Args:
        spec: The run.
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


def differing(cells: Sequence[Cell]) -> dict[str, list[str]]:
    """Returns the choices in which cells differ: see `differing_choices`."""
    return differing_choices([choices(cell.spec) for cell in cells])


def differing_choices(each: Sequence[Choices]) -> dict[str, list[str]]:
    """Returns the choices that are not all the same, with each one's value, "-" where it has none.

    Options of components that differ anyhow are left out: their names say it.
    """
    keys = dict.fromkeys(key for one in each for key in one)
    table = {key: [one.get(key, "-") for one in each] for key in keys}
    unlike = {key: values for key, values in table.items() if len(set(values)) > 1}
    return {
        key: values
        for key, values in unlike.items()
        if "." not in key or key.partition(".")[0] not in unlike
    }


def in_words(unlike: Mapping[str, Sequence[str]]) -> str:
    """Returns differing choices in a line.

    >>> in_words({"loss": ["ce", "ldam"], "train.lr": ["0.1", "0.2"]})
    'loss ce | ldam, train.lr 0.1 | 0.2'
    """
    said = [f"{key} {' | '.join(values)}" for key, values in unlike.items()]
    more = f" and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    return ", ".join(said[:_SHOWN]) + more


def names(cells: Sequence[Cell]) -> list[str]:
    """Returns a short name for each cell: its method, and what else is needed to tell it apart."""
    methods: dict[str, list[int]] = {}
    for number, cell in enumerate(cells):
        methods.setdefault(cell.spec.method.name, []).append(number)
    found = [""] * len(cells)
    for method, alike in methods.items():
        unlike = differing([cells[number] for number in alike])
        for place, number in enumerate(alike):
            own = [f"{key}={values[place]}" for key, values in unlike.items()]
            more = ", ..." if len(own) > _SHOWN else ""
            found[number] = f"{method} ({', '.join(own[:_SHOWN])}{more})" if own else method
    return found
