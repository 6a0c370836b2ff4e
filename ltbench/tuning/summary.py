"""Summary of a study: what each method's search cost, its best trial, and the command of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ltbench.config.run_command import typed
from ltbench.specs import Settings
from ltbench.tuning.study import Study
from ltbench.tuning.study_file import State, TrialRecord


@dataclass(frozen=True)
class MethodSummary:
    """Search of a method.

    Args:
        method: Name of the method.
        trials: Trials in their order.
        best: Trial with the highest score; None where none is done.
        untuned: Trial with the settings of the recipe; None where no trial has them.
        edges: Searched settings of the best trial that are at an end of their range.
    """

    method: str
    trials: tuple[TrialRecord, ...]
    best: TrialRecord | None
    untuned: TrialRecord | None
    edges: tuple[str, ...]

    def count(self, state: State) -> int:
        """Returns the number of trials in a state."""
        return sum(trial.state == state for trial in self.trials)

    @property
    def epochs(self) -> int:
        """Number of trained epochs of all trials."""
        return sum(trial.trained for trial in self.trials)

    @property
    def planned_epochs(self) -> int:
        """Number of epochs that the trials would have without pruning."""
        return sum(trial.epochs for trial in self.trials)

    @property
    def seconds(self) -> float:
        """Seconds of all trials."""
        return sum(trial.seconds for trial in self.trials)


def summarise(study: Study) -> list[MethodSummary]:
    """Returns the summary of each method."""
    return [
        MethodSummary(
            method=space.method,
            trials=tuple(study.of(space.method)),
            best=(best := study.best(space.method)),
            untuned=next(
                (one for one in study.of(space.method) if one.settings == space.start), None
            ),
            edges=() if best is None else tuple(space.at_edge(best.settings)),
        )
        for space in study.spaces
    ]


def best_settings(study: Study, base: Settings, method: str, trial: TrialRecord) -> dict[str, Any]:
    """Returns the settings of the run on the test split that a trial leads to, without its seed."""
    without = {key: value for key, value in base.items() if key not in ("seed", "split", "method")}
    return {"method": method, **without, "select": study.record.select, **trial.settings}


def as_typed_line(settings: Settings) -> str:
    """Returns settings as words, for a table."""
    return " ".join(f"{key}={typed(value)}" for key, value in settings.items())
