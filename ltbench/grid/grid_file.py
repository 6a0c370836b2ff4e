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

[executor]                        # where the runs are executed; in no run's hash
name = "some_queue"
partition = "gpu"
```
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ltbench.config.lookups import frozen
from ltbench.config.resolve import Resolver
from ltbench.config.text import as_typed
from ltbench.errors import ConfigError, leading, shortened
from ltbench.grid.grid_tables import HINT, GridTables, read_tables
from ltbench.grid.run_pool import MAX_RUNS, GridRun, RunPool, count_runs
from ltbench.io.gc import gc_paused
from ltbench.progress import SILENT, ProgressReporter
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.registry import Registry
from ltbench.specs import DatasetSpec

_MAX_HINT_CHARACTERS = 500


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
        origin: Name of the grid's tables in errors: the path of its file.
        executor: Name and options of the executor that the file sets, by key.
    """

    name: str
    cells: Sequence[GridCell]
    notes: Sequence[str] = ()
    origin: str = "grid"
    executor: Mapping[str, Any] = field(default_factory=dict)

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
        ConfigError: The faults of all entries.
    """
    return resolve_grid(read_tables(path), str(path), registry, data_root, progress)


@gc_paused()
def resolve_grid(
    tables: GridTables,
    origin: str,
    registry: Registry,
    data_root: Path,
    progress: ProgressReporter = SILENT,
) -> Grid:
    """Resolves all runs of a grid's tables.

    Args:
        tables: Content of a grid file.
        origin: Name of the tables in errors: the path of the file.
        registry: Components to choose from.
        data_root: Folder of the data sets.
        progress: Reporter for the reading of images that have not been read before.

    Raises:
        ConfigError: The faults of all entries.
    """
    pool = RunPool(Resolver(registry, data_root, progress), tables)
    faults, entries = list(tables.faults), tables.entries
    count = sum(map(count_runs, entries))
    if count > MAX_RUNS:
        faults.append(f"it has {count:,} runs: expected at most {MAX_RUNS:,}")
    if not faults:
        for number, entry in enumerate(entries):
            pool.add(number, entry)
        pool.finish()
        faults = list(dict.fromkeys(pool.faults))
    if faults:
        hint = "; ".join(leading(list(pool.hints), _MAX_HINT_CHARACTERS)) or HINT
        together = ConfigError.from_faults(faults)
        raise ConfigError(f"{origin}: {together.message}", hint=hint)
    notes = [*pool.notes, *_quick_looks(pool)]
    return Grid(tables.name, list(_cells(pool.runs.values())), notes, origin, tables.executor)


def _quick_looks(pool: RunPool) -> Iterator[str]:
    """Yields a remark about runs that leaderboards leave out."""
    quick = sum(not run.resolved.spec.comparable for run in pool.runs.values())
    if quick:
        yield (
            f"{quick:,} of {len(pool.runs):,} runs are quick looks (limit, fast): leaderboards, "
            "comparisons and reports leave them out"
        )


def _cells(runs: Iterable[GridRun]) -> Iterator[GridCell]:
    grouped: dict[object, list[GridRun]] = {}
    for run in runs:
        grouped.setdefault(run.cell_key, []).append(run)
    labels = _Labels([cell[0] for cell in grouped.values()])
    for cell in grouped.values():
        yield GridCell(labels.of(cell[0]), cell)


class _Labels:
    """Labels of cells: the settings that differ between them.

    Args:
        runs: A run of each cell.
    """

    def __init__(self, runs: Sequence[GridRun]) -> None:
        self._typed: dict[object, str] = {}
        keys = dict.fromkeys(key for run in runs for key in run.settings if key != "seed")
        self._varied = [
            key
            for key in keys
            if len({self._as_typed(run.settings.get(key, "")) for run in runs}) > 1
        ]

    def of(self, run: GridRun) -> str:
        """Returns the label of the cell of a run."""
        # Settings that the cell leaves at their defaults are left out, except components.
        chosen = run.resolved.spec.choices()
        parts = [
            chosen[key].name if key in chosen else f"{key}={self._as_typed(run.settings[key])}"
            for key in self._varied
            if key in chosen or key in run.settings
        ]
        return ", ".join(parts) or run.resolved.spec.method.name

    def _as_typed(self, value: Any) -> str:
        key = frozen(value)
        if key not in self._typed:
            self._typed[key] = shortened(as_typed(value))
        return self._typed[key]
