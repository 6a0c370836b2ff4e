"""Runs of a grid: every combination of its axes, resolved, each once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ltbench.config.resolve import Resolved, Resolver, settings_of
from ltbench.config.text import Text
from ltbench.errors import ConfigError, DataError, shortened, suggestion
from ltbench.grid.grid_tables import LISTS
from ltbench.specs import Settings

MAX_RUNS = 1_000_000
_MAX_FAULTS = 20  # different ones of an entry
_MAX_FAULTY_RUNS = 1_000  # of an entry


@dataclass(frozen=True)
class GridRun:
    """One run of a grid.

    Args:
        settings: Settings of the file by dotted key.
        resolved: Choices of the run.
        missing: Error about a missing data set or missing weights, which cannot be identified; the
            hash of the run is then not valid.
    """

    settings: Settings
    resolved: Resolved
    missing: DataError | None = None

    @property
    def key(self) -> object:
        """Key that equal runs share: the hash, and without identities the paths of the files."""
        spec = self.resolved.spec
        return spec.hash if self.missing is None else (spec.hash, self._paths)

    @property
    def cell_key(self) -> object:
        """Key that runs share which differ only in their seed."""
        key = self.resolved.spec.cell_key
        return key if self.missing is None else (key, self._paths)

    @property
    def _paths(self) -> str:
        return str([choice.paths for choice in self.resolved.spec.choices().values()])


@dataclass
class RunPool:
    """Runs of a grid: resolved, without duplicates, and without those that are excluded.

    Args:
        resolver: Resolver of the runs.
        exclude: Patterns of runs that are left out.
        runs: Runs by their key, in the order of the file.
        faults: Faults of the entries and patterns.
        hints: Hints about the faults, each once.
        notes: Remarks, such as runs that several entries include.
    """

    resolver: Resolver
    exclude: Sequence[Settings]
    runs: dict[object, GridRun] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    hints: dict[str, None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _of: dict[object, str] = field(default_factory=dict)
    _keys: set[str] = field(default_factory=set)
    _matched: set[int] = field(default_factory=set)
    _is_complete: bool = True

    def __post_init__(self) -> None:
        self._patterns = [
            {key: _values(wanted) for key, wanted in pattern.items()} for pattern in self.exclude
        ]

    def add(self, where: str, entry: Settings) -> None:
        """Adds the runs of an entry."""
        tried, found, faulty = 0, 0, 0
        faults, earlier = dict[str, None](), list[str]()
        axes = {key for key, value in entry.items() if isinstance(value, list)}
        for settings in _combinations(entry):
            tried += 1
            run, error = self._resolved(settings)
            if self._excluded(settings, run):
                continue
            found += 1
            if error is not None:
                faulty += 1
                new = error.faults or (error.message,)
                faults |= dict.fromkeys(new)
                self.hints[error.hint] = None
                if any(fault.partition(":")[0] in axes for fault in new):
                    self.hints[LISTS] = None
                if len(faults) >= _MAX_FAULTS or faulty >= _MAX_FAULTY_RUNS:
                    break
            elif run is not None:
                if run.key in self._of:
                    earlier.append(self._of[run.key])
                self._of.setdefault(run.key, where)
                self.runs.setdefault(run.key, run)
        self.faults += [f"{where}: {fault}" for fault in faults]
        unchecked = count_runs(entry) - tried
        if unchecked:
            self._is_complete = False
            self.faults.append(f"{where}: its other {unchecked:,} runs were not checked")
        if not found:
            self.faults.append(f"{where}: all of its runs are excluded")
        if earlier:
            by = ", ".join(dict.fromkeys(earlier))
            self.notes.append(
                f"{where}: {len(earlier)} of its {found} runs are included already (by {by}); "
                "each is executed once"
            )

    def finish(self) -> None:
        """Finds the faults of the patterns, after all runs were added."""
        if not self._is_complete:
            return
        for number, pattern in enumerate(self.exclude):
            unknown = [key for key in pattern if key not in self._keys]
            self.faults += [
                f"exclude {number + 1}: no run has '{shortened(key)}'; "
                f"{suggestion(key, self._keys)}"
                for key in unknown
            ]
            if not unknown and number not in self._matched:
                self.faults.append(f"exclude {number + 1}: no run matches")

    def _resolved(self, settings: Settings) -> tuple[GridRun | None, ConfigError | None]:
        try:
            try:
                return GridRun(settings, self.resolver.resolve(settings)), None
            except DataError as error:
                known = self.resolver.resolve(settings, identify=False)
                return GridRun(settings, known, error), None
        except ConfigError as error:
            return None, error

    def _excluded(self, settings: Settings, run: GridRun | None) -> bool:
        if not self._patterns:
            return False
        every = {**(settings_of(run.resolved.spec) if run else {}), **settings}
        self._keys |= every.keys()
        matching = {
            number
            for number, pattern in enumerate(self._patterns)
            if pattern
            and all(key in every and _plain(every[key]) in pattern[key] for key in pattern)
        }
        self._matched |= matching
        return bool(matching)


def count_runs(entry: Settings) -> int:
    """Returns the number of combinations of an entry's axes."""
    return math.prod(len(value) for value in entry.values() if isinstance(value, list))


def _combinations(entry: Settings) -> Iterator[dict[str, Any]]:
    """Yields every combination of an entry's axes; the last axis changes fastest."""
    axes = [
        [_value(one) for one in (value if isinstance(value, list) else [value])]
        for value in entry.values()
    ]
    for values in itertools.product(*axes):
        yield dict(zip(entry, values, strict=True))


def _value(value: Any) -> Any:
    # TOML has no null: the string "none" represents it, as on the command line.
    return Text(value) if isinstance(value, str) and value.lower() == "none" else value


def _values(wanted: Any) -> frozenset[Hashable]:
    """Returns the values that a pattern accepts for a key."""
    return frozenset(map(_plain, wanted if isinstance(wanted, list) else [wanted]))


def _plain(value: Any) -> Hashable:
    """Returns a value in a form in which equal settings compare equal."""
    if isinstance(value, Mapping):
        return frozenset((key, _plain(inner)) for key, inner in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    if isinstance(value, bool):
        return str(value)  # True == 1 in Python
    return None if isinstance(value, str) and value.lower() == "none" else value
