"""What a model said about each test image: enough to recompute every number."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.errors import DataError
from ltbench.store import write_atomically


@dataclass(frozen=True)
class Predictions:
    """N test images, in the order of the split.

    Args:
        indices: (N,) indices into the split.
        labels: (N,) true classes.
        classes: (N, k) classes with the largest logits, largest first.
        logits: (N, k) their logits.
        log_sum_exp: (N,) over all classes: exp(logit - log_sum_exp) is a probability.
    """

    indices: NDArray[np.int64]
    labels: NDArray[np.int64]
    classes: NDArray[np.int64]
    logits: NDArray[np.float32]
    log_sum_exp: NDArray[np.float32]

    @property
    def predicted(self) -> NDArray[np.int64]:
        """(N,) the class with the largest logit."""
        return self.classes[:, 0]

    @property
    def confidence(self) -> NDArray[np.float64]:
        """(N,) the probability of the predicted class."""
        margin = self.logits[:, 0].astype(np.float64) - self.log_sum_exp
        return np.exp(np.minimum(margin, 0))

    def write(self, path: Path, about: Mapping[str, str]) -> None:
        """Writes a Parquet file atomically, with key-value metadata."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        width = self.classes.shape[1]
        table = pa.table(
            {
                "index": self.indices,
                "label": self.labels,
                "prediction": self.predicted,
                "top_classes": _lists(self.classes.astype(np.int32), width),
                "top_logits": _lists(self.logits, width),
                "log_sum_exp": self.log_sum_exp,
            }
        )
        buffer = io.BytesIO()
        pq.write_table(table.replace_schema_metadata(dict(about)), buffer, compression="zstd")
        write_atomically(path, buffer.getvalue())

    @classmethod
    def read(cls, path: Path) -> Predictions:
        """Reads what `write` wrote.

        Raises:
            DataError: It is missing or broken.
        """
        with _explained(path):
            columns = _columns(path, ["index", "label", "top_classes", "top_logits", "log_sum_exp"])
            width = columns["top_classes"].type.list_size
            read = cls(
                indices=columns["index"].to_numpy(),
                labels=columns["label"].to_numpy(),
                classes=_matrix(columns["top_classes"], width).astype(np.int64),
                logits=_matrix(columns["top_logits"], width),
                log_sum_exp=columns["log_sum_exp"].to_numpy(),
            )
            _check_classes(read.labels, read.classes)
            return read


@dataclass(frozen=True)
class Answers:
    """What a comparison needs to know of N test images, in the order of the split.

    Args:
        indices: (N,) indices into the split.
        labels: (N,) true classes.
        predicted: (N,) the class with the largest logit.
    """

    indices: NDArray[np.int64]
    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]

    @classmethod
    def read(cls, path: Path) -> Answers:
        """Reads a part of what `Predictions.write` wrote.

        Raises:
            DataError: It is missing or broken.
        """
        with _explained(path):
            columns = _columns(path, ["index", "label", "prediction"])
            read = cls(*(column.to_numpy() for column in columns.values()))
            _check_classes(read.labels, read.predicted)
            return read


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turns what reading a file raises into an error that says what to do.

    Raises:
        DataError: Instead.
    """
    import pyarrow as pa

    try:
        yield
    except (OSError, KeyError, AttributeError, ValueError, pa.ArrowException) as error:
        raise DataError(
            f"the predictions {path} cannot be read: {error}",
            hint="delete the file, and `ltbench eval` makes it again",
        ) from error


def _columns(path: Path, names: list[str]) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Small files by the thousand: to ask what kind of path it is, to read ahead and to start
    # threads takes longer than to read.
    with pa.OSFile(str(path)) as source, pq.ParquetFile(source, pre_buffer=False) as file:
        table = file.read(names, use_threads=False)
    return {name: table[name].combine_chunks() for name in names}


def _check_classes(labels: NDArray[np.int64], classes: NDArray[np.int64]) -> None:
    if not len(labels) or labels.min() < 0 or classes.min() < 0:
        raise ValueError("it has no rows, or negative classes")


def _lists(matrix: NDArray[Any], width: int) -> Any:
    import pyarrow as pa

    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), width)


def _matrix(column: Any, width: int) -> NDArray[Any]:
    array: NDArray[Any] = column.flatten().to_numpy().reshape(-1, width)
    return array
