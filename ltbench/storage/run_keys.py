"""Keys of a stored run: its settings, its tags, and its hash."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ltbench.config.resolve import settings_of
from ltbench.errors import suggestion
from ltbench.storage.result_schema import RunResult

HASH = "hash"
TAG = "tag."
MISSING = object()
"""Value of a key that a run does not have."""


def key_value(run: RunResult, settings: Mapping[str, Any], key: str) -> Any:
    """Returns the value of a key; MISSING where the run does not have it.

    Args:
        run: Stored run.
        settings: Settings of the run, as `settings_of` returns them.
        key: `hash` for a list of the run's hashes, `tag.NAME`, or the key of a setting, also of
            one within a table of options.
    """
    if key == HASH:
        return [one for one in (run.hash, run.earlier_hash) if one]
    if key.startswith(TAG):
        return run.tags.get(key.removeprefix(TAG), MISSING)
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
    keys = {name for run in runs for name in settings_of(run.spec)} | set(others)
    same_end = sorted(name for name in keys if name.rpartition(".")[2] == key)
    near = "did you mean " + " or ".join(same_end) + "?" if same_end else suggestion(key, keys)
    return f"no run has this key; {near}"


def _within(table: Any, names: Sequence[str]) -> Any:
    for name in names:
        if not isinstance(table, Mapping) or name not in table:
            return MISSING
        table = table[name]
    return table
