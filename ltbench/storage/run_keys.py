"""Keys of a stored run: its settings, its tags, and its hash."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ltbench.config.resolve import settings_of
from ltbench.config.runspec import RunSpec
from ltbench.errors import suggestion
from ltbench.storage.result_schema import RunResult

HASH = "hash"
TAG = "tag."
SEED = "seed"
MISSING = object()
"""Value of a key that a run does not have."""


def key_values(runs: Sequence[RunResult], key: str) -> list[Any]:
    """Returns the value of a key for each run; MISSING for a run that does not have it.

    Args:
        runs: Stored runs.
        key: `hash` for a list of the run's hashes, `tag.NAME`, or the key of a setting, also of
            one within a table of options.
    """
    if key == HASH:
        return [[one for one in (run.hash, run.earlier_hash) if one] for run in runs]
    if key.startswith(TAG):
        name = key.removeprefix(TAG)
        return [run.tags.get(name, MISSING) for run in runs]
    if key == SEED:
        return [run.seed for run in runs]
    specs = [run.cell_spec for run in runs]
    values = {at: _setting(settings_of(spec), key) for at, spec in distinct(specs).items()}
    return [values[id(spec)] for spec in specs]


def distinct(specs: Iterable[RunSpec]) -> dict[int, RunSpec]:
    """Returns the choices of cells, of which many runs have the same object, each once by its id.

    Args:
        specs: `RunResult.cell_spec` of runs.
    """
    return {id(spec): spec for spec in specs}


def _setting(settings: Mapping[str, Any], key: str) -> Any:
    if key in settings:
        return settings[key]
    outer, dot, rest = key.rpartition(".")
    inner = [rest]
    while dot:
        if isinstance(settings.get(outer), Mapping):
            return _within(settings[outer], inner)
        outer, dot, rest = outer.rpartition(".")
        inner.insert(0, rest)
    return MISSING


def missing_key(key: str, runs: Sequence[RunResult], others: Iterable[str]) -> str:
    """Returns the fault of a key that no run has, with the keys that are meant perhaps.

    Args:
        key: The key.
        runs: Stored runs.
        others: Keys that every run has besides its settings.
    """
    if key.startswith(TAG):
        names = {name for run in runs for name in run.tags}
        near = suggestion(key.removeprefix(TAG), names) if names else "no run has tags"
        return f"no run has this tag; {near}"
    specs = distinct(run.cell_spec for run in runs).values()
    keys = {name for spec in specs for name in settings_of(spec)} | set(others)
    same_end = sorted(name for name in keys if name.rpartition(".")[2] == key)
    near = "did you mean " + " or ".join(same_end) + "?" if same_end else suggestion(key, keys)
    return f"no run has this key; {near}"


def _within(table: Any, names: Sequence[str]) -> Any:
    for name in names:
        if not isinstance(table, Mapping) or name not in table:
            return MISSING
        table = table[name]
    return table
