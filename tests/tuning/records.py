"""Trials and studies that were never run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ltbench.tuning.space import Choices, Range, Space
from ltbench.tuning.study_file import MethodRecord, StudyRecord, TrialRecord

RATE = Range("train.lr", 0.001, 0.1, log=True, whole=False)
DIM = Choices("method.dim", (4, 8, None))
SPACE = Space("lift_plus", (RATE, DIM), {"train.lr": 0.02, "method.dim": None})


def trial(
    number: int = 0,
    settings: Mapping[str, Any] | None = None,
    *,
    value: float | None = 50.0,
    scores: Sequence[float] = (),
    epochs: int = 4,
    state: str | None = None,
    method: str = "lift_plus",
) -> TrialRecord:
    """A trial that has ended: done where it has a value, else pruned unless a state is given."""
    return TrialRecord.model_validate(
        {
            "method": method,
            "number": number,
            "settings": dict(settings or {"train.lr": 0.01, "method.dim": 4}),
            "hash": "0123456789ab",
            "state": state or ("pruned" if value is None else "done"),
            "epochs": epochs,
            "scores": list(scores),
            "trained": len(scores),
            "value": value,
            "seconds": 1.5,
            "error": "",
        }
    )


def study_record(*spaces: Space, **changed: Any) -> StudyRecord:
    """A study of some spaces, or of `SPACE`."""
    values: dict[str, Any] = {
        "methods": [MethodRecord.of(space) for space in spaces or (SPACE,)],
        "settings": {"train.epochs": "4"},
        "sampler": "random",
        "seed": 0,
        "metric": "mean_class",
        "select": "val",
        "prune": None,
        "budget": 3,
    }
    return StudyRecord(**{**values, **changed})
