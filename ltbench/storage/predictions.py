"""Stored predictions of a model: for each test image what every metric is computed from.

A Parquet file has one column for each array, without redundancy, and a checksum of each column in
its metadata. Files from before checksums have the predicted class twice: both must agree.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltbench.errors import DataError, quoted, shortened
from ltbench.io.checksums import array_checksum
from ltbench.io.reading import expect_regular
from ltbench.storage.files import write_atomically
from ltbench.storage.image_names import CHECKSUM, COLUMN, names_checksum, names_column

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT = "2"
"""Format of files with checksums; earlier files record none."""

LARGEST = 2**30
"""Size that a file, and the columns in memory, never reach, in bytes: 10 million images."""

_TYPES = {
    **dict.fromkeys(("index", "label", "prediction"), "int64"),
    **dict.fromkeys(("other_classes", "top_classes"), "int32"),
    **dict.fromkeys(("top_logits", "log_sum_exp"), "float"),
}
"""Types of the columns, or of what their lists hold, as Arrow names them."""
_LISTS = {"other_classes", "top_classes", "top_logits"}
_IN_NAMES = re.compile(r"[a-z0-9_]+(-[^/\x00]{1,200})?")
"""What a file's name has: the inference, and after a dash options other than the run's own."""
_TRAIN = "train-"
_CHECKSUM = "checksum."
_ABOUT = ("hash", "inference", "split", "format")


def predictions_name(inference: str) -> str:
    """Returns the name of a file of predictions."""
    return f"predictions-{inference}.parquet"


def train_predictions_name(inference: str) -> str:
    """Returns the name of a file of predictions of the training images."""
    return f"{_TRAIN}{predictions_name(inference)}"


def inference_of(path: Path) -> str:
    """Returns the name of the inference component in the name of a file of predictions."""
    name = path.stem.removeprefix(_TRAIN).removeprefix("predictions-")
    return name.partition("-")[0]


def stored_predictions(directory: Path, inference: str | None, own: str) -> Path:
    """Returns the path of a file of predictions.

    Args:
        directory: Run directory.
        inference: Name in the file's name; None for the run's own inference.
        own: Name of the run's own inference.

    Raises:
        DataError: It is no such name, or the run has no such file.
    """
    if inference is None:
        return directory / predictions_name(own)
    if not isinstance(inference, str) or not _IN_NAMES.fullmatch(inference):
        raise DataError(
            f"{quoted(inference)} is no name of an inference", hint="give a name such as 'tte'"
        )
    stored = sorted(
        found.stem.removeprefix("predictions-") for found in directory.glob(predictions_name("*"))
    )
    if inference not in stored:
        name = shortened(inference.partition("-")[0])
        raise DataError(
            f"{directory} has no predictions with inference '{shortened(inference)}'"
            f"{', only with ' if stored else ''}{', '.join(stored)}",
            hint=f"make them: ltbench eval {directory} --inference {name}",
        )
    return directory / predictions_name(inference)


def recomputed_hint(path: Path) -> str:
    """Returns the hint to compute a missing or damaged file of predictions again."""
    command = f"ltbench eval {path.parent} --inference {inference_of(path)}"
    if path.name.startswith(_TRAIN):
        command += " --split train"
    if not path.exists():
        return f"compute it: {command}"
    return f"move {path.name} to another folder, then compute it again: {command}"


@dataclass(frozen=True)
class Predictions:
    """Predictions for N test images, in the order of the split.

    Args:
        indices: (N,) indices into the split.
        labels: (N,) true classes.
        classes: (N, k) classes with the largest logits, largest first.
        logits: (N, k) logits of these classes.
        log_sum_exp: (N,) log-sum-exp of all logits: exp(logit - log_sum_exp) is a probability.
        about: Metadata of the file: keys `hash`, `inference`, `split` and `format`. Empty where the
            predictions were not read from a file.
    """

    indices: NDArray[np.int64]
    labels: NDArray[np.int64]
    classes: NDArray[np.int64]
    logits: NDArray[np.float32]
    log_sum_exp: NDArray[np.float32]
    about: Mapping[str, str] = field(default_factory=dict)

    @property
    def predicted(self) -> NDArray[np.int64]:
        """(N,) the class with the largest logit."""
        return self.classes[:, 0]

    @property
    def confidence(self) -> NDArray[np.float64]:
        """(N,) the probability of the predicted class."""
        import numpy as np

        margin = self.logits[:, 0].astype(np.float64) - self.log_sum_exp
        return np.exp(np.minimum(margin, 0))

    def write(
        self, path: Path, about: Mapping[str, str], images: Iterable[str] | None = None
    ) -> None:
        """Writes a Parquet file atomically.

        Args:
            path: Path of the file.
            about: Metadata: keys `hash`, `inference` and `split`.
            images: (N,) names of the images; None where they are not known.
        """
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        arrays: dict[str, NDArray[Any]] = {
            "index": self.indices,
            "label": self.labels,
            "prediction": self.predicted,
            "other_classes": self.classes[:, 1:].astype(np.int32),
            "top_logits": self.logits,
            "log_sum_exp": self.log_sum_exp,
        }
        columns = {name: _column(array) for name, array in arrays.items() if array.size}
        checksums = {f"{_CHECKSUM}{name}": array_checksum(arrays[name]) for name in columns}
        if images is not None:
            columns[COLUMN] = names_column(images)
            checksums[CHECKSUM] = names_checksum(columns[COLUMN])
        table = pa.table(columns).replace_schema_metadata({**about, "format": FORMAT, **checksums})
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd")
        write_atomically(path, buffer.getvalue())

    @classmethod
    def read(cls, path: Path) -> Predictions:
        """Reads a file that `write` wrote.

        Raises:
            DataError: The file is missing, broken or damaged.
        """
        import numpy as np

        names = ["index", "label", "prediction", "other_classes", "top_logits", "log_sum_exp"]
        with _as_data_error(path):
            arrays, about = _read(path, names)
            predicted = arrays["prediction"][:, None]
            others = arrays.get("other_classes", predicted[:, :0])
            classes = np.concatenate([predicted, others], axis=1).astype(np.int64)
            logits = arrays["top_logits"]
            _check_classes(arrays["label"], classes)
            if logits.shape != classes.shape:
                raise ValueError(f"it has {classes.shape[1]} classes and {logits.shape[1]} logits")
            if not (np.isfinite(logits).all() and np.isfinite(arrays["log_sum_exp"]).all()):
                raise ValueError("it has logits that are not finite")
            return cls(
                indices=arrays["index"],
                labels=arrays["label"],
                classes=classes,
                logits=logits,
                log_sum_exp=arrays["log_sum_exp"],
                about=about,
            )


@dataclass(frozen=True)
class PredictedClasses:
    """Labels and predicted classes of N test images, in the order of the split.

    Args:
        indices: (N,) indices into the split.
        labels: (N,) true classes.
        predicted: (N,) the class with the largest logit.
        about: Metadata of the file, as for `Predictions`.
    """

    indices: NDArray[np.int64]
    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    about: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> PredictedClasses:
        """Reads three columns of a file that `Predictions.write` wrote.

        Raises:
            DataError: The file is missing, broken or damaged.
        """
        with _as_data_error(path):
            arrays, about = _read(path, ["index", "label", "prediction"])
            _check_classes(arrays["label"], arrays["prediction"])
            return cls(arrays["index"], arrays["label"], arrays["prediction"], about)


@contextmanager
def _as_data_error(path: Path) -> Iterator[None]:
    """Converts the exceptions of reading a file.

    Raises:
        DataError: The file is missing, broken or damaged.
    """
    import pyarrow as pa

    try:
        yield
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise DataError(
            f"the predictions {path} cannot be read: {error}",
            hint=recomputed_hint(path),
        ) from error


def _read(path: Path, names: list[str]) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Returns those of some columns that a file has, and its metadata.

    Raises:
        ValueError: A column has another type or checksum, or columns contradict each other.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    expect_regular(path, LARGEST)
    # For thousands of small files, reading ahead, threads and a look at the kind of path take
    # longer than reading itself.
    with pa.OSFile(str(path)) as source, pq.ParquetFile(source, pre_buffer=False) as file:
        stored = {k.decode(): v.decode() for k, v in (file.metadata.metadata or {}).items()}
        checked = "format" in stored
        if checked and stored["format"] != FORMAT:
            raise ValueError(f"expected format {FORMAT}, got {stored['format']}")
        if checked:
            wanted = [name for name in names if f"{_CHECKSUM}{name}" in stored]
        else:
            wanted = [*(name for name in names if name != "other_classes"), "top_classes"]
        _check_columns(file, wanted)
        table = file.read(wanted, use_threads=False)
    arrays = {name: _array(table[name].combine_chunks()) for name in table.column_names}
    if checked:
        for name, array in arrays.items():
            if stored.get(f"{_CHECKSUM}{name}") != array_checksum(array):
                raise ValueError(f"its column {name} is not what was written")
    else:
        top = arrays.pop("top_classes")
        if not np.array_equal(top[:, 0], arrays["prediction"]):
            raise ValueError("its columns prediction and top_classes contradict each other")
        if "other_classes" in names:
            arrays["other_classes"] = top[:, 1:]
    return arrays, {key: stored[key] for key in _ABOUT if checked or key in stored}


def _check_columns(file: Any, names: list[str]) -> None:
    """Checks the types and the size of columns, before their values are read.

    Raises:
        ValueError: A column is missing, or has another type than `Predictions.write` gives it, or
            the columns take more memory than predictions can.
    """
    import pyarrow as pa

    schema, rows, size = file.schema_arrow, file.metadata.num_rows, 0
    for name in names:
        if schema.get_field_index(name) < 0:
            raise ValueError(f"its column {name} is missing")
        found = schema.field(name).type
        is_list = pa.types.is_fixed_size_list(found)
        if (
            is_list != (name in _LISTS)
            or str(found.value_type if is_list else found) != _TYPES[name]
        ):
            raise ValueError(f"its column {name} has another type")
        size += rows * 8 * (found.list_size if is_list else 1)
    if size > LARGEST:
        raise ValueError(f"it has {rows} rows")


def _check_classes(labels: NDArray[np.int64], classes: NDArray[np.int64]) -> None:
    if not len(labels) or labels.min() < 0 or classes.min() < 0:
        raise ValueError("it has no rows, or negative classes")


def _column(array: NDArray[Any]) -> Any:
    """Returns the Arrow column of an array (N,) or (N, k)."""
    import pyarrow as pa

    flat = array.ravel()
    # `pa.array` would import pandas, which takes as long as all other imports after the training.
    buffers = [None, pa.py_buffer(flat)]
    column = pa.Array.from_buffers(pa.from_numpy_dtype(flat.dtype), len(flat), buffers)
    return column if array.ndim == 1 else pa.FixedSizeListArray.from_arrays(column, array.shape[1])


def _array(column: Any) -> NDArray[Any]:
    """Returns the array of an Arrow column: the inverse of `_column`."""
    import pyarrow as pa

    if column.null_count:
        raise ValueError("a value is missing")
    if not pa.types.is_fixed_size_list(column.type):
        array: NDArray[Any] = column.to_numpy()
        return array
    flat = column.flatten()
    if flat.null_count:
        raise ValueError("a value is missing")
    matrix: NDArray[Any] = flat.to_numpy().reshape(-1, column.type.list_size)
    return matrix
