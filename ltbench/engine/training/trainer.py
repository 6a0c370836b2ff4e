"""Trains what is learned of a model, and goes on where an interrupted training stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ltbench.config.runspec import TrainConfig
from ltbench.engine.build.built_run import Assembly
from ltbench.engine.training.checkpoint import TrainState, load_state, save_state
from ltbench.engine.training.loop import train
from ltbench.engine.training.selection import Validation
from ltbench.engine.training.train_loader import TrainingStream
from ltbench.progress import Watch
from ltbench.storage.run_directory import RunDirectory


@dataclass(frozen=True)
class Fitting:
    """What every training of a run has in common."""

    assembly: Assembly
    directory: RunDirectory
    watch: Watch

    def fit(
        self,
        stage: str,
        stream: TrainingStream,
        config: TrainConfig,
        on_epoch: Callable[[TrainState], None] = lambda state: None,
        validation: Validation | None = None,
    ) -> TrainState:
        """Trains the learned parameters to the last epoch, and takes the best if there is a choice.

        Args:
            stage: Names the training among those of the run, and its checkpoint.
            stream: The training images.
            config: Epochs, batch size, learning rate.
            on_epoch: Called after each epoch, when its checkpoint is written.
            validation: Chooses the epoch whose weights are kept; None: the last.
        """
        model, checkpoint = self.assembly.model, self.directory.checkpoint(stage)
        arithmetic = self.assembly.arithmetic
        state = TrainState.start(model, config, arithmetic)
        if checkpoint.exists():
            load_state(state, model, checkpoint)
            self.watch.note(f"resuming {stage} after epoch {state.epoch} of {config.epochs}")

        def after(state: TrainState) -> None:
            if validation is not None:
                validation.score(state)
            save_state(state, model, checkpoint)
            on_epoch(state)

        shown = self.assembly.encoded(stream)
        train(model, shown, self.assembly.loss, state, config, arithmetic, self.watch, after)
        shown.close()
        if validation is not None:
            validation.take_best(state)
        return state
