"""Grid files: many runs in a few lines of TOML.

```toml
[defaults]                        # settings of every run, as in `--set`
dataset = "some_lt"
seed = [0, 1, 2]                  # a list is an axis: a run for each value

[[include]]                       # an entry: every combination of its axes and the defaults'
method = ["one", "another"]

[[include]]                       # its settings replace the defaults
method = "third"
train.lr = [0.001, 0.005]

[[exclude]]                       # leaves out the runs that match all of these settings
method = "third"
seed = [1, 2]                     # in a pattern, a list matches any of its values
```
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ltbench.config.options import as_typed
from ltbench.config.resolve import Resolved, resolve, settings_of
from ltbench.config.text import Text
from ltbench.errors import ConfigError, DataError, suggestion
from ltbench.progress import SILENT, ProgressReporter
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.registry import Registry
from ltbench.specs import SPECS, DatasetSpec, Settings

_KEYS = ("name", "defaults", "include", "exclude")
_LISTS = "a list is an axis, with a run for each value; a value that is a list is written [[0, 1]]"
_HINT = f'{_LISTS}; options of components are written in quotes: "method.dim" = 4'


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


@dataclass(frozen=True)
class GridCell:
    """Runs of a grid that differ only in their seed.

    Args:
        label: Settings that distinguish the cell from the others: "another, method.dim=4".
        runs: Runs in the order of the file.
    """

    label: str
    runs: Sequence[GridRun]


@dataclass(frozen=True)
class Grid:
    """All runs of a grid file.

    Args:
        name: Name that the file sets, or the name of the file.
        cells: Cells in the order of the file.
        notes: Remarks, such as runs that several entries include.
    """

    name: str
    cells: Sequence[GridCell]
    notes: Sequence[str] = ()

    @property
    def runs(self) -> list[GridRun]:
        """All runs, cell by cell."""
        return [run for cell in self.cells for run in cell.runs]

    def require_data(self) -> None:
        """Checks that every data set is in place and every backbone can be identified.

        Raises:
            DataError: The first data set or backbone that is missing.
        """
        checked = set()
        for run in self.runs:
            if run.missing is not None:
                raise run.missing
            resolved = run.resolved
            component = resolved.components["dataset"]
            assert isinstance(component.spec, DatasetSpec)
            data = (component.spec.name, repr(resolved.configs["dataset"]))
            if data not in checked:
                checked.add(data)
                with attribute_errors(component):
                    component.spec.check(resolved.configs["dataset"], resolved.data)


def read_grid(
    path: Path, registry: Registry, data_root: Path, progress: ProgressReporter = SILENT
) -> Grid:
    """Reads a grid file and resolves all its runs.

    Args:
        path: The file.
        registry: Components to choose from.
        data_root: Folder of the data sets.
        progress: Reporter for the reading of images that have not been read before.

    Raises:
        ConfigError: All faults of all entries.
    """
    stored = _parse(path)
    file = _File(stored)
    pool = _Pool(registry, data_root, [dict(pattern) for pattern in file.exclude], progress)
    if not file.faults:
        for number, entry in enumerate(file.entries, start=1):
            pool.add(f"include {number}" if file.include else "defaults", entry)
        pool.finish()
    faults = [*file.faults, *pool.faults]
    if faults:
        hint = "; ".join(dict.fromkeys(pool.hints)) or _HINT
        together = ConfigError.from_faults(faults)
        raise ConfigError(f"{path}: {together.message}", hint=hint)
    return Grid(stored.get("name", path.stem), list(_cells(pool.runs.values())), pool.notes)


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}", hint="give the path of a grid file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}", hint=_HINT) from error


@dataclass
class _File:
    """Tables of a grid file, and the faults of its form."""

    stored: Mapping[str, Any]
    faults: list[str] = field(default_factory=list)
    include: list[dict[str, Any]] = field(default_factory=list)
    exclude: list[dict[str, Any]] = field(default_factory=list)
    defaults: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.faults += [
            f"there is no key '{key}'; {suggestion(key, _KEYS)}"
            for key in self.stored
            if key not in _KEYS
        ]
        if not isinstance(self.stored.get("name", ""), str):
            self.faults.append("name: expected a string")
        self.defaults = self._table("defaults", self.stored.get("defaults", {}))
        self.include = self._tables("include")
        self.exclude = self._tables("exclude")
        if not self.defaults and not self.include:
            self.faults.append("expected [defaults] or [[include]], got neither")

    @property
    def entries(self) -> list[dict[str, Any]]:
        """Entries on top of the defaults; the defaults alone where the file has no entry."""
        return [_with_defaults(self.defaults, entry) for entry in self.include or [{}]]

    def _tables(self, name: str) -> list[dict[str, Any]]:
        found = self.stored.get(name, [])
        if not isinstance(found, list):
            self.faults.append(f"{name}: expected [[{name}]], with two brackets")
            return []
        return [self._table(f"{name} {n}", table) for n, table in enumerate(found, start=1)]

    def _table(self, where: str, table: Any) -> dict[str, Any]:
        if not isinstance(table, dict):
            self.faults.append(f"{where}: expected a table of settings, got {table!r}")
            return {}
        flat: dict[str, Any] = {}
        for key, value in _flattened(table):
            if key in flat:
                self.faults.append(f"{where}: {key} is set twice")
            if value == []:
                self.faults.append(f"{where}: {key}: expected a value, got an empty list")
            flat[key] = value
        return flat


def _flattened(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _with_defaults(defaults: Settings, entry: Settings) -> dict[str, Any]:
    """Returns an entry on top of the defaults; its own axes come first and change slowest."""
    # The options of a component belong to it: another choice drops them.
    others = {kind for kind in SPECS.keys() & entry if entry[kind] != defaults.get(kind)}
    kept = {
        key: value
        for key, value in defaults.items()
        if key not in entry and not ("." in key and key.partition(".")[0] in others)
    }
    return {**entry, **kept}


def _combinations(entry: Settings) -> Iterator[dict[str, Any]]:
    """Yields every combination of an entry's axes; the last axis changes fastest."""
    axes = [value if isinstance(value, list) else [value] for value in entry.values()]
    for values in itertools.product(*axes):
        yield {key: _value(value) for key, value in zip(entry, values, strict=True)}


