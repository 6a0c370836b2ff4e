"""Trainer of a run: starts its trainings, and resumes them from their checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ltbench.config.runspec import TrainConfig
from ltbench.engine.building.built_run import BuiltRun
from ltbench.engine.building.checked_components import CheckedLoss
from ltbench.engine.model.compilation import CompiledGraphs
from ltbench.engine.training.checkpoint import TrainState, load_state, save_state
from ltbench.engine.training.feature_loader import training_loader
from ltbench.engine.training.loop import train
from ltbench.engine.training.selection import Validation
from ltbench.engine.training.train_loader import ImageLoader
from ltbench.progress import ProgressReporter
from ltbench.storage.run_directory import RunDirectory


@dataclass(frozen=True)
class Trainer:
    """Everything that the trainings of a run have in common."""

    built: BuiltRun
    directory: RunDirectory
    progress: ProgressReporter

    def fit(
        self,
        stage: str,
        loader: ImageLoader,
        config: TrainConfig,
        on_epoch: Callable[[TrainState], None] = lambda state: None,
        validation: Validation | None = None,
        loss: CheckedLoss | None = None,
    ) -> TrainState:
        """Trains the learned parameters to the last epoch, and selects an epoch's weights.

        Args:
            stage: Name of the training in the run, and of its checkpoint.
            loader: Training images.
            config: Epochs, batch size, learning rate.
            on_epoch: Function that is called after each epoch, when its checkpoint is written, and
                before a resumed training: a crash may have come between checkpoint and call.
            validation: Selection of the epoch whose weights are kept; None: the last.
            loss: Loss; None: the run's.
        """
        model, checkpoint = self.built.model, self.directory.checkpoint(stage)
        policy, group = self.built.policy, self.built.loader_config.group
        state = TrainState.start(self.built.optimizer(model.learned(), config.lr), policy)
        if group.broadcast(checkpoint.exists()):
            load_state(state, model, checkpoint)
            self.progress.note(f"resuming {stage} after epoch {state.epoch} of {config.epochs}")
            on_epoch(state)

        graphs = CompiledGraphs() if self.built.compiled else None
        begun = state.epoch

        def after(state: TrainState) -> None:
            if validation is not None:
                validation.score(state)
            if graphs is not None and (more := graphs.new()) and state.epoch > begun + 1:
                self.progress.note(
                    f"warning: compile: {more} more graphs were compiled in epoch {state.epoch}, "
                    "each of which takes seconds to minutes"
                )
            group.lead(self.directory.make_checkpoint_folder)
            group.lead(save_state, state, model, checkpoint)
            on_epoch(state)

        shown = training_loader(self.built, loader)
        loss_of, schedule = loss or self.built.loss, self.built.schedule
        try:
            train(
                model, shown, loss_of, schedule, state, config, policy, group, self.progress, after
            )
        finally:
            shown.close()
        if validation is not None:
            validation.take_best(state)
        return state
