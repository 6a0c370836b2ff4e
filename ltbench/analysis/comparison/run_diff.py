"""Differences between two stored runs: in their choices, and in their environments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ltbench.analysis.comparison.config_diff import diff_choices, list_choices
from ltbench.storage.environment_schema import Environment
from ltbench.storage.parsing import read_stored
from ltbench.storage.run_directory import RunDirectory

Difference = dict[str, tuple[str, str]]
"""Values of two runs by key, as text; "-" for a missing key."""


def diff_settings(first: RunDirectory, second: RunDirectory) -> Difference:
    """Returns the choices in which two runs differ, with their seeds and paths.

    Options of components with different names are left out: the names show the difference.

    Args:
        first: Run directory, of a finished run or not.
        second: Other run directory.

    Raises:
        DataError: `spec.json` of one is missing or broken.
    """
    each = []
    for directory in (first, second):
        spec = directory.spec()
        choices = list_choices(spec) | {"seed": str(spec.seed)}
        for kind, choice in spec.choices().items():
            choices |= {f"{kind}.{name}": str(path) for name, path in choice.paths.items()}
        each.append(choices)
    return {key: (one, other) for key, (one, other) in diff_choices(each).items()}


def diff_environments(first: RunDirectory, second: RunDirectory) -> Difference:
    """Returns the properties in which the environments of two runs differ.

    Args:
        first: Run directory, of a finished run or not.
        second: Other run directory.

    Raises:
        DataError: A stored file is broken.
    """
    each = [_properties(directory) for directory in (first, second)]
    keys = dict.fromkeys(key for one in each for key in one)
    pairs = {key: (each[0].get(key, "-"), each[1].get(key, "-")) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _properties(directory: RunDirectory) -> dict[str, str]:
    """Returns the environment of a run by dotted key; empty where none is recorded."""
    result = directory.result()
    environment = result.environment if result else read_stored(directory.path, Environment)
    return {} if environment is None else _flat(environment.model_dump(), "")


def _flat(values: Mapping[str, Any], prefix: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        elif value is not None:
            each = value if isinstance(value, list) else [value]
            found[f"{prefix}{key}"] = " ".join(map(str, each))
    return found