def _value(value: Any) -> Any:
    # TOML has no null: the string "none" represents it, as on the command line.
    return Text(value) if isinstance(value, str) and value.lower() == "none" else value


@dataclass
class _Pool:
    """Runs of a grid: resolved, without duplicates, and without those that are excluded."""

    registry: Registry
    data_root: Path
    exclude: list[dict[str, Any]]
    progress: ProgressReporter
    runs: dict[str, GridRun] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _of: dict[str, str] = field(default_factory=dict)
    _keys: set[str] = field(default_factory=set)
    _matched: set[int] = field(default_factory=set)
    _identities: dict[str, str] = field(default_factory=dict)

    def add(self, where: str, entry: Settings) -> None:
        """Adds the runs of an entry."""
        found, faults, earlier = 0, dict[str, None](), list[str]()
        axes = {key for key, value in entry.items() if isinstance(value, list)}
        for settings in _combinations(entry):
            run, error = self._resolved(settings)
            if self._excluded(settings, run):
                continue
            found += 1
            if error is not None:
                new = error.faults or (error.message,)
                faults |= dict.fromkeys(new)
                self.hints.append(error.hint)
                if any(fault.partition(":")[0] in axes for fault in new):
                    self.hints.append(_LISTS)
            elif run is not None:
                name = run.resolved.spec.hash
                if name in self._of:
                    earlier.append(self._of[name])
                self._of.setdefault(name, where)
                self.runs.setdefault(name, run)
        self.faults += [f"{where}: {fault}" for fault in faults]
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
        for number, pattern in enumerate(self.exclude):
            unknown = [key for key in pattern if key not in self._keys]
            self.faults += [
                f"exclude {number + 1}: no run has '{key}'; {suggestion(key, self._keys)}"
                for key in unknown
            ]
            if not unknown and number not in self._matched:
                self.faults.append(f"exclude {number + 1}: no run matches")

    def _resolved(self, settings: Settings) -> tuple[GridRun | None, ConfigError | None]:
        try:
            try:
                found = resolve(
                    self.registry,
                    settings,
                    self.data_root,
                    progress=self.progress,
                    identities=self._identities,
                )
                return GridRun(settings, found), None
            except DataError as error:
                known = resolve(self.registry, settings, self.data_root, identify=False)
                return GridRun(settings, known, error), None
        except ConfigError as error:
            return None, error

    def _excluded(self, settings: Settings, run: GridRun | None) -> bool:
        every = {**(settings_of(run.resolved.spec) if run else {}), **settings}
        self._keys |= every.keys()
        matching = {
            number
            for number, pattern in enumerate(self.exclude)
            if pattern and all(_is_one_of(every, key, wanted) for key, wanted in pattern.items())
        }
        self._matched |= matching
        return bool(matching)


def _is_one_of(settings: Settings, key: str, wanted: Any) -> bool:
    if key not in settings:
        return False
    values = wanted if isinstance(wanted, list) else [wanted]
    return any(_plain(settings[key]) == _plain(value) for value in values)


def _plain(value: Any) -> Any:
    """Returns a value in a form in which equal settings compare equal."""
    if isinstance(value, bool):
        return str(value)  # True == 1 in Python
    return None if isinstance(value, str) and value.lower() == "none" else value


def _cells(runs: Iterable[GridRun]) -> Iterator[GridCell]:
    grouped: dict[str, list[GridRun]] = {}
    for run in runs:
        settings = settings_of(run.resolved.spec)
        key = as_typed([[name, value] for name, value in settings.items() if name != "seed"])
        grouped.setdefault(key, []).append(run)
    given = [cell[0].settings for cell in grouped.values()]
    keys = dict.fromkeys(key for settings in given for key in settings if key != "seed")
    varied = [key for key in keys if len({as_typed(one.get(key, "")) for one in given}) > 1]
    for cell in grouped.values():
        yield GridCell(_label(cell[0], varied), cell)


def _label(run: GridRun, varied: Sequence[str]) -> str:
    """Returns the settings that differ between cells, as a label."""
    # Settings that the cell leaves at their defaults are left out, except components.
    chosen = run.resolved.spec.choices()
    parts = [
        chosen[key].name if key in chosen else f"{key}={as_typed(run.settings[key])}"
        for key in varied
        if key in chosen or key in run.settings
    ]
    return ", ".join(parts) or run.resolved.spec.method.name
