"""Data frame with one row for each run and test image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ltbench.api.class_frame import run_columns
from ltbench.errors import DataError
from ltbench.io.gc import gc_paused
from ltbench.storage.image_names import read_names
from ltbench.storage.predictions import Predictions, stored_predictions
from ltbench.storage.result_schema import RunResult

if TYPE_CHECKING:
    import pandas as pd


@gc_paused()
def images_frame(runs: Sequence[RunResult], inference: str | None) -> pd.DataFrame:
    """Returns a row for each test image of each run.

    Args:
        runs: Stored results.
        inference: Name in the files' names; that of each run where None.

    Raises:
        DataError: Predictions are missing, damaged, or of another run.
    """
    import pandas as pd

    read = [run.predictions(inference) for run in runs]
    counts = [len(each.labels) for each in read]
    known = sorted({name for run in runs for name in run.classes.names})
    place = {name: code for code, name in enumerate(known)}
    categories = pd.Index(known, dtype="str")
    of_classes: dict[int, NDArray[np.int64]] = {}

    def names(get: str) -> Any:
        codes = []
        for run, each in zip(runs, read, strict=True):
            key = id(run.classes)
            if key not in of_classes:
                of_classes[key] = np.array([place[name] for name in run.classes.names], np.int64)
            codes.append(of_classes[key][getattr(each, get)])
        return pd.Categorical.from_codes(_joined(codes), categories=categories)

    labels, predicted = (
        _joined([getattr(each, get) for each in read]) for get in ("labels", "predicted")
    )
    return pd.DataFrame(
        {
            **run_columns(runs, counts),
            "index": pd.Series(_joined([each.indices for each in read]), dtype="Int64"),
            "image": _images(runs, read, inference),
            "label": pd.Series(labels, dtype="Int64"),
            "label_name": names("labels"),
            "predicted": pd.Series(predicted, dtype="Int64"),
            "predicted_name": names("predicted"),
            "correct": pd.Series(labels == predicted, dtype="boolean"),
            "confidence": pd.Series(_joined([each.confidence for each in read]), dtype="float64"),
        }
    )


def _images(
    runs: Sequence[RunResult], read: Sequence[Predictions], inference: str | None
) -> pd.Categorical:
    """Returns the names of the images; unknown where an earlier version stored the predictions.

    Raises:
        DataError: The names of a run are damaged.
    """
    import pandas as pd
    import pyarrow as pa

    parts = []
    for run, each in zip(runs, read, strict=True):
        path = stored_predictions(run.path, inference, run.spec.inference.name)
        names = read_names(path)
        if names is None:
            names = pa.nulls(len(each.labels), pa.string())
        elif len(names) != len(each.labels):
            raise DataError(
                f"{path} has {len(names)} names of images, expected {len(each.labels)}",
                hint="run it again with --overwrite always",
            )
        parts.append(names)
    names = pa.chunked_array(parts, pa.string()).combine_chunks().dictionary_encode()
    codes = names.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    categories = pd.Index(names.dictionary.to_pylist(), dtype="str")
    return pd.Categorical.from_codes(codes, categories=categories)


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.array([], np.int64)
