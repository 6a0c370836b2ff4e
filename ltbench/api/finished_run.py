"""A finished run for Python: its result, predictions, history and trained model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltbench.errors import ConfigError
from ltbench.storage.result_schema import RunResult
from ltbench.storage.run_directory import RunDirectory

if TYPE_CHECKING:
    from ltbench.engine.stored_model import StoredModel


class FinishedRun(RunResult):
    """Result of a finished run, from which its model is rebuilt."""

    @classmethod
    def from_result(cls, result: RunResult) -> FinishedRun:
        """Returns a result that was read or written as a finished run."""
        values = {name: getattr(result, name) for name in RunResult.model_fields}
        return cls.model_construct(result.model_fields_set, **values).at(result.path)

    def model(self, device: str = "auto", settings: Mapping[str, Any] | None = None) -> StoredModel:
        """Rebuilds the trained model; it needs the backbone's weights, and no data set.

        The model of a run that an older version of ltbench stored needs the data set as well.

        Args:
            device: "auto" (the first GPU, or the CPU), "cpu", "cuda", "cuda:1", ...
            settings: New paths of files that have moved, such as "backbone.path".

        Raises:
            DataError: Weights are missing, damaged, or not those of the run.
            ConfigError: There is no such device, component or setting.
        """
        given = {} if settings is None else settings
        if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
            raise ConfigError(
                f"settings: expected paths by key, got {settings!r:.60}",
                hint="give the files that have moved: settings={'backbone.path': 'weights/...'}",
            )
        if not isinstance(device, str):
            raise ConfigError(f"device: expected a text, got {device!r:.60}", hint="as 'cuda:1'")
        from ltbench.engine.stored_model import load_model

        return load_model(self.path, device, settings)


def load_run(path: Path | str) -> FinishedRun:
    """Returns the result of a run directory.

    >>> load_run("runs/digits_lt/clip_tiny/lift_plus/199f5f1adf86").metrics.few  # doctest: +SKIP
    97.9

    Args:
        path: Run directory, as `runs/<dataset>/<backbone>/<method>/<hash>`.

    Raises:
        DataError: The run is not finished, or its `result.json` is broken.
        ConfigError: The argument is no path.
    """
    if not isinstance(path, str | Path) or "\0" in str(path):
        raise ConfigError(
            f"load_run: expected the path of a run directory, got {path!r:.60}",
            hint="give a directory such as runs/<dataset>/<backbone>/<method>/<hash>",
        )
    return FinishedRun.from_result(RunDirectory(Path(path)).finished())
