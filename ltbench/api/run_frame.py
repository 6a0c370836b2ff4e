"""Data frame with one row a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ltbench.api.run_columns import RUN_COLUMNS
from ltbench.api.series import distinct, inferred_series, typed_series
from ltbench.io.gc import gc_paused
from ltbench.specs import SPECS
from ltbench.storage.result_schema import RunResult

if TYPE_CHECKING:
    import pandas as pd


@gc_paused()
def runs_frame(runs: Sequence[RunResult]) -> pd.DataFrame:
    """Returns a row for each run: `RUN_COLUMNS`, options of components, tags.

    Args:
        runs: Stored results.
    """
    import pandas as pd

    columns = {
        column.name: typed_series([column.value(run) for run in runs], column.dtype)
        for column in RUN_COLUMNS
    }
    for kind in SPECS:
        columns |= _option_columns(runs, kind)
    tags = [run.tags for run in runs]
    for name in sorted({name for each in tags for name in each}):
        columns[f"tag.{name}"] = typed_series([each.get(name) for each in tags], "string")
    return pd.DataFrame(columns)


def _option_columns(runs: Sequence[RunResult], kind: str) -> dict[str, pd.Series]:
    """Returns a column for each option that a component of a kind has in any run."""
    choices = [getattr(run.spec, kind) for run in runs]
    codes, firsts = distinct(map(id, choices))  # the runs of a cell share their choices
    options: list[dict[str, Any]] = [
        {**choices[first].options, **choices[first].paths} for first in firsts
    ]
    names = dict.fromkeys(name for each in options for name in each)
    return {
        f"{kind}.{name}": inferred_series([each.get(name) for each in options])
        .take(codes)
        .reset_index(drop=True)
        for name in names
    }
