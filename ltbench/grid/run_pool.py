"""Runs of a grid: every combination of its axes, resolved, each once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ltbench.config.resolve import Resolved, Resolver, settings_of
from ltbench.config.text import Text
from ltbench.errors import ConfigError, DataError, shortened, suggestion
from ltbench.grid.grid_tables import LISTS, GridTables
from ltbench.specs import Settings

MAX_RUNS = 1_000_000
_SEED = "seed"
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
        tables: Entries of the grid, and patterns of runs that are left out.
        runs: Runs by their key, in the order of the file.
        faults: Faults of the entries and patterns.
        hints: Hints about the faults, each once.
        notes: Remarks, such as runs that several entries include.
    """

    resolver: Resolver
    tables: GridTables
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
            {key: _values(wanted) for key, wanted in pattern.items()}
            for pattern in self.tables.exclude
        ]

    def add(self, number: int, entry: Settings) -> None:
        """Adds the runs of an entry.

        Args:
            number: Index of the entry in the grid.
            entry: Settings of the entry and the defaults.
        """
        where = f"include {number + 1}" if self.tables.include else "defaults"
        tried, found, faulty = 0, 0, 0
        faults, earlier, unused = dict[str, None](), list[str](), _Unused()
        axes = {key for key, value in entry.items() if isinstance(value, list)}
        cells = _Cells(self.resolver)
        for settings in _combinations(entry):
            tried += 1
            run, ignored, error = cells.run(settings)
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
                run = unused.without(run, ignored)
                key = run.key
                before = self._of.setdefault(key, where)
                if key not in self.runs:
                    self.runs[key] = run
                elif not (before == where and unused.concerns(run)):
                    earlier.append(before)
        unchecked = count_runs(entry) - tried
        if unchecked:  # first, because many faults are not all shown
            self._is_complete = False
            fault = f"its other {unchecked:,} runs were not checked"
            self.faults.append(self.tables.entry_fault(number, fault))
        self.faults += [self.tables.entry_fault(number, fault) for fault in faults]
        if not found:
            self.faults.append(self.tables.entry_fault(number, "all of its runs are excluded"))
        self.notes += [f"{where}: {note}" for note in unused.notes()]
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
        for number, pattern in enumerate(self.tables.exclude):
            unknown = [key for key in pattern if key not in self._keys]
            for key in unknown:
                fault = f"no run has '{shortened(key)}'; {suggestion(key, self._keys)}"
                self.faults.append(self.tables.pattern_fault(number, fault, key))
            if not unknown and number not in self._matched:
                self.faults.append(self.tables.pattern_fault(number, "no run matches"))

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


class _Cells:
    """Runs of an entry; what those that differ in their seed alone share is resolved once.

    Args:
        resolver: Resolver of the runs.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._known: dict[tuple[int, ...], tuple[list[str], Resolved | None]] = {}

    def run(self, settings: Settings) -> tuple[GridRun | None, list[str], ConfigError | None]:
        """Returns the run of some settings, the keys that its method ignores, and its faults.

        Args:
            settings: Settings of `_combinations`: equal values of an axis are one object.
        """
        cell = tuple([id(value) for key, value in settings.items() if key != _SEED])
        known = self._known.get(cell)
        ignored = self._resolver.ignored(settings) if known is None else known[0]
        if ignored:
            settings = {key: value for key, value in settings.items() if key not in ignored}
        if known is not None and known[1] is not None:
            other = self._resolver.with_seed(known[1], settings[_SEED])
            if other is not None:
                return GridRun(settings, other), ignored, None
        run, error = self._resolved(settings)
        is_shared = run is not None and run.missing is None and _SEED in settings
        self._known[cell] = ignored, run.resolved if run is not None and is_shared else None
        return run, ignored, error

    def _resolved(self, settings: Settings) -> tuple[GridRun | None, ConfigError | None]:
        try:
            try:
                return GridRun(settings, self._resolver.resolve(settings)), None
            except DataError as error:
                known = self._resolver.resolve(settings, identify=False)
                return GridRun(settings, known, error), None
        except ConfigError as error:
            return None, error


@dataclass
class _Unused:
    """Settings of an entry that change nothing for some methods.

    Args:
        of_training: Settings of the training, by method that does not train.
        seeds: Seeds, by method whose result they do not change.
    """

    of_training: dict[str, dict[str, None]] = field(default_factory=dict)
    seeds: dict[str, set[int]] = field(default_factory=dict)

    def without(self, run: GridRun, ignored: Sequence[str]) -> GridRun:
        """Returns a run of a grid for all of its seeds, if they do not change its result.

        Args:
            run: The run, without settings of the training that its method ignores.
            ignored: Keys of these settings.
        """
        spec = run.resolved.spec
        if ignored:
            self.of_training.setdefault(spec.method.name, {}).update(dict.fromkeys(ignored))
        if not run.resolved.seedless:
            return run
        self.seeds.setdefault(spec.method.name, set()).add(spec.seed)
        if spec.seed == 0:
            return run
        resolved = replace(run.resolved, spec=spec.with_seed(0))
        return replace(run, settings={**run.settings, "seed": 0}, resolved=resolved)

    def concerns(self, run: GridRun) -> bool:
        """Returns whether runs with other settings may be this one."""
        name = run.resolved.spec.method.name
        return name in self.of_training or name in self.seeds

    def notes(self) -> Iterator[str]:
        """Yields a remark about each kind of settings that change nothing."""
        if self.of_training:
            keys = dict.fromkeys(key for each in self.of_training.values() for key in each)
            train = "which do not train" if len(self.of_training) > 1 else "which does not train"
            names = ", ".join(self.of_training)
            yield f"{', '.join(keys)}: ignored for {names}, {train}"
        names = ", ".join(name for name, seeds in self.seeds.items() if seeds != {0})
        if names:
            yield f"{names}: no seed changes the result; executed once, with seed 0"


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
