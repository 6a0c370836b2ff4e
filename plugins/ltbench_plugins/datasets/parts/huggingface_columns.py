"""Columns of a table with images and labels, and its classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.errors import DataError
from ltbench_plugins.datasets.parts.classes import expect_trained, number_classes

_PLAIN = ("string", "large_string", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16")


def find_column(
    where: str, role: str, chosen: str | None, kind: type, features: Mapping[str, Any]
) -> str:
    """Returns the name of the column with the images or the labels.

    Raises:
        DataError: No column has them, or several do and none was chosen.
    """
    matching = [name for name, feature in features.items() if isinstance(feature, kind)]
    listed = ", ".join(f"{name} ({_kind(feature)})" for name, feature in features.items())
    if chosen is None and len(matching) == 1:
        return matching[0]
    if chosen is None:
        found = "several columns" if matching else "no column"
        raise DataError(
            f"{where} has {found} of the kind {kind.__name__}; its columns are {listed}",
            hint=f"choose with --set dataset.{role}=COLUMN",
        )
    typed = role == "label" and getattr(features.get(chosen), "dtype", "") in _PLAIN
    if chosen not in matching and not typed:
        raise DataError(
            f"{where}: dataset.{role}={chosen} is not a column of {role}s, only {listed}",
            hint=f"choose with --set dataset.{role}=COLUMN",
        )
    return chosen


def _kind(feature: Any) -> str:
    return str(feature.dtype) if type(feature).__name__ == "Value" else type(feature).__name__


def read_labels(
    where: str, feature: Any, column: str, rows: Mapping[str, Any]
) -> tuple[tuple[str, ...], dict[str, NDArray[np.int64]]]:
    """Returns the class names, and the class ids of each split.

    Raises:
        DataError: A row has no label or one outside the classes, or a class has no training image.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    values = {name: part.data.column(column) for name, part in rows.items()}
    names: tuple[str, ...] | None = getattr(feature, "names", None)
    for name, labels in values.items():
        given = pc.is_valid(labels)
        if names is not None:
            inside = pc.and_(pc.greater_equal(labels, 0), pc.less(labels, len(names)))
            given = pc.and_(given, pc.fill_null(inside, False))
        at = pc.index(given, value=False).as_py()
        if at >= 0:
            value = labels[at].as_py()
            hidden = value in (None, -1)
            inside = f"0 to {len(names or ()) - 1}"
            what = "no label" if hidden else f"label {value}, expected {inside}"
            if not hidden and pc.min(labels).as_py() >= 1:
                raise DataError(
                    f"{where}, {name} split: labels start at {pc.min(labels)}, expected {inside}",
                    hint=f"subtract 1 from the column {column}, or store it as plain numbers, "
                    "which are numbered in order",
                )
            raise DataError(
                f"{where}, {name} split, row {at} has {what}",
                hint="choose another test split, because many data sets hide its labels: "
                "--set dataset.test=validation",
            )
    lengths = np.cumsum([len(labels) for labels in values.values()])[:-1]
    whole = pa.chunked_array([chunk for labels in values.values() for chunk in labels.chunks])
    if names is None:
        names, ids = number_classes(whole.cast(pa.string()).combine_chunks())
    else:
        ids = whole.cast(pa.int64()).to_numpy()
    parts = dict(zip(values, np.split(ids, lengths), strict=True))
    expect_trained(where, tuple(names), parts["train"])
    return tuple(names), parts
