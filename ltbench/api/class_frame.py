"""Data frame with one row for each run and class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.metrics import DEFAULT_RULE, SHOT_GROUPS, SHOT_RULES
from ltbench.api.series import distinct, repeated
from ltbench.io.gc import gc_paused
from ltbench.storage.result_schema import Classes, RunResult

if TYPE_CHECKING:
    import pandas as pd


@gc_paused()
def classes_frame(runs: Sequence[RunResult]) -> pd.DataFrame:
    """Returns a row for each class of each run.

    Args:
        runs: Stored results.
    """
    import pandas as pd

    codes, firsts = distinct((id(run.classes), run.metrics.shot_rule) for run in runs)
    counts = [len(run.classes.names) for run in runs]
    each = [_ClassColumns(runs[first].classes, runs[first].metrics.shot_rule) for first in firsts]
    names = sorted({name for one in each for name in one.classes.names})
    place = {name: code for code, name in enumerate(names)}
    name_codes = [np.array([place[name] for name in one.classes.names], np.int64) for one in each]
    accuracy = [np.array(run.metrics.per_class, dtype=np.float64) for run in runs]
    return pd.DataFrame(
        {
            **run_columns(runs, counts),
            "class_id": pd.Series(_joined([np.arange(count) for count in counts]), dtype="Int64"),
            "class_name": pd.Categorical.from_codes(
                _joined([name_codes[code] for code in codes]),
                categories=pd.Index(names, dtype="str"),
            ),
            "train_images": pd.Series(_joined([each[c].train for c in codes]), dtype="Int64"),
            "trained_on": pd.Series(_joined([each[c].trained_on for c in codes]), dtype="Int64"),
            "shot_group": pd.Categorical.from_codes(
                _joined([each[code].groups for code in codes]),
                categories=pd.Index(SHOT_GROUPS, dtype="str"),
                ordered=False,
            ),
            "accuracy": pd.Series(_joined(accuracy), dtype="float64"),
        }
    )


def run_columns(runs: Sequence[RunResult], counts: Sequence[int]) -> dict[str, pd.Series]:
    """Returns the columns that identify the run of each row.

    Args:
        runs: Stored results.
        counts: Number of rows of each run.
    """
    return {
        "hash": repeated([run.hash for run in runs], "string", counts),
        "dataset": repeated([run.spec.dataset.name for run in runs], "category", counts),
        "backbone": repeated([run.spec.backbone.name for run in runs], "category", counts),
        "method": repeated([run.spec.method.name for run in runs], "category", counts),
        "seed": repeated([run.seed for run in runs], "Int64", counts),
    }


class _ClassColumns:
    """Columns that runs on the same classes share.

    Args:
        classes: The K classes.
        shot_rule: Name of the rule of the shot groups.
    """

    def __init__(self, classes: Classes, shot_rule: str) -> None:
        self.classes = classes
        self.train = np.array(classes.train_images, np.int64)
        self.trained_on = np.array(classes.trained_on, np.int64)
        members = SHOT_RULES.get(shot_rule, DEFAULT_RULE).groups(self.train)
        self.groups = np.select([members[name] for name in SHOT_GROUPS], range(len(SHOT_GROUPS)))


def _joined(parts: Sequence[NDArray[np.generic]]) -> NDArray[np.generic]:
    return np.concatenate(parts) if parts else np.array([], np.int64)
