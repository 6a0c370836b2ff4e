"""Images that a stored run was evaluated on, where its data set is in place and unchanged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ltbench.config.defaults import DEFAULT_DATA_ROOT
from ltbench.config.options import parse_options, path_options
from ltbench.config.resolve import Resolved
from ltbench.contexts import DataContext
from ltbench.data import Split
from ltbench.engine.building.build_dataset import build_dataset
from ltbench.errors import ConfigError, DataError
from ltbench.progress import SILENT, ProgressReporter
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.component import Component
from ltbench.registry.load import load_plugins
from ltbench.specs import DatasetSpec, Settings
from ltbench.storage.result_schema import RunResult


class EvaluatedSplits:
    """Evaluated splits of stored runs; runs on the same data set share it.

    Args:
        data_root: Folder of the data sets.
        settings: New paths of data that have moved, such as "dataset.path".
        progress: Reporter of what is read; files that were read before are not read again.
    """

    def __init__(
        self,
        data_root: Path = DEFAULT_DATA_ROOT,
        settings: Settings | None = None,
        progress: ProgressReporter = SILENT,
    ) -> None:
        self._data_root = data_root
        self._settings = dict(settings or {})
        self._progress = progress
        self._opened: dict[object, Split] = {}

    def __call__(self, run: RunResult) -> Split:
        """Returns the evaluated split of a run, by the indices in its predictions.

        Args:
            run: Stored result.

        Raises:
            ConfigError: There is no such data set or setting.
            DataError: The data set is missing, or is not that of the run.
        """
        spec = run.spec
        key = (repr(spec.dataset), spec.split, spec.uses_val, spec.data_seed, spec.limit)
        if key not in self._opened:
            self._opened[key] = self._open(run)
        return self._opened[key]

    def expect_settings(self, run: RunResult) -> None:
        """Checks the new paths, also where no data are read.

        Raises:
            ConfigError: A setting is not a path of the run's data set.
        """
        if self._settings:
            self._config(run)

    def _open(self, run: RunResult) -> Split:
        spec, choice = run.spec, run.spec.dataset
        component, config = self._config(run)
        assert isinstance(component.spec, DatasetSpec)
        data = DataContext(self._data_root, spec.data_seed, self._progress, limit=spec.limit)
        with attribute_errors(component):
            identity = component.spec.identity(config, data)
        if identity != choice.identity or component.spec.version != choice.version:
            raise DataError(
                f"the data set '{choice.name}' is not the one that the run used",
                hint="give the data of the run, or start the run again",
            )
        resolved = Resolved(spec, {"dataset": component}, {"dataset": config}, data, {})
        return build_dataset(resolved, self._progress).splits[spec.split]

    def _config(self, run: RunResult) -> tuple[Component, Any]:
        """Returns the data set of a run with its options, at its new place."""
        choice = run.spec.dataset
        component = load_plugins().find("dataset", choice.name)
        allowed = [f"dataset.{name}" for name in path_options(component.spec.config)]
        places = ", ".join(allowed) or "this data set has no such option"
        faults = [
            f"{key}: only the place of the data can be set ({places})"
            for key in self._settings
            if key not in allowed
        ]
        moved = {key.removeprefix("dataset."): value for key, value in self._settings.items()}
        values = {**choice.options, **choice.paths, **(moved if not faults else {})}
        with attribute_errors(component):
            config, wrong = parse_options(
                component.spec.config, values, "dataset", f"dataset '{choice.name}'"
            )
        if faults or wrong:
            raise ConfigError.from_faults([*faults, *wrong], hint="give the path of the data")
        return component, config
