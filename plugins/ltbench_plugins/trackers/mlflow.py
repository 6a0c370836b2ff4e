"""MLflow tracker: one MLflow run per run, on a server or in a local database."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from ltbench import TrackerContext, TrackerSpec, hookimpl, option
from ltbench.errors import ConfigError, Interrupted, LTBenchError
from ltbench_plugins.trackers.values import of_epoch, of_result, title, typed

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

_HASH, _CELL, _ERROR = "ltbench.hash", "ltbench.cell", "ltbench.error"
_LOCAL = "sqlite:///"
_PARAMETERS_PER_REQUEST = 100  # limit of the server


@dataclass(frozen=True)
class MlflowConfig:
    """Options of the MLflow tracker."""

    uri: str | None = option(
        None,
        "URI of the tracking server; none: MLFLOW_TRACKING_URI, or sqlite:///mlflow.db in the "
        "working directory",
    )
    experiment: str = option("ltbench", "experiment of the run, created if missing")


class Mlflow:
    """Tracker that logs epochs as steps, the result as metrics, the settings as parameters.

    MLflow generates the ids of its runs. The tag `ltbench.hash` identifies a run, and a resumed run
    continues it. A run that starts anew is another MLflow run. The final state is FINISHED, FAILED,
    or KILLED for an interrupted run.

    Args:
        uri: URI of the MLflow store.
        experiment: Name of the experiment.
        ctx: Context of the run.
    """

    def __init__(self, uri: str, experiment: str, ctx: TrackerContext) -> None:
        self._uri = uri
        self._experiment = experiment
        self._ctx = ctx
        self._client: MlflowClient | None = None
        self._id = ""

    @hookimpl
    def ltbench_on_run_start(self, history: Sequence[Mapping[str, float]]) -> None:
        """Starts a run, or continues it."""
        from mlflow.tracking import MlflowClient

        with _alone(self._uri):
            self._client = client = MlflowClient(self._uri)
            experiment = _experiment(client, self._experiment)
        hashed = f"tags.`{_HASH}` = '{self._ctx.hash}'"
        found = client.search_runs([experiment], hashed, max_results=1) if history else []
        if found:
            self._id = found[0].info.run_id
            client.update_run(self._id, status="RUNNING")
            return
        tags = {_HASH: self._ctx.hash, _CELL: self._ctx.cell}
        run = client.create_run(experiment, tags=tags, run_name=title(self._ctx))
        self._id = run.info.run_id
        self._log_settings(client)
        for epoch, row in enumerate(history):  # epochs of a run that started without this tracker
            self._log(of_epoch(row), epoch)

    @hookimpl
    def ltbench_on_epoch_end(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Logs the metrics of the epoch."""
        self._log(of_epoch(metrics), epoch)

    @hookimpl
    def ltbench_on_run_end(self, result: Mapping[str, Any]) -> None:
        """Logs the result, and marks the run as finished."""
        self._log(of_result(result), 0)
        assert self._client is not None
        self._client.set_terminated(self._id, "FINISHED")

    @hookimpl
    def ltbench_on_run_failure(self, error: LTBenchError) -> None:
        """Marks the run as failed or killed, with the error as a tag."""
        assert self._client is not None
        self._client.set_tag(self._id, _ERROR, error.message)
        state = "KILLED" if isinstance(error, Interrupted) else "FAILED"
        self._client.set_terminated(self._id, state)

    def _log_settings(self, client: MlflowClient) -> None:
        from mlflow.entities import Param

        settings = self._ctx.settings.items()
        params = [Param(name, typed(value)) for name, value in settings]
        for start in range(0, len(params), _PARAMETERS_PER_REQUEST):
            client.log_batch(self._id, params=params[start : start + _PARAMETERS_PER_REQUEST])

    def _log(self, numbers: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, step) for name, value in numbers.items()]
        assert self._client is not None
        self._client.log_batch(self._id, metrics=metrics)


def _alone(uri: str) -> AbstractContextManager[object]:
    """Returns a lock on a local database, so that one process at a time opens it.

    MLflow creates its tables on opening, which fails for two processes at the same time.
    """
    return FileLock(f"{uri.removeprefix(_LOCAL)}.lock") if uri.startswith(_LOCAL) else nullcontext()


def _experiment(client: MlflowClient, name: str) -> str:
    """Returns the id of an experiment, which is created if missing."""
    from mlflow.exceptions import MlflowException

    known = client.get_experiment_by_name(name)
    if known is None:
        try:
            return str(client.create_experiment(name))
        except MlflowException:  # another run of the grid created it
            known = client.get_experiment_by_name(name)
            if known is None:
                raise
    return str(known.experiment_id)


def build(config: MlflowConfig, ctx: TrackerContext) -> Mlflow:
    """Builds the tracker of a run.

    Raises:
        ConfigError: A package is missing.
    """
    uri = config.uri or os.environ.get("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    if uri.startswith(_LOCAL):  # MLflow caches stores by URI, for any working directory
        uri = _LOCAL + str(Path(uri.removeprefix(_LOCAL)).absolute())
    try:
        import mlflow.tracking  # noqa: F401

        if uri.startswith("sqlite"):  # mlflow-skinny does not install them
            import alembic  # noqa: F401
            import sqlalchemy  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"tracker 'mlflow' needs the package mlflow ({error})",
            hint="pip install 'ltbench[mlflow]'",
        ) from error
    return Mlflow(uri, config.experiment, ctx)


MLFLOW = TrackerSpec(
    name="mlflow",
    summary="MLflow: epochs, result and settings; on a server or in a local database",
    config=MlflowConfig,
    build=build,
    libraries=("mlflow",),
    reference="github.com/mlflow/mlflow",
    examples=({"uri": "sqlite:///mlflow.db"},),
)
