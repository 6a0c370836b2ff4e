"""Selection of the epoch whose weights are kept: the last, or the best on the validation split."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ltbench.analysis.metrics import compute_metrics
from ltbench.config.runspec import RunSpec
from ltbench.data import Dataset
from ltbench.data.loading.batches import Batches
from ltbench.engine.building.built_run import BuiltRun
from ltbench.engine.training.checkpoint import TrainState, copies, put_back
from ltbench.progress import ProgressReporter
from ltbench.storage.predictions import Predictions
from ltbench.storage.result_schema import SelectionRecord

CRITERION = "mean_class"
_SCORE = f"val_{CRITERION}"


@dataclass
class Validation:
    """Scores the model on the validation split after each epoch, as the test split is scored.

    The scores are in the training's state alone, so that a resumed training selects the same epoch.

    Args:
        built: Built parts of the run.
        evaluate: Function that returns the predictions on a split.
        progress: Reporter of the evaluation.
    """

    built: BuiltRun
    evaluate: Callable[[BuiltRun, Batches, ProgressReporter], Predictions]
    progress: ProgressReporter
    _batches: Batches = field(init=False)

    def __post_init__(self) -> None:
        self._batches = self.built.evaluation_batches("val")

    def score(self, state: TrainState) -> None:
        """Adds the last epoch's score to its row, and keeps its weights if they are the best."""
        built, began = self.built, time.perf_counter()
        predictions = self.evaluate(built, self._batches, self.progress)
        scored = compute_metrics(predictions, built.dataset.shot_counts)[CRITERION]
        state.history[-1] |= {
            _SCORE: scored,
            "val_seconds": time.perf_counter() - began,
            "val_skipped_images": len(self._batches.skipped),
        }
        if best_epoch(state.history) == state.epoch - 1:
            state.kept = copies(built.model.learned())

    def take_best(self, state: TrainState) -> None:
        """Puts the weights of the best epoch into the model."""
        chosen = best_epoch(state.history)
        self.progress.note(
            f"taking epoch {chosen + 1} of {state.epoch}: the best on val "
            f"(mean-class {state.history[chosen][_SCORE]:.1f} %)"
        )
        put_back(self.built.model, state.kept)


def best_epoch(history: Sequence[dict[str, float]]) -> int:
    """Returns the epoch with the best score, from 0; of equal ones the earliest."""
    return max(range(len(history)), key=lambda epoch: history[epoch][_SCORE])


def describe_selection(
    spec: RunSpec, dataset: Dataset, history: Sequence[dict[str, float]]
) -> SelectionRecord:
    """Returns the record of the choice of the epoch whose weights were kept.

    Args:
        spec: Choices of the run.
        dataset: Data set of the run.
        history: Row of each epoch of the training; empty where nothing was trained.
    """
    scored = history if spec.select == "val" else []
    last = len(history) - 1 if history else None
    return SelectionRecord(
        rule="val" if scored else "last",
        epoch=best_epoch(scored) if scored else last,
        epochs=len(history),
        criterion=CRITERION if scored else None,
        scores=[row[_SCORE] for row in scored],
        val_images=len(dataset.splits["val"]) if spec.uses_val else 0,
        held_out=dataset.held_out > 0,
        seconds=sum(row["val_seconds"] for row in scored),
        skipped_images=int(max((row["val_skipped_images"] for row in scored), default=0)),
    )
