"""Weights & Biases tracker: one W&B run per run, with the same id."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from ltbench import TrackerContext, TrackerSpec, hookimpl, option
from ltbench.errors import ConfigError, LTBenchError
from ltbench_plugins.trackers.values import of_epoch, of_result, title

if TYPE_CHECKING:
    import wandb

Mode = Literal["online", "offline", "disabled"]


@dataclass(frozen=True)
class WandbConfig:
    """Options of the W&B tracker."""

    project: str = option("ltbench", "project of the run")
    entity: str | None = option(None, "user or team; none: your own default")
    group: str | None = option(None, "group of the run; none: its cell, with all seeds together")
    mode: Mode | None = option(
        None, "mode; offline is for `wandb sync`; none: WANDB_MODE, or online"
    )
    folder: Path | None = option(None, "parent of W&B's folder wandb/; none: the run directory")


class Wandb:
    """Tracker that logs epochs as steps, the result as summary, the settings as config.

    The id is the run's hash. A resumed run continues the same W&B run. If that does not exist, or
    offline, where it cannot be looked up, the earlier epochs are logged again, so that the files
    are complete. A run that starts anew replaces the earlier one of its hash.

    Args:
        config: Options of the tracker.
        ctx: Context of the run.
        mode: Mode, with the environment considered.
    """

    def __init__(self, config: WandbConfig, ctx: TrackerContext, mode: Mode) -> None:
        self._config = config
        self._ctx = ctx
        self._mode = mode
        self._run: wandb.Run | None = None

    @hookimpl
    def ltbench_on_run_start(self, history: Sequence[Mapping[str, float]]) -> None:
        """Starts the run, or continues it."""
        import wandb

        config, ctx = self._config, self._ctx
        folder = config.folder or ctx.directory
        folder.mkdir(parents=True, exist_ok=True)
        self._run = wandb.init(
            project=config.project,
            entity=config.entity,
            group=config.group or ctx.cell,
            id=ctx.hash,
            name=title(ctx),
            config=dict(ctx.settings),
            dir=folder,
            mode=self._mode,
            resume="allow" if history else None,
            reinit="create_new",  # several runs in a process must not end each other
            settings=wandb.Settings(console="off"),  # stdout and the progress stay unchanged
        )
        if not self._run.resumed:
            for epoch, row in enumerate(history):
                self._run.log(of_epoch(row), step=epoch)

    @hookimpl
    def ltbench_on_epoch_end(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Logs the epoch as a step."""
        assert self._run is not None
        self._run.log(of_epoch(metrics), step=epoch)

    @hookimpl
    def ltbench_on_run_end(self, result: Mapping[str, Any]) -> None:
        """Writes the summary, and finishes the run."""
        assert self._run is not None
        self._run.summary.update(of_result(result))
        self._run.finish()

    @hookimpl
    def ltbench_on_run_failure(self, error: LTBenchError) -> None:
        """Finishes the run as failed, with the exit code of ltbench."""
        assert self._run is not None
        self._run.summary.update({"error": error.message})
        self._run.finish(exit_code=error.exit_code)


def build(config: WandbConfig, ctx: TrackerContext) -> Wandb:
    """Builds the tracker of a run.

    Raises:
        ConfigError: The package is missing, or the mode is online without a key.
    """
    try:
        import wandb
    except ImportError as error:
        raise ConfigError(
            f"tracker 'wandb' needs the package wandb ({error})",
            hint="pip install 'ltbench[wandb]'",
        ) from error
    mode = cast("Mode", config.mode or os.environ.get("WANDB_MODE", "online"))
    # Otherwise W&B asks for the key at the start of the run, and waits for an answer.
    if mode == "online" and not wandb.login(prompt=False, verify=False):
        raise ConfigError(
            "tracker 'wandb' is not logged in",
            hint="run `wandb login`, or add --set tracker.wandb.mode=offline and sync later",
        )
    return Wandb(config, ctx, mode)


WANDB = TrackerSpec(
    name="wandb",
    summary="Weights & Biases: epochs, result and settings; online or offline",
    config=WandbConfig,
    build=build,
    libraries=("wandb",),
    reference="github.com/wandb/wandb",
    examples=({"mode": "offline"}, {"mode": "disabled"}),
)
