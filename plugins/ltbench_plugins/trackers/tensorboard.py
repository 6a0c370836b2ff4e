"""TensorBoard tracker: scalars of epochs and of the result, with the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltbench import TrackerContext, TrackerSpec, hookimpl, option
from ltbench.errors import ConfigError, LTBenchError
from ltbench_plugins.trackers.values import of_epoch, of_result, place, typed

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


@dataclass(frozen=True)
class TensorBoardConfig:
    """Options of the TensorBoard tracker."""

    folder: Path | None = option(
        None,
        "parent of the runs' folders, named by hash; none: tensorboard/ in the run directory",
    )


class TensorBoard:
    """Tracker that writes `epoch/*` and `result/*`, and the settings as text and for HParams.

    A resumed run continues after its last epoch. A run that starts anew hides the events of an
    earlier run of the same hash.

    Args:
        folder: Folder of this run's event files.
        settings: Settings of the run by dotted key.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._folder = folder
        self._settings = settings
        self._writer: SummaryWriter | None = None

    @hookimpl
    def ltbench_on_run_start(self, history: Sequence[Mapping[str, float]]) -> None:
        """Opens an event file."""
        from torch.utils.tensorboard import SummaryWriter

        known = len(history) if self._folder.exists() else 0
        self._writer = SummaryWriter(str(self._folder), purge_step=known)
        cells = {name: typed(value).replace("|", "\\|") for name, value in self._settings.items()}
        rows = [f"| {name} | {value} |" for name, value in cells.items()]
        self._writer.add_text("settings", "\n".join(["| setting | |", "|---|---|", *rows]), known)
        self._writer.flush()
        for epoch, row in enumerate(history[known:], start=known):  # epochs without this tracker
            self.ltbench_on_epoch_end(epoch, row)

    @hookimpl
    def ltbench_on_epoch_end(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Adds the scalars of an epoch."""
        assert self._writer is not None
        for name, value in of_epoch(metrics).items():
            self._writer.add_scalar(f"epoch/{name}", value, epoch)
        self._writer.flush()  # shows each epoch when it ends

    @hookimpl
    def ltbench_on_run_end(self, result: Mapping[str, Any]) -> None:
        """Adds the scalars of the result, and closes the file."""
        assert self._writer is not None
        numbers = {f"result/{name}": value for name, value in of_result(result).items()}
        # In the run's own folder: the default folder would be shown as a run of its own.
        settings = {
            name: value if isinstance(value, int | float) else typed(value)
            for name, value in self._settings.items()
        }
        self._writer.add_hparams(settings, numbers, run_name=".")
        self._writer.close()

    @hookimpl
    def ltbench_on_run_failure(self, error: LTBenchError) -> None:
        """Adds the error as a text, and closes the file."""
        assert self._writer is not None
        self._writer.add_text("error", error.message)
        self._writer.close()


def build(config: TensorBoardConfig, ctx: TrackerContext) -> TensorBoard:
    """Builds the tracker of a run."""
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"tracker 'tensorboard' needs the package tensorboard ({error})",
            hint="pip install 'ltbench[tensorboard]'",
        ) from error
    return TensorBoard(place(config.folder, ctx, "tensorboard"), ctx.settings)


TENSORBOARD = TrackerSpec(
    name="tensorboard",
    summary="TensorBoard event files: scalars, settings, HParams",
    config=TensorBoardConfig,
    build=build,
    reference="github.com/tensorflow/tensorboard",
)
