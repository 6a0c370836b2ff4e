"""Weights & Biases: a run there for each run here, with the same id."""

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
    """Options of the tracker."""

    project: str = option("ltbench", "project that the run is put into")
    entity: str | None = option(None, "user or team; none: your own default")
    group: str | None = option(None, "group of the run; none: its cell, all seeds together")
    mode: Mode | None = option(None, "offline: for `wandb sync`; none: WANDB_MODE, or online")
    folder: Path | None = option(
        None, "where W&B makes its folder wandb/ with its files; none: the run directory"
    )


class Wandb:
    """Logs epochs as steps, the result as the summary, the settings as the config.

    The id is the run's hash. A resumed run goes on in the same run of W&B; where there is none, and
    offline, where nobody can tell, the earlier epochs are logged as well, so that the files are
    whole by themselves. A run that starts anew takes the place of the earlier one of its hash.

    Args:
        config: Options.
        ctx: Of the run.
        mode: With the environment considered.
    """

    def __init__(self, config: WandbConfig, ctx: TrackerContext, mode: Mode) -> None:
        self._config = config
        self._ctx = ctx
        self._mode = mode
        self._run: wandb.Run | None = None

    @hookimpl
    def ltbench_on_run_start(self, history: Sequence[Mapping[str, float]]) -> None:
        """Begins the run, or goes on with it."""
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
            reinit="create_new",  # several runs in a process do not end each other
            settings=wandb.Settings(console="off"),  # stdout and the progress stay as they are
        )
        if not self._run.resumed:
            for epoch, row in enumerate(history):
                self._run.log(of_epoch(row), step=epoch)

    @hookimpl
    def ltbench_on_epoch_end(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Logs a step."""
        assert self._run is not None
        self._run.log(of_epoch(metrics), step=epoch)

    @hookimpl
    def ltbench_on_run_end(self, result: Mapping[str, Any]) -> None:
        """Writes the summary, and finishes."""
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
        ConfigError: There is no wandb, or it is to be online and has no key.
    """
    try:
        import wandb
    except ImportError as error:
        raise ConfigError(
            f"tracker 'wandb' needs the package wandb ({error})",
            hint="pip install 'ltbench[wandb]'",
        ) from error
    mode = cast("Mode", config.mode or os.environ.get("WANDB_MODE", "online"))
    # At the start of the run W&B would ask for the key, and wait for an answer.
    if mode == "online" and not wandb.login(prompt=False, verify=False):
        raise ConfigError(
            "tracker 'wandb' is not logged in",
            hint="`wandb login`, or --set tracker.wandb.mode=offline and `wandb sync` later",
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
